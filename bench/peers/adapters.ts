import { janusAdapter } from './janus.ts';
import { meetAdapter } from './meet.ts';
import type { PeerAdapter } from './types.ts';

/** Ours first: the ratios are of its figures to the others'. */
export const ADAPTERS: readonly PeerAdapter[] = [meetAdapter, janusAdapter];
