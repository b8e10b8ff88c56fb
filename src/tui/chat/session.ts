import { EventEmitter } from 'node:events';
import { harmless } from '../../client/chat/text.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { ChatMessage } from '../../protocol/chat.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import { type ParticipantLine, participantLine } from '../stats-line.ts';
import { COMMANDS, type CommandContext, failureLines, runLine } from './commands/index.ts';
import { completer } from './complete.ts';
import { labelsOf } from './labels.ts';
import { Levels } from './levels.ts';
import { listNames, meetingRemarks, participantRemarks, type Remark, recordingRemarks } from './notices.ts';
import { guestsOf, type Person, peopleOf } from './people.ts';
import { QualityMeter } from './quality.ts';
import { Timeline, type Tone } from './timeline.ts';

interface ChatSessionEvents {
  /** Something that is shown has changed. */
  change: [];
  /** A new message came, not one of before. */
  message: [message: ChatMessage];
  /** Messages of before were loaded, in the order of their numbers. */
  history: [messages: readonly ChatMessage[]];
  /** A line for the user was added. */
  notice: [lines: readonly string[], tone: Tone];
  /** The user wants to leave. */
  quit: [];
}

export interface ChatSessionOptions {
  readonly client: MeetingClient;
  readonly home: string | undefined;
  readonly video?: CommandContext['video'];
}

/** Messages of before that are shown at once, and with each page back. */
const PAGE = 100;
/** Figures are taken anew so often, milliseconds. */
const FIGURES_MS = 1_000;
/** Comings and goings within this time are told in one line, milliseconds. */
const GATHER_MS = 400;
/** Longest wait for the first page of history. */
const GONE = 'left';

/** A person's side of a meeting: what is shown, and what the lines that they enter do. It draws nothing. */
export class ChatSession extends EventEmitter<ChatSessionEvents> {
  readonly client: MeetingClient;
  readonly timeline = new Timeline();
  readonly levels = new Levels();
  readonly complete: ReturnType<typeof completer>;
  readonly #quality = new QualityMeter();
  readonly #context: CommandContext;
  readonly #known = new Map<string, ParticipantInfo>();
  readonly #figures: NodeJS.Timeout;
  readonly #came: string[] = [];
  readonly #went: string[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #labels: ReadonlyMap<string, string> = new Map();
  #meeting;
  #recording;
  #line: ParticipantLine;
  #progress: string | undefined;
  #reconnecting: { readonly reason: string; readonly sinceMs: number } | undefined;
  #arriving = false;
  #mutingOneself = 0;
  #showsStats = false;
  #history: 'none' | 'loading' | 'more' | 'all' = 'none';
  #closed = false;

  constructor({ client, home, video }: ChatSessionOptions) {
    super();
    this.client = client;
    this.#meeting = client.meeting;
    this.#recording = client.recording.state;
    this.#line = participantLine('', client);
    const session = this;
    this.#context = {
      client,
      timeline: this.timeline,
      commands: COMMANDS,
      get labels() {
        return session.#labels;
      },
      notice: (lines, tone) => this.notice(lines, tone),
      progress: (text) => this.#setProgress(text),
      video,
      toggleStats: () => {
        this.#showsStats = !this.#showsStats;
        this.emit('change');
      },
      home,
      quit: () => this.emit('quit'),
    };
    this.complete = completer({
      people: () => this.#othersByTalk(),
      guests: () => this.guests.map(({ label }) => label),
      savedFiles: () => this.#fileNames(),
      hosts: () => this.isHost,
      home,
    });
    for (const participant of client.participants.values()) this.#known.set(participant.id, participant);
    this.#labels = labelsOf(this.#known.values());
    this.#listen();
    this.#figures = setInterval(() => this.#takeFigures(), FIGURES_MS);
    this.#welcome();
  }

  /** Labels of those who are in the meeting or wait, by id. */
  get labels(): ReadonlyMap<string, string> {
    return this.#labels;
  }

  get selfLabel(): string {
    return this.#labels.get(this.client.self.id) ?? harmless(this.client.self.name);
  }

  get isHost(): boolean {
    return this.client.self.role !== 'participant';
  }

  /** Those in the meeting, in the order in which they are listed. */
  get people(): Person[] {
    const now = performance.now();
    return peopleOf({
      selfId: this.client.self.id,
      participants: this.client.participants.values(),
      labels: this.#labels,
      raisedHands: this.client.raisedHands,
      speakers: this.client.speakers,
      level: (id) => this.levels.at(id, now),
      qualities: this.#quality.qualities,
    });
  }

  /** Those who wait; hosts see them. */
  get guests(): { readonly id: string; readonly label: string }[] {
    return this.client.waiting ? [] : guestsOf(this.client.participants.values(), this.#labels);
  }

  /** The figures of the last second. */
  get figures(): ParticipantLine {
    return this.#line;
  }

  /** What is going on and how far it is. */
  get progress(): string | undefined {
    return this.#progress;
  }

  /** Set while the connection is lost; `sinceMs` on `performance.now`'s clock. */
  get reconnecting(): { readonly reason: string; readonly sinceMs: number } | undefined {
    return this.#reconnecting;
  }

  /** The figures of each stream are to be shown. */
  get showsStats(): boolean {
    return this.#showsStats;
  }

  /** Does what an entered line says; what fails is told. */
  async run(line: string): Promise<void> {
    const own = /^\/(un)?mute\b/.test(line);
    if (own) this.#mutingOneself += 1;
    try {
      await runLine(this.#context, line);
    } catch (error) {
      this.notice(failureLines(error).map(harmless), 'bad');
    } finally {
      if (own) this.#mutingOneself -= 1;
      this.#setProgress(undefined);
    }
  }

  /** Lets in who waits longest. */
  async admitNext(): Promise<void> {
    const [next] = this.guests;
    if (next !== undefined) await this.run(`/admit ${next.id}`);
  }

  /** Adds a line for the user. */
  notice(lines: string | readonly string[], tone: Tone = 'info'): void {
    if (this.#closed) return;
    const list = typeof lines === 'string' ? [lines] : lines;
    this.timeline.notice(list, tone);
    this.emit('notice', list, tone);
    this.emit('change');
  }

  /** Gets messages of before those that are shown, where there are some. */
  async loadOlder(): Promise<void> {
    if (this.#history === 'loading' || this.#history === 'all' || this.client.chat.last === undefined) return;
    const first = this.#history === 'none';
    this.#history = 'loading';
    const before = this.timeline.first ?? this.client.chat.last + 1;
    try {
      const { messages, more } = await this.client.chat.history({ before, limit: PAGE });
      this.#history = more ? 'more' : 'all';
      this.emit('history', this.timeline.add(messages, { older: true }));
      this.emit('change');
    } catch (error) {
      this.#history = first ? 'none' : 'more';
      if (this.client.self.state !== GONE && !this.#closed)
        this.notice(
          ['Messages of before cannot be loaded now.', ...failureLines(error).map(harmless)],
          'bad',
        );
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#figures);
    clearTimeout(this.#gathering);
  }

  #listen(): void {
    const { client } = this;
    const changed = () => this.emit('change');
    client.on('participant', (participant) => this.#onParticipant(participant));
    client.on('meeting', (meeting) => {
      const remarks = meetingRemarks(this.#meeting, meeting);
      this.#meeting = meeting;
      this.#say(remarks);
      changed();
    });
    client.on('recording', (recording) => {
      const remarks = recordingRemarks(this.#recording, recording);
      this.#recording = recording;
      this.#say(remarks);
      changed();
    });
    client.on('message', (message) => {
      this.timeline.add([message]);
      this.emit('message', message);
      changed();
    });
    client.on('reaction', ({ participantId, reaction }) =>
      this.notice(`${this.#nameOf(participantId)}: ${harmless(reaction)}`),
    );
    client.on('unmute-request', ({ participantId }) => {
      const who = participantId === null ? 'A host' : this.#nameOf(participantId);
      this.notice(`${who} asks you to unmute: /unmute`, 'warning');
    });
    client.on('speakers', changed);
    client.on('audio-only', (audioOnly) =>
      this.notice(
        audioOnly ? 'The connection carries sound only for now.' : 'The connection carries pictures again.',
        'warning',
      ),
    );
    client.on('reconnecting', ({ reason, attempt }) => {
      this.#reconnecting = {
        reason: harmless(reason),
        sinceMs: this.#reconnecting?.sinceMs ?? performance.now(),
      };
      if (attempt === 1) this.notice(`Connection lost (${harmless(reason)}); reconnecting …`, 'warning');
      changed();
    });
    client.on('reconnected', ({ ms }) => {
      this.#reconnecting = undefined;
      this.notice(`Back after ${(ms / 1000).toFixed(1)} s; nothing was missed.`, 'good');
    });
    client.on('source-failed', (error) =>
      this.notice([`Nothing is sent any more: ${harmless(error.message)}`], 'bad'),
    );
    client.on('track', (track) => this.#onTrack(track));
    for (const track of client.tracks) this.#onTrack(track);
  }

  #onTrack(track: RemoteTrack): void {
    if (track.kind !== 'audio') return;
    track.on('frame', ({ audioLevel }) => {
      if (audioLevel !== undefined && track.participantId !== '')
        this.levels.heard(track.participantId, audioLevel, performance.now());
    });
  }

  #welcome(): void {
    if (this.client.waiting) {
      this.notice('Waiting for a host to let you in …', 'warning');
      return;
    }
    // Those who were there before us come with the same update as our being let in.
    this.#arriving = true;
    setImmediate(() => {
      this.#arriving = false;
      this.#came.length = 0;
    });
    const others = this.people.filter(({ self }) => !self).map(({ label }) => label);
    const role = this.isHost ? ` (${this.client.self.role})` : '';
    const company = others.length === 0 ? 'nobody else is here yet' : `with ${listNames(others)}`;
    this.notice(`You are in as ${this.selfLabel}${role}, ${company}. /help lists the commands.`);
    this.#say(recordingRemarks(null, this.client.recording.state));
    void this.loadOlder();
  }

  #onParticipant(participant: ParticipantInfo): void {
    const { id, state } = participant;
    const self = id === this.client.self.id;
    const before = this.#known.get(id);
    const labelBefore = this.#labels.get(id);
    if (state === GONE) {
      this.#known.delete(id);
      this.levels.forget(id);
    } else this.#known.set(id, participant);
    if (before === undefined || state === GONE) this.#labels = labelsOf(this.#known.values());
    const label = this.#labels.get(id) ?? labelBefore ?? harmless(participant.name);
    // Of a recorder the recording says enough.
    if (participant.recorder === true) return;
    this.#say(participantRemarks(before, participant, { label, self }));
    if (self) this.#onSelf(before, participant);
    else this.#gather(before, participant, label);
    this.emit('change');
  }

  #onSelf(before: ParticipantInfo | undefined, now: ParticipantInfo): void {
    if (before?.state === 'waiting' && now.state === 'joined') this.#welcome();
    const muted = ({ tracks }: ParticipantInfo) =>
      tracks.find(({ source }) => source === 'microphone')?.muted;
    if (before === undefined || muted(before) === undefined || muted(before) === muted(now)) return;
    if (muted(now) === undefined) return;
    const byHost = this.#mutingOneself === 0;
    const text = muted(now) ? (byHost ? 'A host muted you.' : 'You are muted.') : 'You are unmuted.';
    this.notice(text, byHost && muted(now) ? 'warning' : 'info');
  }

  /** Whoever comes in or goes is told of, many at once in one line. */
  #gather(before: ParticipantInfo | undefined, now: ParticipantInfo, label: string): void {
    const inside = ({ state }: ParticipantInfo) => state === 'joined' || state === 'reconnecting';
    const was = before !== undefined && inside(before);
    if (!was && inside(now) && this.#arriving) return;
    if (!was && inside(now)) this.#came.push(label);
    else if (was && now.state === GONE) this.#went.push(label);
    else return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const [came, went] = [this.#came.splice(0), this.#went.splice(0)];
      if (came.length > 0) this.notice(`${listNames(came)} ${came.length === 1 ? 'is' : 'are'} here.`);
      if (went.length > 0) this.notice(`${listNames(went)} left.`);
    }, GATHER_MS);
  }

  #say(remarks: readonly Remark[]): void {
    for (const { text, tone } of remarks) this.notice(text, tone);
  }

  #nameOf(participantId: string): string {
    if (participantId === this.client.self.id) return 'You';
    return this.#labels.get(participantId) ?? 'Somebody';
  }

  /** Others, those who have spoken last in the chat first. */
  #othersByTalk(): string[] {
    const { entries } = this.timeline;
    const order = new Map<string, number>();
    entries.forEach((entry, index) => {
      if (entry.kind === 'message') order.set(entry.message.senderId, index);
    });
    return this.people
      .filter(({ self }) => !self)
      .sort((a, b) => (order.get(b.id) ?? -1) - (order.get(a.id) ?? -1))
      .map(({ label }) => label);
  }

  #fileNames(): string[] {
    const names = this.timeline.entries.flatMap((entry) =>
      entry.kind === 'message' && entry.message.file ? [harmless(entry.message.file.name)] : [],
    );
    return [...new Set(names.reverse())];
  }

  #setProgress(text: string | undefined): void {
    if (text === this.#progress) return;
    this.#progress = text;
    this.emit('change');
  }

  #takeFigures(): void {
    this.#line = participantLine('', this.client);
    this.#quality.update(this.client.stats(), this.client.self.id);
    this.emit('change');
  }
}
