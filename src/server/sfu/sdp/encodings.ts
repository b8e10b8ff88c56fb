/** Which RTP streams an offered section will send. */
import type { RtpEncodingParameters } from 'mediasoup/types';
import { type MediaDescription, parseParams, parseSimulcastStreamList } from 'sdp-transform';
import { badSdp } from './description.ts';

/** More simulcast layers than any encoder has. */
const MAX_LAYERS = 8;
/** Names in use for layers, lowest first, by clients that list the best layer first. */
const KNOWN_ORDERS = [
  ['q', 'h', 'f'],
  ['l', 'm', 'h'],
  ['lo', 'mid', 'hi'],
];

/** Rids that the section sends, as listed: the first alternative of each stream (RFC 8853 section 5.1). */
export function sendRids(media: MediaDescription): string[] {
  const declared = (media.rids ?? [])
    .filter(({ direction }) => direction === 'send')
    .map(({ id }) => String(id));
  const { simulcast } = media;
  if (simulcast === undefined) return declared.slice(0, 1);
  const list =
    simulcast.dir1 === 'send' ? simulcast.list1 : simulcast.dir2 === 'send' ? simulcast.list2 : undefined;
  if (list === undefined) return [];
  const listed = parseSimulcastStreamList(String(list)).flatMap((alternatives) => {
    const known = alternatives.map(({ scid }) => String(scid)).find((scid) => declared.includes(scid));
    return known === undefined ? [] : [known];
  });
  return [...new Set(listed)];
}

/** Whether the section offers simulcast, by rids or by a SIM group of ssrcs. */
export function offersLayers(media: MediaDescription): boolean {
  return sendRids(media).length > 1 || (media.ssrcGroups ?? []).some(({ semantics }) => semantics === 'SIM');
}

/**
 * Encodings, lowest layer first as mediasoup counts spatial layers. By rid where `ridNegotiated`, else by
 * ssrc: the ssrcs of a SIM group, or the first ssrc; RTX by FID groups (RFC 4588 section 5, RFC 5576). None of
 * both gives one encoding that is told by its mid alone.
 *
 * @throws MeetError `bad-sdp`
 */
export function readEncodings(
  media: MediaDescription,
  { ridNegotiated, rtx }: { ridNegotiated: boolean; rtx: boolean },
): RtpEncodingParameters[] {
  const rids = ridNegotiated ? sendRids(media) : [];
  if (rids.length > MAX_LAYERS) throw badSdp(`At most ${MAX_LAYERS} simulcast layers are taken.`);
  if (rids.length > 0) return orderLayers(media, rids).map((rid) => ({ rid, ...bitrateOf(media, rid) }));

  const ssrcs = [...new Set((media.ssrcs ?? []).map(({ id }) => checkSsrc(id)))];
  if (ssrcs.length === 0) return [{}];
  const groups = (media.ssrcGroups ?? []).map(({ semantics, ssrcs: list }) => ({
    semantics,
    ssrcs: list
      .trim()
      .split(/\s+/)
      .map((ssrc) => checkSsrc(Number(ssrc))),
  }));
  const simulcast = groups.find(({ semantics, ssrcs: list }) => semantics === 'SIM' && list.length > 1);
  if (simulcast !== undefined && simulcast.ssrcs.length > MAX_LAYERS) {
    throw badSdp(`At most ${MAX_LAYERS} simulcast layers are taken.`);
  }
  const secondary = new Set(
    groups.filter(({ semantics }) => semantics !== 'SIM').flatMap(({ ssrcs: list }) => list.slice(1)),
  );
  const primary = simulcast?.ssrcs ?? ssrcs.filter((ssrc) => !secondary.has(ssrc)).slice(0, 1);
  if (primary.length === 0) throw badSdp('The ssrc groups contradict one another.');
  return primary.map((ssrc) => {
    const repair = groups.find(({ semantics, ssrcs: [first] }) => semantics === 'FID' && first === ssrc)
      ?.ssrcs[1];
    return rtx && repair !== undefined ? { ssrc, rtx: { ssrc: repair } } : { ssrc };
  });
}

function checkSsrc(ssrc: number): number {
  if (!Number.isInteger(ssrc) || ssrc < 1 || ssrc > 0xffff_ffff) throw badSdp('An ssrc is out of range.');
  return ssrc;
}

function restrictions(media: MediaDescription, rid: string): Record<string, number> {
  const params = media.rids?.find(({ id, direction }) => String(id) === rid && direction === 'send')?.params;
  if (params === undefined) return {};
  const entries = Object.entries(parseParams(String(params))).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(entries) as Record<string, number>;
}

function bitrateOf(media: MediaDescription, rid: string): { maxBitrate?: number } {
  const bitrate = restrictions(media, rid)['max-br'];
  return bitrate !== undefined && bitrate >= 1 && bitrate <= 0xffff_ffff ? { maxBitrate: bitrate } : {};
}

/**
 * RFC 8853 does not say which layer is the better one, so: by the restrictions of RFC 8851 where all have
 * them, by well-known names, else as listed (browsers list `sendEncodings` as given, usually lowest first).
 */
function orderLayers(media: MediaDescription, rids: string[]): string[] {
  for (const key of ['max-width', 'max-height', 'max-br']) {
    const values = new Map(rids.map((rid) => [rid, restrictions(media, rid)[key]]));
    if (
      new Set(values.values()).size === rids.length &&
      [...values.values()].every((value) => value !== undefined)
    ) {
      return [...rids].sort((a, b) => values.get(a)! - values.get(b)!);
    }
  }
  const order = KNOWN_ORDERS.find((names) => rids.every((rid) => names.includes(rid)));
  return order === undefined ? rids : [...rids].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
