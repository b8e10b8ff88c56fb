/** Compound RTCP packets (RFC 3550 section 6.1; RFC 5506 lets feedback go without reports). */
import {
  parseGoodbye,
  parseSourceDescription,
  serializeGoodbye,
  serializeSourceDescription,
} from './description.ts';
import {
  formats,
  parseFullIntraRequest,
  parseNack,
  parsePictureLossIndication,
  parseRemb,
  serializeFullIntraRequest,
  serializeNack,
  serializePictureLossIndication,
  serializeRemb,
} from './feedback.ts';
import {
  parseExtendedReport,
  parseReceiverReport,
  parseSenderReport,
  serializeExtendedReport,
  serializeReceiverReport,
  serializeSenderReport,
} from './reports.ts';
import { parseTransportFeedback, serializeTransportFeedback } from './transport-feedback.ts';
import { packetTypes, type RtcpBody, type RtcpPacket } from './types.ts';

const HEADER_BYTES = 4;

function parseOne(packetType: number, count: number, body: Buffer): RtcpPacket | undefined {
  switch (packetType) {
    case packetTypes.senderReport:
      return parseSenderReport(count, body);
    case packetTypes.receiverReport:
      return parseReceiverReport(count, body);
    case packetTypes.sourceDescription:
      return parseSourceDescription(count, body);
    case packetTypes.goodbye:
      return parseGoodbye(count, body);
    case packetTypes.extendedReport:
      return parseExtendedReport(count, body);
    case packetTypes.transportLayerFeedback:
      if (count === formats.nack) return parseNack(body);
      return count === formats.transportFeedback ? parseTransportFeedback(body) : undefined;
    case packetTypes.payloadSpecificFeedback:
      if (count === formats.pictureLossIndication) return parsePictureLossIndication(body);
      if (count === formats.fullIntraRequest) return parseFullIntraRequest(body);
      return count === formats.application ? parseRemb(body) : undefined;
    default:
      return undefined;
  }
}

/** All packets that are understood and whole; parsing ends where the lengths stop making sense. */
export function parseRtcp(compound: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= compound.length) {
    const first = compound[at]!;
    const end = at + HEADER_BYTES + compound.readUInt16BE(at + 2) * 4;
    if (first >> 6 !== 2 || end > compound.length) break;
    let bodyEnd = end;
    if (first & 0x20) bodyEnd -= compound[end - 1]!;
    if (bodyEnd >= at + HEADER_BYTES) {
      const body = compound.subarray(at + HEADER_BYTES, bodyEnd);
      const packet = parseOne(compound[at + 1]!, first & 0x1f, body);
      if (packet) packets.push(packet);
    }
    at = end;
  }
  return packets;
}

function serializeOne(packet: RtcpPacket): RtcpBody {
  switch (packet.type) {
    case 'sender-report':
      return serializeSenderReport(packet);
    case 'receiver-report':
      return serializeReceiverReport(packet);
    case 'source-description':
      return serializeSourceDescription(packet);
    case 'goodbye':
      return serializeGoodbye(packet);
    case 'extended-report':
      return serializeExtendedReport(packet);
    case 'nack':
      return serializeNack(packet);
    case 'picture-loss-indication':
      return serializePictureLossIndication(packet);
    case 'full-intra-request':
      return serializeFullIntraRequest(packet);
    case 'remb':
      return serializeRemb(packet);
    case 'transport-feedback':
      return serializeTransportFeedback(packet);
  }
}

/** One compound packet, unencrypted. */
export function serializeRtcp(packets: readonly RtcpPacket[]): Buffer {
  const parts = packets.flatMap((packet) => {
    const { count, packetType, body, padded } = serializeOne(packet);
    const header = Buffer.alloc(HEADER_BYTES);
    header[0] = 0x80 | (padded ? 0x20 : 0) | count;
    header[1] = packetType;
    header.writeUInt16BE(body.length / 4, 2);
    return [header, body];
  });
  return Buffer.concat(parts);
}
