/**
 * What is true only while servers run: who is present, who waits, which server holds which router. It is lost
 * without harm when all servers stop, and shared between them where there is more than one.
 *
 * The functions are those that Redis does in one step or one script, so every one of them is atomic. Values are
 * JSON and are copied on their way in and out. Each part has keys of its own: a queue and a hash may have the same
 * one. Times to live are in milliseconds; what has expired is not there. Every function throws MeetError
 * `storage-failed` when the connection fails, and `server-stopping` after `close`.
 */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Who is present in a meeting, kept up by heartbeats. */
export interface Presence {
  /**
   * Says that the participant is there for the next `ttlMs`, with a value that replaces the one of before.
   * Answers `true` when it was not there.
   */
  enter(meetingId: string, participantId: string, value: Json, ttlMs: number): Promise<boolean>;
  /** Prolongs a presence. `false`, and no presence, when it has run out in the meantime: enter again. */
  heartbeat(meetingId: string, participantId: string, ttlMs: number): Promise<boolean>;
  /** Answers `true` when it was there. */
  leave(meetingId: string, participantId: string): Promise<boolean>;
  /** Everyone present with their values, in the order in which they entered. */
  list(meetingId: string): Promise<Map<string, Json>>;
  count(meetingId: string): Promise<number>;
  /**
   * Participants whose presence ran out without a `leave`, with the values they had. Each is handed out once, to
   * one caller only, so that one of several servers tells the others. Whoever enters again before is not among them,
   * and after ten minutes they are forgotten.
   */
  takeExpired(meetingId: string): Promise<Map<string, Json>>;
}

/** Named fields under one key: which server holds which router of a meeting, who speaks, counts of a scenario. */
export interface Hashes {
  set(key: string, field: string, value: Json): Promise<void>;
  /** Sets the field only where there is none, and answers the value that it then has: the winner's. */
  setIfAbsent(key: string, field: string, value: Json): Promise<Json>;
  get(key: string, field: string): Promise<Json | undefined>;
  all(key: string): Promise<Map<string, Json>>;
  /** Answers `true` when the field was there. A hash without fields is gone. */
  delete(key: string, field: string): Promise<boolean>;
  /** Removes the hash with all its fields. */
  clear(key: string): Promise<void>;
  /** The whole hash goes after this time unless it is said anew. `false` where there is no such hash. */
  expire(key: string, ttlMs: number): Promise<boolean>;
}

export interface QueueEntry {
  id: string;
  value: Json;
}

/** First come, first served, one place an id: waiting rooms. */
export interface Queues {
  /** Joins the end; who is in the queue keeps the place and has the new value. Answers the place, from 0. */
  push(key: string, id: string, value: Json): Promise<number>;
  /** Takes the first one out. */
  shift(key: string): Promise<QueueEntry | undefined>;
  /** Takes this one out, wherever it is. */
  remove(key: string, id: string): Promise<QueueEntry | undefined>;
  list(key: string): Promise<QueueEntry[]>;
  clear(key: string): Promise<void>;
}

export interface Count {
  value: number;
  /** Milliseconds until the counter is gone and counting begins at 0 again. */
  remainingMs: number;
}

/** Counters with a fixed window: rate limits. */
export interface Counters {
  /** Adds to the counter. The first addition starts the window of `windowMs`; later ones do not prolong it. */
  increment(key: string, by: number, windowMs: number): Promise<Count>;
  reset(key: string): Promise<void>;
}

/** What one server at a time may hold: a meeting's primary router, a recording, a clean-up. */
export interface Leases {
  /** `true` when the holder has it now: it was free or expired, or was the holder's already (then prolonged). */
  acquire(key: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Gives it up. `false` when it was not (or no longer) the holder's, which then is untouched. */
  release(key: string, holder: string): Promise<boolean>;
  holder(key: string): Promise<string | undefined>;
}

export type Unsubscribe = () => Promise<void>;

/**
 * Messages to whoever listens at that moment, the sender's own listeners among them. Each arrives at most once, those
 * of one sender in their order, and never while `publish` is still being called. Nothing is kept.
 */
export interface Channels {
  publish(channel: string, message: Json): Promise<void>;
  /**
   * Resolves when messages published from now on will arrive. What a listener throws is logged and harms no other
   * listener. Unsubscribing twice does nothing; no message arrives after it was called.
   */
  subscribe(channel: string, listener: (message: Json) => void): Promise<Unsubscribe>;
}

export interface LiveState {
  readonly presence: Presence;
  readonly hashes: Hashes;
  readonly queues: Queues;
  readonly counters: Counters;
  readonly leases: Leases;
  readonly channels: Channels;
  /** Ends subscriptions and connections; may be called twice. */
  close(): Promise<void>;
}
