/** RTP payload format of AV1, version 1.0 of the Alliance for Open Media's specification. */
import { joinObus, leb128, leb128Bytes, OBU, type Obu, readLeb128, readObu, splitObus } from './av1-obu.ts';
import { keyframeSequenceHeader } from './av1-sequence-header.ts';
import { maxPayloadBytes } from './payload-size.ts';
import type { Depacketizer, Packetizer } from './types.ts';

export interface Av1PacketizerOptions {
  /** Limit of a payload in bytes; default `DEFAULT_MAX_PAYLOAD_BYTES`. */
  readonly maxPayloadBytes?: number;
}

/** Aggregation header, section 4.4. */
const Z = 0x80;
const Y = 0x40;
const N = 0x08;

/** Section 5: temporal delimiters and tile lists are removed, padding is of no use to a receiver. */
const DROPPED: ReadonlySet<number> = new Set([OBU.temporalDelimiter, OBU.tileList, OBU.padding]);

/** Takes temporal units in the low-overhead format. */
export function createAv1Packetizer(options: Av1PacketizerOptions = {}): Packetizer {
  const limit = maxPayloadBytes(options.maxPayloadBytes);
  let sequenceHeader: Obu | undefined;
  return {
    codec: 'av1',
    packetize(frame, { keyframe }) {
      let obus = splitObus(frame)?.filter((obu) => !DROPPED.has(obu.type)) ?? [];
      const header = obus.find((obu) => obu.type === OBU.sequenceHeader);
      if (header) sequenceHeader = { ...header, payload: Buffer.from(header.payload) };
      // Some containers keep the sequence header apart; a receiver that joins needs it in the stream.
      else if (keyframe && sequenceHeader && obus.length > 0) obus = [sequenceHeader, ...obus];
      const payloads = aggregate(obus, limit);
      if (keyframe && payloads[0] && sequenceHeader) payloads[0][0] = payloads[0][0]! | N;
      return payloads;
    },
  };
}

/** Fills packets with OBU elements one after the other; an OBU that does not fit goes on in the next. */
function aggregate(obus: readonly Obu[], limit: number): Buffer[] {
  const packets: { elements: Buffer[]; continues: boolean; goesOn: boolean }[] = [];
  let packet = { elements: [] as Buffer[], continues: false, goesOn: false };
  let left = limit - 1;
  const nextPacket = (continues: boolean) => {
    packet.goesOn = continues;
    packets.push(packet);
    packet = { elements: [], continues, goesOn: false };
    left = limit - 1;
  };
  for (const obu of obus) {
    let rest = Buffer.concat([obu.header, obu.payload]);
    // An element's length is counted although the last one of a packet may go without.
    if (packet.elements.length > 0 && left < leb128Bytes(left) + obu.header.length + 1) nextPacket(false);
    while (rest.length + leb128Bytes(rest.length) > left) {
      const size = left - leb128Bytes(left);
      packet.elements.push(rest.subarray(0, size));
      rest = rest.subarray(size);
      nextPacket(true);
    }
    packet.elements.push(rest);
    left -= rest.length + leb128Bytes(rest.length);
  }
  if (packet.elements.length > 0) packets.push(packet);
  return packets.map(({ elements, continues, goesOn }) => {
    // W counts up to three elements, of which the last has no length; 0 means that all have one.
    const w = elements.length <= 3 ? elements.length : 0;
    const header = Buffer.from([(continues ? Z : 0) | (goesOn ? Y : 0) | (w << 4)]);
    const parts = elements.flatMap((element, i) =>
      w > 0 && i === w - 1 ? [element] : [leb128(element.length), element],
    );
    return Buffer.concat([header, ...parts]);
  });
}

/**
 * Gives temporal units in the low-overhead format without temporal delimiters, as Matroska and MP4 store
 * them; each OBU has its size.
 */
export function createAv1Depacketizer(): Depacketizer {
  return {
    codec: 'av1',
    isFrameStart: (payload) => payload.length > 1 && (payload[0]! & Z) === 0,
    isKeyFrameStart: (payload) => payload.length > 1 && (payload[0]! & (Z | N)) === N,
    depacketize(payloads) {
      const units = collectUnits(payloads);
      if (units === undefined) return undefined;
      const obus: Obu[] = [];
      for (const unit of units) {
        const read = readObu(unit, 0);
        if (read === undefined || read.next !== unit.length) return undefined;
        if (!DROPPED.has(read.obu.type)) obus.push(read.obu);
      }
      if (obus.length === 0) return undefined;
      const sequence = keyframeSequenceHeader(obus);
      return {
        data: joinObus(obus),
        keyframe: sequence !== undefined,
        ...(sequence && { width: sequence.width, height: sequence.height }),
      };
    },
  };
}

/** OBUs put together from the elements of all packets. */
function collectUnits(payloads: readonly Buffer[]): Buffer[] | undefined {
  const units: Buffer[] = [];
  /** Fragments of the OBU that goes on in the next packet. */
  let open: Buffer[] | undefined;
  for (const payload of payloads) {
    const elements = readElements(payload);
    if (elements === undefined) return undefined;
    const header = payload[0]!;
    if (((header & Z) !== 0) !== (open !== undefined)) return undefined;
    for (const [i, element] of elements.entries()) {
      const fragments: Buffer[] = open ?? [];
      open = undefined;
      fragments.push(element);
      if (i === elements.length - 1 && (header & Y) !== 0) open = fragments;
      else units.push(fragments.length === 1 ? element : Buffer.concat(fragments));
    }
  }
  return open === undefined ? units : undefined;
}

/** The elements of one packet; `undefined` where their lengths do not fit it or there is none. */
function readElements(payload: Buffer): Buffer[] | undefined {
  const w = ((payload[0] ?? 0) >> 4) & 3;
  const elements: Buffer[] = [];
  let offset = 1;
  while (offset < payload.length) {
    let end = payload.length;
    if (w === 0 || elements.length < w - 1) {
      const length = readLeb128(payload, offset);
      if (length === undefined) return undefined;
      offset = length.next;
      end = offset + length.value;
    }
    // An empty element holds no OBU header.
    if (end > payload.length || end === offset) return undefined;
    elements.push(payload.subarray(offset, end));
    offset = end;
  }
  return elements.length > 0 && (w === 0 || elements.length === w) ? elements : undefined;
}
