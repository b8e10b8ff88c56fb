import type { MeetingClient } from '../client/meeting.ts';
import type { ReceivedTrackStats } from '../client/types.ts';

/** What one participant sends and receives, summed up for a line. */
export interface ParticipantLine {
  readonly name: string;
  readonly fps: number;
  readonly kbitIn: number;
  readonly kbitOut: number;
  /** Percent of the packets that never came, of all and of the last ones. */
  readonly loss: number;
  readonly recentLoss: number;
  readonly rttMs: number | undefined;
  readonly size: string;
  readonly from: string;
}

interface Totals {
  readonly atMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packets: number;
  readonly lost: number;
}

interface Rates {
  readonly kbitIn: number;
  readonly kbitOut: number;
  readonly recentLoss: number;
}

const previous = new WeakMap<MeetingClient, Rates & { readonly last: Totals }>();
/** Rates over less than this jump about. */
const MIN_WINDOW_MS = 500;

/** The participant's figures; rates are over the time since the last call that was half a second ago or more. */
export function participantLine(name: string, client: MeetingClient): ParticipantLine {
  const { sent, received, rttMs } = client.stats();
  const now: Totals = {
    atMs: performance.now(),
    bytesIn: received.reduce((sum, track) => sum + track.bytes, 0),
    bytesOut: sent.reduce((sum, track) => sum + track.bytes, 0),
    packets: received.reduce((sum, track) => sum + track.packets, 0),
    lost: received.reduce((sum, track) => sum + track.lost, 0),
  };
  const rates = ratesSince(client, now);
  const video = received.filter((track) => track.kind === 'video');
  return {
    name,
    fps: Math.round(video.reduce((sum, track) => sum + track.fps, 0) / Math.max(1, video.length)),
    ...rates,
    loss: percentLost(now.packets, now.lost),
    rttMs,
    size: sizeOf(video),
    from: sendersOf(client, received).join(', '),
  };
}

function ratesSince(client: MeetingClient, now: Totals): Rates {
  const known = previous.get(client);
  const elapsed = known === undefined ? 0 : now.atMs - known.last.atMs;
  if (known !== undefined && elapsed < MIN_WINDOW_MS) return known;
  const rate = (bytes: number, before: number) =>
    elapsed === 0 ? 0 : Math.max(0, ((bytes - before) * 8) / elapsed);
  const rates = {
    kbitIn: Math.round(rate(now.bytesIn, known?.last.bytesIn ?? 0)),
    kbitOut: Math.round(rate(now.bytesOut, known?.last.bytesOut ?? 0)),
    recentLoss: percentLost(now.packets - (known?.last.packets ?? 0), now.lost - (known?.last.lost ?? 0)),
  };
  previous.set(client, { last: now, ...rates });
  return rates;
}

/** Of those that were sent, whether they came or not; tracks that have gone take their packets along. */
function percentLost(packets: number, lost: number): number {
  return packets + lost <= 0 || lost <= 0 ? 0 : (lost / (Math.max(0, packets) + lost)) * 100;
}

function sizeOf(video: readonly ReceivedTrackStats[]): string {
  const largest = video.reduce<ReceivedTrackStats | undefined>(
    (best, track) => ((track.height ?? 0) > (best?.height ?? -1) ? track : best),
    undefined,
  );
  return largest?.width && largest.height ? `${largest.width}x${largest.height}` : '-';
}

function sendersOf(client: MeetingClient, received: readonly ReceivedTrackStats[]): string[] {
  const ids = new Set(received.filter((track) => track.packets > 0).map((track) => track.participantId));
  return [...ids].map((id) => client.participants.get(id)?.name ?? id);
}

/** The figures as one line of text that fits a terminal of 80 columns. */
export function statsLine(name: string, client: MeetingClient): string {
  const line = participantLine(name, client);
  const rtt = line.rttMs === undefined ? '-' : `${line.rttMs.toFixed(1)} ms`;
  const kbit = (value: number) => String(value).padStart(4);
  return [
    line.name.padEnd(6),
    `${line.fps} fps ${line.size}`.padEnd(15),
    `↓${kbit(line.kbitIn)} ↑${kbit(line.kbitOut)} kbit/s`,
    `loss ${line.loss.toFixed(2)} %`,
    `rtt ${rtt}`,
    line.from === '' ? 'from nobody' : `from ${line.from}`,
  ].join('  ');
}
