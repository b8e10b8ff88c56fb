/** What a server has to give to be measured beside ours. */

import type { ReceivedFrame } from '../../src/client/types.ts';
import type { BotConnection } from '../../src/load/bot/connection.ts';
import type { BotFigures } from '../../src/load/bot/figures.ts';
import type { EncodedSource } from '../../src/media/types.ts';

/** A server that runs on this machine. */
export interface PeerServer {
  /** What clients need to reach it; goes to another process. */
  readonly address: string;
  /** A new room; its name for the clients. */
  openRoom(): Promise<string>;
  /** All processes that belong to it, and those of them that carry media. */
  pids(): Promise<{ readonly all: readonly number[]; readonly media: readonly number[] }>;
  close(): Promise<void>;
}

/** How the client of a server joins its rooms; runs in the process that holds the bots. */
export interface PeerClient {
  /** Sends a source; resolves when it is connected. */
  publish(room: string, source: EncodedSource): Promise<Joined>;
  /** Receives everything in a room with a bot; resolves when it is connected. */
  receive(room: string, figures: BotFigures): Promise<Joined & { readonly connection: BotConnection }>;
  /** Receives everything in a room as a whole client, whose frames tell the latency. */
  probe(room: string, onFrame: (frame: ReceivedFrame) => void): Promise<Joined>;
  close(): Promise<void>;
}

export interface Joined {
  close(): Promise<void>;
}

/** A server to compare with: one file in this folder, and a line in `adapters.ts`. */
export interface PeerAdapter {
  readonly name: string;
  /** Why it cannot be measured here, `undefined` when it can. */
  missing(): string | undefined;
  start(): Promise<PeerServer>;
  connect(address: string): Promise<PeerClient>;
}
