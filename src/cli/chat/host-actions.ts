/** What `meet host` does. */
import type { ActionName } from '../../protocol/actions.ts';

/** Actions that are done to one participant. */
export const ON_ONE = [
  'admit',
  'deny',
  'remove',
  'mute',
  'ask-unmute',
  'stop-share',
  'promote',
  'demote',
  'hand-over',
] as const;
/** Actions that need nobody to be named. */
export const ON_ALL = [
  'admit-all',
  'lock',
  'unlock',
  'unblock',
  'mute-all',
  'unmuting',
  'screen-sharing',
  'several-screens',
  'lower-hand',
  'reclaim',
  'end',
] as const satisfies readonly ActionName[];
export type HostAction = (typeof ON_ONE)[number] | (typeof ON_ALL)[number];
