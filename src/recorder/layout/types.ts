/** What is to be shown, and where it is shown. */
import type { LayoutName, Rect } from '../types.ts';

/** A participant as the picture knows it. */
export interface ScenePerson {
  readonly id: string;
  readonly name: string;
  /** As in the protocol: `host` takes the large tile of a spotlight that names nobody. */
  readonly role: string;
  /** Track of the camera while it is on. */
  readonly video?: string;
  /** Track of the screen while it is shared. */
  readonly screen?: string;
  readonly muted: boolean;
  readonly speaking: boolean;
}

/** All that decides the picture; a scene is replaced as a whole when anything of it changes. */
export interface Scene {
  readonly layout: LayoutName;
  /** In the order in which they joined. */
  readonly people: readonly ScenePerson[];
  /** Ids of those who spoke, the active speaker first, then who spoke last. */
  readonly speakers: readonly string[];
  /** Id of the participant who is large in a spotlight. */
  readonly pinned?: string;
}

export type TileKind = 'camera' | 'screen' | 'avatar';

/** A place in the picture and what is in it. */
export interface Tile {
  /** Stays the same for as long as the tile is the same person's camera (or avatar) or screen. */
  readonly key: string;
  readonly kind: TileKind;
  readonly participantId: string;
  /** Absent for an avatar. */
  readonly trackId?: string;
  /** Pixels, all even. */
  readonly rect: Rect;
  /** What is written on it. */
  readonly label: string;
  readonly muted: boolean;
  readonly speaking: boolean;
  /** Tiles are drawn in this order: higher ones cover lower ones. */
  readonly z: number;
  /** 0 (not to be seen) to 1. */
  readonly opacity: number;
}
