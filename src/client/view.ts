/** Which videos a participant shows, and how large: what it asks the server for. No more is sent to it. */
import type { MediaSource, ParticipantInfo } from '../protocol/model.ts';
import { MAX_VIDEO_REQUESTS, type VideoRequest } from '../protocol/signaling.ts';

/** Most tiles of a page; screens come on top of them. */
export const MAX_PAGE_SIZE = 25;

/** How the videos are laid out. */
export interface View {
  /** `gallery` shows equal tiles, `speaker` one large picture and thumbnails, `none` nothing. */
  readonly layout: 'gallery' | 'speaker' | 'none';
  /** From 0; beyond the last page the last is shown. */
  readonly page?: number;
  /** Tiles of a page, 1 to 25; default 25. */
  readonly pageSize?: number;
  /** No picture is shown higher than this, pixels. */
  readonly maxHeight?: number;
  /** Id or name of a participant that is on every page, large. */
  readonly pin?: string;
}

/** What a view is laid out from. */
export interface Audience {
  readonly selfId: string;
  /** In the order in which tiles keep their place. */
  readonly participants: Iterable<ParticipantInfo>;
  /** Ids, the active speaker first. */
  readonly speakers?: readonly string[];
  /** Ids of those whose hand is raised, the first to raise it first. */
  readonly raisedHands?: readonly string[];
}

export interface LaidOutView {
  /** For `subscribe`, the most important first. */
  readonly videos: VideoRequest[];
  /** At least 1. */
  readonly pages: number;
}

/** Heights of tiles in pixels, by how many a gallery shows: one fills the window, four share it, more are small. */
const LARGE_HEIGHT = 720;
const QUARTER_HEIGHT = 360;
const SMALL_HEIGHT = 180;
/** Thumbnails beside a large picture; below 180 the server sends the lowest layer at its lowest rate. */
const THUMBNAIL_HEIGHT = 90;
const MAX_QUARTERS = 4;

/**
 * Lays a view out. Whoever shows a screen or is pinned is on every page; a raised hand brings a participant to the
 * first page. Who sends no camera yet fills what is left of a page, so that the picture comes without another
 * request once there is one.
 */
export function layOut(view: View, audience: Audience): LaidOutView {
  if (view.layout === 'none') return { videos: [], pages: 1 };
  const others = [...audience.participants].filter(
    ({ id, state, recorder }) => id !== audience.selfId && state !== 'left' && recorder !== true,
  );
  const screens = others.flatMap((participant) => (sends(participant, 'screen') ? [participant.id] : []));
  const pinned = findPinned(view.pin, others);
  const order = tileOrder(others, audience.raisedHands ?? []);
  const large = pinned ?? (view.layout === 'speaker' ? activeSpeaker(order, audience) : undefined);
  const rest = order.filter(({ id }) => id !== large?.id);

  const size = Math.min(MAX_PAGE_SIZE, Math.max(1, Math.floor(view.pageSize ?? MAX_PAGE_SIZE)));
  const perPage = Math.max(1, size - (large ? 1 : 0));
  const pages = Math.max(1, Math.ceil(rest.length / perPage));
  const page = Math.min(pages - 1, Math.max(0, Math.floor(view.page ?? 0)));
  const tiles = rest.slice(page * perPage, (page + 1) * perPage).slice(0, size - (large ? 1 : 0));

  const cap = (height: number) => Math.min(height, view.maxHeight ?? Number.POSITIVE_INFINITY);
  const pin = ({ id }: ParticipantInfo) => (id === pinned?.id ? { pinned: true } : {});
  const limit = view.maxHeight === undefined ? {} : { maxHeight: view.maxHeight };
  const videos: VideoRequest[] = screens
    .slice(0, MAX_VIDEO_REQUESTS - size)
    .map((participantId) => ({ participantId, source: 'screen', ...limit }));
  const stage = screens.length > 0;
  if (large) {
    const maxHeight = cap(stage ? SMALL_HEIGHT : LARGE_HEIGHT);
    videos.push({ participantId: large.id, source: 'camera', maxHeight, ...pin(large) });
  }
  const shown = tiles.filter((participant) => sends(participant, 'camera')).length;
  for (const tile of tiles) {
    const count = sends(tile, 'camera') ? shown : shown + 1;
    const height = large || stage ? thumbnailHeight(view) : tileHeight(count);
    videos.push({ participantId: tile.id, source: 'camera', maxHeight: cap(height) });
  }
  return { videos, pages };
}

function sends(participant: ParticipantInfo, source: MediaSource): boolean {
  return participant.tracks.some((track) => track.kind === 'video' && track.source === source);
}

/** By id, else by name. */
function findPinned(
  pin: string | undefined,
  others: readonly ParticipantInfo[],
): ParticipantInfo | undefined {
  if (pin === undefined) return undefined;
  const name = pin.toLowerCase();
  return (
    others.find(({ id }) => id === pin) ??
    others.find((participant) => participant.name.toLowerCase() === name)
  );
}

/** Raised hands first, then those with a camera, then the others; each in the order of the roster. */
function tileOrder(others: readonly ParticipantInfo[], raisedHands: readonly string[]): ParticipantInfo[] {
  const rank = (participant: ParticipantInfo) => {
    const hand = raisedHands.indexOf(participant.id);
    if (hand !== -1) return hand - raisedHands.length;
    return sends(participant, 'camera') ? 0 : 1;
  };
  return others
    .map((participant) => ({ participant, rank: rank(participant) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ participant }) => participant);
}

/** Whoever speaks and can be seen, else the first who can be seen: one does not look at oneself. */
function activeSpeaker(order: readonly ParticipantInfo[], { speakers = [] }: Audience) {
  for (const id of speakers) {
    const speaker = order.find((participant) => participant.id === id);
    if (speaker && sends(speaker, 'camera')) return speaker;
  }
  return order[0];
}

function tileHeight(count: number): number {
  if (count <= 1) return LARGE_HEIGHT;
  return count <= MAX_QUARTERS ? QUARTER_HEIGHT : SMALL_HEIGHT;
}

function thumbnailHeight({ layout }: View): number {
  return layout === 'speaker' ? THUMBNAIL_HEIGHT : SMALL_HEIGHT;
}
