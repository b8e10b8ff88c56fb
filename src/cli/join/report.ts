import { harmless } from '../../client/chat/text.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { ParticipantInfo, ParticipantState } from '../../protocol/model.ts';
import type { LiveRecording } from '../../protocol/recording.ts';
import type { LiveView } from '../../tui/live.tsx';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';

const STATS_INTERVAL_MS = 1_000;

const STATE_WORDS: Partial<Record<ParticipantState, string>> = {
  waiting: 'waits to be let in',
  joined: 'is here',
  left: 'left',
  reconnecting: 'is reconnecting',
};

/** Turns what happens in the meeting into events and lines. */
export class JoinReporter {
  readonly #client: MeetingClient;
  readonly #output: Output;
  readonly #context: CliContext;
  readonly #stats: NodeJS.Timeout;
  #live: LiveView | undefined;
  readonly #states = new Map<string, ParticipantState>();
  readonly #seen = new WeakSet<RemoteTrack>();
  #closed = false;

  constructor({ client, output, context }: { client: MeetingClient; output: Output; context: CliContext }) {
    this.#client = client;
    this.#output = output;
    this.#context = context;
    this.#listen();
    for (const participant of client.participants.values()) this.#onParticipant(participant);
    for (const track of client.tracks) this.#onTrack(track);
    if (client.recording.state !== null) this.#onRecording(client.recording.state);
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
    client.on('speakers', (participantIds) => this.#output.event('speakers', { participantIds }));
    client.on('audio-slots', (slots) => this.#output.event('audio-slots', { slots }));
    client.on('recording', (recording) => this.#onRecording(recording));
    client.on('audio-only', (audioOnly) => {
      this.#output.event('audio-only', { audioOnly });
      this.#remark(
        audioOnly ? 'The connection carries sound only for now.' : 'The connection carries pictures again.',
      );
    });
    client.on('source-available', (source, available) => {
      this.#output.event('device', { source, available });
      this.#remark(
        available
          ? `The ${source} is back.`
          : `The ${source} is gone; the meeting goes on, and it is sent again when it is back.`,
      );
    });
    client.on('reconnecting', ({ reason, attempt }) => {
      this.#output.event('reconnecting', { reason, attempt });
      if (attempt === 1) this.#remark(`Reconnecting: ${harmless(reason)} …`);
    });
    client.on('reconnected', ({ ms }) => {
      this.#output.event('reconnected', { ms });
      this.#remark(`Back after ${(ms / 1000).toFixed(1)} s.`);
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

  /** A participant also changes when its tracks do; that is told by `track`. */
  #onParticipant({ id, name, state, recorder }: ParticipantInfo): void {
    if (this.#states.get(id) === state) return;
    this.#states.set(id, state);
    this.#output.event('participant', { id, name, state, recorder });
    if (id === this.#client.self.id) {
      if (state === 'waiting') this.#say('Waiting for a host to let you in …');
      return;
    }
    const words = STATE_WORDS[state];
    if (words !== undefined && recorder !== true) this.#say(`${harmless(name)} ${words}.`);
  }

  /** Whoever is recorded is to know. */
  #onRecording(recording: LiveRecording | null): void {
    this.#output.event('recording', { recording });
    if (recording === null) this.#say('The recording has ended.');
    else if (recording.state === 'recording') this.#say('The meeting is being recorded.');
    else if (recording.state === 'paused') this.#say('The recording is paused.');
  }

  #say(text: string): void {
    if (this.#live) this.#live.say(text);
    else this.#output.line(text);
  }

  /** What goes wrong is said on stderr, unless a person watches the live lines. */
  #remark(text: string): void {
    if (this.#live) this.#live.say(text);
    else this.#output.note(text);
  }

  #onTrack(track: RemoteTrack): void {
    const { id: trackId, participantId, kind, source, codec, slot } = track;
    this.#output.event('track', { trackId, participantId, kind, source, codec, slot });
    if (source === 'screen') this.#sharing(track);
    track.on('frame', (frame) => {
      if (this.#seen.has(track) || !frame.keyframe) return;
      this.#seen.add(track);
      const ms = Math.round((performance.now() - this.#context.startedAt) * 10) / 10;
      this.#output.event('first-media', { participantId, kind, ms });
    });
  }

  #sharing(track: RemoteTrack): void {
    const name = harmless(this.#client.participants.get(track.participantId)?.name ?? track.participantId);
    this.#say(`${name} shares a screen.`);
    track.once('ended', () => this.#say(`${name} shares no more.`));
  }

  #onStats(): void {
    if (!this.#output.json) return;
    const { sent, received, rttMs, estimate, uplinkEstimate } = this.#client.stats();
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
      estimate: estimate ?? null,
      uplinkEstimate: uplinkEstimate ?? null,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#stats);
    await this.#live?.close();
  }
}
