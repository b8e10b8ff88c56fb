/** Where the tiles of a scene belong: the picture between two transitions. */
import type { Rect } from '../types.ts';
import { gapOf, grid, MAX_TILES } from './grid.ts';
import { even, evenBelow, type Size, widescreenIn } from './rect.ts';
import type { Scene, ScenePerson, Tile, TileKind } from './types.ts';

/** Share of the picture's width that the large tile has beside a strip. */
const STAGE_SHARE = 0.8;
/** Tiles below the large one at most. */
const MOST_BELOW = 8;
/** Height of a picture in the corner of a screen, as a share of the screen's. */
const CORNER_SHARE = 0.22;
/** Pictures in a corner lie above what they cover. */
const CORNER_Z = 1;

/** What is put into a place: a person's camera (or avatar), or the screen. */
interface Content {
  readonly person: ScenePerson;
  readonly screen: boolean;
}

/** The tiles of a scene, in an order that stays while nobody comes or goes. */
export function arrange(scene: Scene, size: Size): Tile[] {
  const shared = sharer(scene);
  if (shared) return stage(scene, size, { person: shared, screen: true });
  const large = scene.layout === 'gallery' ? undefined : star(scene);
  if (large) return stage(scene, size, { person: large, screen: false });
  const people = recent(scene, scene.people, MAX_TILES);
  const places = grid(people.length, whole(size), gapOf(size));
  return people.map((person, index) => tile({ person, screen: false }, places[index]!));
}

/**
 * Pixels of height that a track is shown at; 0 where it is not shown. What is fetched larger is decoded for nothing.
 */
export function neededHeight(scene: Scene, size: Size, trackId: string): number {
  return arrange(scene, size).find((one) => one.trackId === trackId)?.rect.height ?? 0;
}

function whole({ width, height }: Size): Rect {
  return { x: 0, y: 0, width, height };
}

/** Whose screen is large: of several, that of who spoke last. */
function sharer({ people, speakers }: Scene): ScenePerson | undefined {
  const sharing = people.filter(({ screen }) => screen !== undefined);
  const spoke = speakers.map((id) => sharing.find((person) => person.id === id));
  return spoke.find((person) => person !== undefined) ?? sharing[0];
}

/** Who is large where no screen is shared. */
function star({ layout, people, speakers, pinned }: Scene): ScenePerson | undefined {
  const find = (id: string | undefined) => people.find((person) => person.id === id);
  const spoke = speakers.map(find).find((person) => person !== undefined);
  const host = people.find(({ role }) => role === 'host');
  return (layout === 'spotlight' ? (find(pinned) ?? host) : spoke) ?? spoke ?? people[0];
}

/** At most `count` of the people, those who spoke last, in their old order. */
function recent({ speakers }: Scene, people: readonly ScenePerson[], count: number): ScenePerson[] {
  if (people.length <= count) return [...people];
  const rank = ({ id }: ScenePerson) => {
    const place = speakers.indexOf(id);
    return place < 0 ? speakers.length : place;
  };
  const chosen = new Set(people.toSorted((a, b) => rank(a) - rank(b)).slice(0, count));
  return people.filter((person) => chosen.has(person));
}

/** One large tile, all others beside it. */
function stage(scene: Scene, size: Size, large: Content): Tile[] {
  const gap = gapOf(size);
  const corner = large.screen && large.person.video !== undefined;
  // A spotlight is on one alone.
  const others = scene.layout === 'spotlight' ? [] : scene.people.filter((person) => person !== large.person);
  const area: Rect = others.length === 0 ? whole(size) : stageArea(size, gap);
  const place = large.screen ? area : widescreenIn(area);
  const tiles = [tile(large, place)];
  if (corner) {
    tiles.push({ ...tile({ person: large.person, screen: false }, cornerOf(place, gap)), z: CORNER_Z });
  }
  if (others.length === 0) return tiles;
  const places = isTall(size)
    ? below(area, size, others.length, gap)
    : beside(area, size, others.length, gap);
  const shown = recent(scene, others, places.length);
  return [...tiles, ...shown.map((person, index) => tile({ person, screen: false }, places[index]!))];
}

function isTall({ width, height }: Size): boolean {
  return height > width;
}

/** Where the large tile may be when there are others beside or below it. */
function stageArea(size: Size, gap: number): Rect {
  const width = evenBelow(
    (isTall(size) ? size.width : size.width * STAGE_SHARE) - (isTall(size) ? 2 : 1) * gap,
  );
  const height = isTall(size) ? even((width * 9) / 16) : evenBelow(size.height - 2 * gap);
  return { x: gap, y: gap, width, height };
}

/** Places in a column at the right of the large tile, as many as have room. */
function beside(area: Rect, size: Size, count: number, gap: number): Rect[] {
  const left = area.x + area.width;
  const room = size.width - left - 2 * gap;
  const width = evenBelow(Math.min(room, ((size.height - 2 * gap) * 16) / 9));
  const height = evenBelow((width * 9) / 16);
  const x = left + evenBelow((size.width - left - width) / 2);
  const shown = Math.min(count, Math.max(1, Math.floor((size.height - gap) / (height + gap))));
  const top = evenBelow((size.height - shown * height - (shown - 1) * gap) / 2);
  return Array.from({ length: shown }, (_, index) => ({ x, y: top + index * (height + gap), width, height }));
}

/** Places below the large tile of a picture that is higher than wide. */
function below(area: Rect, size: Size, count: number, gap: number): Rect[] {
  const y = area.y + area.height;
  return grid(Math.min(count, MOST_BELOW), { x: 0, y, width: size.width, height: size.height - y }, gap);
}

/** The lower right corner. */
function cornerOf(place: Rect, gap: number): Rect {
  const height = Math.max(2, even(place.height * CORNER_SHARE));
  const width = Math.min(evenBelow(place.width - 2 * gap), even((height * 16) / 9));
  return {
    x: place.x + place.width - width - gap,
    y: place.y + place.height - height - gap,
    width,
    height,
  };
}

function tile({ person, screen }: Content, rect: Rect): Tile {
  const trackId = screen ? person.screen : person.video;
  const kind: TileKind = screen ? 'screen' : trackId === undefined ? 'avatar' : 'camera';
  // Who has a picture in the corner of his screen is seen to speak there.
  const elsewhere = screen && person.video !== undefined;
  return {
    key: `${person.id}/${screen ? 'screen' : 'person'}`,
    kind,
    participantId: person.id,
    ...(trackId === undefined ? {} : { trackId }),
    rect,
    label: person.name,
    muted: person.muted && !elsewhere,
    speaking: person.speaking && !elsewhere,
    z: 0,
    opacity: 1,
  };
}
