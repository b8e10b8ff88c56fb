import type { MeetingClient } from '../../client/meeting.ts';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { CliContext } from '../context.ts';
import { harmless, type Output } from '../output.ts';

const STATS_INTERVAL_MS = 1_000;

/** Turns what happens in the meeting into events and lines. */
export class JoinReporter {
  readonly #client: MeetingClient;
  readonly #output: Output;
  readonly #context: CliContext;
  readonly #stats: NodeJS.Timeout;
  #live: { close(): void } | undefined;
  #closed = false;

  constructor({ client, output, context }: { client: MeetingClient; output: Output; context: CliContext }) {
    this.#client = client;
    this.#output = output;
    this.#context = context;
    this.#listen();
    for (const participant of client.participants.values()) this.#onParticipant(participant);
    for (const track of client.tracks) this.#onTrack(track);
    void client.whenConnected().then(
      (ms) => this.#onConnected(ms),
      () => {}, // 'left' says why.
    );
    this.#stats = setInterval(() => this.#onStats(), STATS_INTERVAL_MS);
  }

  #listen(): void {
    const client = this.#client;
    client.on('participant', (participant) => this.#onParticipant(participant));
    client.on('track', (track) => this.#onTrack(track));
    client.on('reconnecting', ({ reason, attempt }) => {
      this.#output.event('reconnecting', { reason, attempt });
      if (attempt === 1) this.#output.note(`Reconnecting: ${harmless(reason)} …`);
    });
    client.on('reconnected', ({ ms }) => {
      this.#output.event('reconnected', { ms });
      this.#output.note(`Back after ${ms} ms.`);
    });
  }

  #onConnected(ms: { api: number; signaling: number; ice: number; dtls: number }): void {
    const { id } = this.#client.meeting;
    const rounded = Object.fromEntries(
      Object.entries(ms).map(([step, value]) => [step, Math.round(value * 10) / 10]),
    );
    this.#output.event('joined', { meetingId: id, participantId: this.#client.self.id, ms: rounded });
    this.#output.line(`Joined ${id} as ${harmless(this.#client.self.name)}.`);
    if (this.#output.interactive) void this.#showLive();
  }

  async #showLive(): Promise<void> {
    const { showMeeting } = await import('../../tui/live.tsx');
    if (this.#closed) return;
    this.#live = showMeeting(this.#context.stdout as NodeJS.WriteStream, [
      { name: this.#client.self.name, client: this.#client },
    ]);
  }

  #onParticipant({ id, name, state }: { id: string; name: string; state: string }): void {
    this.#output.event('participant', { id, name, state });
    if (id === this.#client.self.id) return;
    const words: Record<string, string> = {
      joined: 'is here',
      left: 'left',
      reconnecting: 'is reconnecting',
    };
    const word = words[state];
    if (word && !this.#live) this.#output.line(`${harmless(name)} ${word}.`);
  }

  #onTrack(track: RemoteTrack): void {
    const { id: trackId, participantId, kind, source, codec } = track;
    this.#output.event('track', { trackId, participantId, kind, source, codec });
    track.on('frame', (frame) => {
      if (this.#seen.has(track) || !frame.keyframe) return;
      this.#seen.add(track);
      const ms = Math.round((performance.now() - this.#context.startedAt) * 10) / 10;
      this.#output.event('first-media', { participantId, kind, ms });
    });
  }

  readonly #seen = new WeakSet<RemoteTrack>();

  #onStats(): void {
    if (!this.#output.json) return;
    const { sent, received, rttMs } = this.#client.stats();
    const sum = (key: 'packets' | 'bytes' | 'retransmitted') =>
      sent.reduce((total, track) => total + track[key], 0);
    this.#output.event('stats', {
      sent: {
        packets: sum('packets'),
        bytes: sum('bytes'),
        retransmitted: sum('retransmitted'),
        tracks: sent,
      },
      received,
      rttMs: rttMs ?? null,
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#stats);
    this.#live?.close();
  }
}
