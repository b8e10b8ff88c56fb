/** Feedback about single packets and pictures: NACK, PLI, FIR, REMB. */
import {
  type FullIntraRequest,
  type Nack,
  type PictureLossIndication,
  packetTypes,
  type ReceiverEstimatedMaximumBitrate,
  type RtcpBody,
} from './types.ts';

/** Feedback message types within packet types 205 and 206 (IANA). */
export const formats = {
  nack: 1,
  transportFeedback: 15,
  pictureLossIndication: 1,
  fullIntraRequest: 4,
  application: 15,
} as const;

const REMB = 'REMB';

/** Writes the two SSRCs that each feedback message begins with (RFC 4585 section 6.1). */
function feedbackBody(senderSsrc: number, mediaSsrc: number, informationBytes: number): Buffer {
  const body = Buffer.alloc(8 + informationBytes);
  body.writeUInt32BE(senderSsrc, 0);
  body.writeUInt32BE(mediaSsrc, 4);
  return body;
}

export function parseNack(body: Buffer): Nack | undefined {
  if (body.length < 12) return undefined;
  const sequenceNumbers: number[] = [];
  for (let at = 8; at + 4 <= body.length; at += 4) {
    const first = body.readUInt16BE(at);
    const bitmask = body.readUInt16BE(at + 2);
    sequenceNumbers.push(first);
    for (let bit = 0; bit < 16; bit += 1) {
      if (bitmask & (1 << bit)) sequenceNumbers.push((first + bit + 1) & 0xffff);
    }
  }
  return {
    type: 'nack',
    senderSsrc: body.readUInt32BE(0),
    mediaSsrc: body.readUInt32BE(4),
    sequenceNumbers,
  };
}

/** Numbers within 16 after the first of an entry share it, across the wrap too. */
export function serializeNack(nack: Nack): RtcpBody {
  const entries: { first: number; bitmask: number }[] = [];
  for (const sequenceNumber of nack.sequenceNumbers) {
    const entry = entries.at(-1);
    const distance = entry ? (sequenceNumber - entry.first) & 0xffff : 0;
    if (entry && distance >= 1 && distance <= 16) entry.bitmask |= 1 << (distance - 1);
    else entries.push({ first: sequenceNumber, bitmask: 0 });
  }
  const body = feedbackBody(nack.senderSsrc, nack.mediaSsrc, entries.length * 4);
  entries.forEach(({ first, bitmask }, i) => {
    body.writeUInt16BE(first, 8 + i * 4);
    body.writeUInt16BE(bitmask, 10 + i * 4);
  });
  return { count: formats.nack, packetType: packetTypes.transportLayerFeedback, body };
}

export function parsePictureLossIndication(body: Buffer): PictureLossIndication | undefined {
  if (body.length < 8) return undefined;
  return {
    type: 'picture-loss-indication',
    senderSsrc: body.readUInt32BE(0),
    mediaSsrc: body.readUInt32BE(4),
  };
}

export function serializePictureLossIndication(pli: PictureLossIndication): RtcpBody {
  const body = feedbackBody(pli.senderSsrc, pli.mediaSsrc, 0);
  return { count: formats.pictureLossIndication, packetType: packetTypes.payloadSpecificFeedback, body };
}

export function parseFullIntraRequest(body: Buffer): FullIntraRequest | undefined {
  if (body.length < 16) return undefined;
  const entries: { ssrc: number; sequenceNumber: number }[] = [];
  for (let at = 8; at + 8 <= body.length; at += 8) {
    entries.push({ ssrc: body.readUInt32BE(at), sequenceNumber: body[at + 4]! });
  }
  return {
    type: 'full-intra-request',
    senderSsrc: body.readUInt32BE(0),
    mediaSsrc: body.readUInt32BE(4),
    entries,
  };
}

export function serializeFullIntraRequest(fir: FullIntraRequest): RtcpBody {
  const body = feedbackBody(fir.senderSsrc, fir.mediaSsrc, fir.entries.length * 8);
  fir.entries.forEach(({ ssrc, sequenceNumber }, i) => {
    body.writeUInt32BE(ssrc, 8 + i * 8);
    body[12 + i * 8] = sequenceNumber;
  });
  return { count: formats.fullIntraRequest, packetType: packetTypes.payloadSpecificFeedback, body };
}

export function parseRemb(body: Buffer): ReceiverEstimatedMaximumBitrate | undefined {
  if (body.length < 16 || body.toString('latin1', 8, 12) !== REMB) return undefined;
  const count = body[12]!;
  if (body.length < 16 + count * 4) return undefined;
  const exponent = body[13]! >> 2;
  const mantissa = ((body[13]! & 3) << 16) | body.readUInt16BE(14);
  return {
    type: 'remb',
    senderSsrc: body.readUInt32BE(0),
    bitrate: mantissa * 2 ** exponent,
    ssrcs: Array.from({ length: count }, (_, i) => body.readUInt32BE(16 + i * 4)),
  };
}

export function serializeRemb(remb: ReceiverEstimatedMaximumBitrate): RtcpBody {
  const body = feedbackBody(remb.senderSsrc, 0, 8 + remb.ssrcs.length * 4);
  body.write(REMB, 8, 'latin1');
  let exponent = 0;
  let mantissa = Math.max(0, Math.floor(remb.bitrate));
  while (mantissa >= 2 ** 18) {
    mantissa = Math.floor(mantissa / 2);
    exponent += 1;
  }
  body[12] = remb.ssrcs.length;
  body[13] = (exponent << 2) | (mantissa >> 16);
  body.writeUInt16BE(mantissa & 0xffff, 14);
  remb.ssrcs.forEach((ssrc, i) => {
    body.writeUInt32BE(ssrc, 16 + i * 4);
  });
  return { count: formats.application, packetType: packetTypes.payloadSpecificFeedback, body };
}
