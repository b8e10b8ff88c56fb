/** SDES and BYE (RFC 3550 sections 6.5 and 6.6). */
import { type Goodbye, packetTypes, type RtcpBody, type SourceDescription } from './types.ts';

const CNAME = 1;

export function parseSourceDescription(count: number, body: Buffer): SourceDescription | undefined {
  const chunks: { ssrc: number; cname: string }[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 4 > body.length) return undefined;
    const ssrc = body.readUInt32BE(at);
    let cname: string | undefined;
    at += 4;
    for (;;) {
      const item = body[at];
      if (item === undefined) return undefined;
      if (item === 0) break;
      const length = body[at + 1];
      if (length === undefined || at + 2 + length > body.length) return undefined;
      if (item === CNAME) cname = body.toString('utf8', at + 2, at + 2 + length);
      at += 2 + length;
    }
    // The null octets that end a chunk fill up to the next 32-bit boundary.
    at = (at + 4) & ~3;
    if (cname !== undefined) chunks.push({ ssrc, cname });
  }
  return { type: 'source-description', chunks };
}

/** CNAMEs are cut to the 255 bytes that the length byte can count. */
export function serializeSourceDescription({ chunks }: SourceDescription): RtcpBody {
  const parts = chunks.map(({ ssrc, cname }) => {
    const text = Buffer.from(cname, 'utf8').subarray(0, 255);
    const chunk = Buffer.alloc((6 + text.length + 4) & ~3);
    chunk.writeUInt32BE(ssrc, 0);
    chunk[4] = CNAME;
    chunk[5] = text.length;
    text.copy(chunk, 6);
    return chunk;
  });
  return { count: chunks.length, packetType: packetTypes.sourceDescription, body: Buffer.concat(parts) };
}

export function parseGoodbye(count: number, body: Buffer): Goodbye | undefined {
  if (body.length < count * 4) return undefined;
  const ssrcs = Array.from({ length: count }, (_, i) => body.readUInt32BE(i * 4));
  const length = body[count * 4];
  if (!length || count * 4 + 1 + length > body.length) return { type: 'goodbye', ssrcs };
  const reason = body.toString('utf8', count * 4 + 1, count * 4 + 1 + length);
  return { type: 'goodbye', ssrcs, reason };
}

export function serializeGoodbye({ ssrcs, reason = '' }: Goodbye): RtcpBody {
  const text = Buffer.from(reason, 'utf8').subarray(0, 255);
  const body = Buffer.alloc(ssrcs.length * 4 + (text.length > 0 ? (text.length + 4) & ~3 : 0));
  ssrcs.forEach((ssrc, i) => {
    body.writeUInt32BE(ssrc, i * 4);
  });
  if (text.length > 0) {
    body[ssrcs.length * 4] = text.length;
    text.copy(body, ssrcs.length * 4 + 1);
  }
  return { count: ssrcs.length, packetType: packetTypes.goodbye, body };
}
