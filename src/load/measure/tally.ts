/** What the bots of one process have measured: counters that only grow, and durations of the last interval. */
import { DurationHistogram } from './histogram.ts';

/** Counters of a run. All only grow; rates are differences of two readings. */
export const COUNTERS = [
  /** Joins that were begun, that came to media, and that failed. */
  'joinsStarted',
  'joinsDone',
  'joinsFailed',
  'left',
  /** Bots that were lost without having been told to leave. */
  'dropped',
  'reconnects',
  /** Received RTP packets, first transmissions, and all bytes of UDP payload that came with them. */
  'packets',
  'bytes',
  /** Sequence numbers that should have come, and those that did not come at first. */
  'expected',
  'lost',
  /** Lost packets that no retransmission brought in time. */
  'unrepaired',
  'retransmitted',
  'duplicates',
  'reordered',
  'nacks',
  'plis',
  'feedback',
  /** Packets that were decrypted and checked, and those that failed it. */
  'checked',
  'corrupt',
  /** Whole pictures that can be decoded, those that cannot, and Opus frames. */
  'frames',
  'framesBroken',
  'audioFrames',
  /** Pictures that came more than 200 ms late, and for how long nothing moved, milliseconds. */
  'freezes',
  'frozenMs',
  /** Time in which a picture was to be seen, milliseconds of all bots together. */
  'watchedMs',
  /** Time in which the server held a picture back, milliseconds. */
  'heldBackMs',
  'sentPackets',
  'sentBytes',
  /** Messages that were written, those that the server refused, and those that came to others. */
  'chatSent',
  'chatFailed',
  'chatReceived',
] as const;
export type CounterName = (typeof COUNTERS)[number];
export type Counters = Record<CounterName, number>;

/** Durations that are recorded, in milliseconds. */
export const DURATIONS = [
  /** From the beginning of the join request to a media connection that is up. */
  'join',
  /** Its parts. */
  'api',
  'signaling',
  'ice',
  'dtls',
  /** From the beginning of the join request to the first picture that can be decoded, or Opus frame. */
  'first_media',
  /** From the moment a frame is sent until it is whole at the receiver: both kinds, and each. */
  'media_latency',
  'video_latency',
  'audio_latency',
  /** Interarrival jitter of each stream, once a second. */
  'jitter',
  /** How long a picture stood still. */
  'freeze',
  'reconnect',
  /** From writing a message until it is at another bot. */
  'chat_latency',
] as const;
export type DurationName = (typeof DURATIONS)[number];

export function noCounters(): Counters {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
}

/** Adds `from` to `to`. */
export function addCounters(to: Counters, from: Readonly<Counters>): void {
  for (const name of COUNTERS) to[name] += from[name];
}

export class Tally {
  readonly counters: Counters = noCounters();
  readonly durations = Object.fromEntries(DURATIONS.map((name) => [name, new DurationHistogram()])) as Record<
    DurationName,
    DurationHistogram
  >;

  /** The durations since the last call, encoded; those that have none are left out. */
  takeDurations(): Partial<Record<DurationName, string>> {
    const taken: Partial<Record<DurationName, string>> = {};
    for (const name of DURATIONS) {
      const histogram = this.durations[name];
      if (histogram.count === 0) continue;
      taken[name] = histogram.encode();
      histogram.reset();
    }
    return taken;
  }
}
