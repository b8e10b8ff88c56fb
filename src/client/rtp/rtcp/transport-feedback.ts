/** Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). */
import { formats } from './feedback.ts';
import { packetTypes, type RtcpBody, type TransportFeedback } from './types.ts';

const HEAD_BYTES = 16;
/** Packet statuses of a chunk: 3 is reserved, and read as not received. */
const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;
const MAX_RUN = 0x1fff;
const ONE_BIT_STATUSES = 14;
const TWO_BIT_STATUSES = 7;

type Status = 0 | 1 | 2 | 3;

function readStatuses(body: Buffer, count: number): { statuses: Status[]; end: number } | undefined {
  const statuses: Status[] = [];
  let at = HEAD_BYTES;
  while (statuses.length < count) {
    if (at + 2 > body.length) return undefined;
    const chunk = body.readUInt16BE(at);
    at += 2;
    if (!(chunk & 0x8000)) {
      const status = ((chunk >> 13) & 3) as Status;
      const run = Math.min(chunk & MAX_RUN, count - statuses.length);
      for (let i = 0; i < run; i += 1) statuses.push(status);
      // A run of none would never end the loop's chunks usefully; it is as malformed as a missing one.
      if (run === 0) return undefined;
    } else if (chunk & 0x4000) {
      for (let i = TWO_BIT_STATUSES - 1; i >= 0; i -= 1) statuses.push(((chunk >> (i * 2)) & 3) as Status);
    } else {
      for (let i = ONE_BIT_STATUSES - 1; i >= 0; i -= 1) statuses.push(((chunk >> i) & 1) as Status);
    }
  }
  statuses.length = count;
  return { statuses, end: at };
}

export function parseTransportFeedback(body: Buffer): TransportFeedback | undefined {
  if (body.length < HEAD_BYTES) return undefined;
  const read = readStatuses(body, body.readUInt16BE(10));
  if (!read) return undefined;
  let at = read.end;
  const deltas: (number | undefined)[] = [];
  for (const status of read.statuses) {
    if (status === SMALL_DELTA) {
      if (at + 1 > body.length) return undefined;
      deltas.push(body[at]);
      at += 1;
    } else if (status === LARGE_DELTA) {
      if (at + 2 > body.length) return undefined;
      deltas.push(body.readInt16BE(at));
      at += 2;
    } else {
      deltas.push(undefined);
    }
  }
  return {
    type: 'transport-feedback',
    senderSsrc: body.readUInt32BE(0),
    mediaSsrc: body.readUInt32BE(4),
    baseSequence: body.readUInt16BE(8),
    referenceTime: body.readIntBE(12, 3),
    feedbackCount: body[15]!,
    deltas,
  };
}

function statusOf(delta: number | undefined): Status {
  if (delta === undefined) return NOT_RECEIVED;
  return delta >= 0 && delta <= 255 ? SMALL_DELTA : LARGE_DELTA;
}

/** The shortest of a run, seven two-bit and fourteen one-bit statuses that begins at each place. */
function writeChunks(statuses: readonly Status[]): number[] {
  const chunks: number[] = [];
  let at = 0;
  while (at < statuses.length) {
    const status = statuses[at]!;
    let run = 1;
    while (run < MAX_RUN && statuses[at + run] === status) run += 1;
    const oneBit = statuses.slice(at, at + ONE_BIT_STATUSES);
    const fitsOneBit = !oneBit.includes(LARGE_DELTA);
    const vector = Math.min(fitsOneBit ? ONE_BIT_STATUSES : TWO_BIT_STATUSES, statuses.length - at);
    if (run >= vector) {
      chunks.push((status << 13) | run);
      at += run;
    } else if (fitsOneBit) {
      chunks.push(oneBit.reduce((bits: number, s, i) => bits | (s << (ONE_BIT_STATUSES - 1 - i)), 0x8000));
      at += vector;
    } else {
      const twoBit = statuses.slice(at, at + TWO_BIT_STATUSES);
      chunks.push(
        twoBit.reduce((bits: number, s, i) => bits | (s << ((TWO_BIT_STATUSES - 1 - i) * 2)), 0xc000),
      );
      at += vector;
    }
  }
  return chunks;
}

export function serializeTransportFeedback(feedback: TransportFeedback): RtcpBody {
  const statuses = feedback.deltas.map(statusOf);
  const chunks = writeChunks(statuses);
  const deltaBytes = statuses.reduce<number>((sum, status) => sum + status, 0);
  const used = HEAD_BYTES + chunks.length * 2 + deltaBytes;
  const body = Buffer.alloc(Math.ceil(used / 4) * 4);
  body.writeUInt32BE(feedback.senderSsrc, 0);
  body.writeUInt32BE(feedback.mediaSsrc, 4);
  body.writeUInt16BE(feedback.baseSequence, 8);
  body.writeUInt16BE(statuses.length, 10);
  body.writeIntBE(feedback.referenceTime, 12, 3);
  body[15] = feedback.feedbackCount;
  let at = HEAD_BYTES;
  for (const chunk of chunks) at = body.writeUInt16BE(chunk, at);
  feedback.deltas.forEach((delta, i) => {
    if (delta === undefined) return;
    at = statuses[i] === SMALL_DELTA ? body.writeUInt8(delta, at) : body.writeInt16BE(delta, at);
  });
  const padded = body.length > used;
  if (padded) body[body.length - 1] = body.length - used;
  return { count: formats.transportFeedback, packetType: packetTypes.transportLayerFeedback, body, padded };
}
