/** Tells everyone in a meeting what changed, in as few messages as possible. */
import type { MeetingInfo, ParticipantInfo } from '../../protocol/model.ts';
import type { LiveRecording } from '../../protocol/recording.ts';
import type { AudioSlot, StateUpdate } from '../../protocol/signaling.ts';

/** Up to this many participants changes go out at the end of the tick they happen in. */
const PROMPT_PARTICIPANTS = 50;
/** Beyond it, at most this often: a thousand people joining make ten messages a second for each, not a thousand. */
const FLUSH_INTERVAL_MS = 100;

/** Who sees a participant: those who wait are for hosts only, everyone else is for all who have been let in. */
export type Audience = 'everyone' | 'hosts';

/** What a state-update is made of. */
export interface StateSource {
  meeting(): MeetingInfo;
  recording(): LiveRecording | null;
  participant(id: string): ParticipantInfo | undefined;
  speakers(): readonly string[];
  /** All audio slots; none in a small meeting. */
  audioSlots(): readonly AudioSlot[];
  /** Number of the last chat message that was given out. */
  lastMessage(): number;
  /** Sends a serialised message to those of the audience who are connected. */
  send(audience: Audience, text: string): void;
  count(): number;
}

/** Who is new or changed and who has gone since the last message. */
class Changes {
  readonly #changed = new Set<string>();
  readonly #left = new Map<string, string>();

  get pending(): boolean {
    return this.#changed.size > 0 || this.#left.size > 0;
  }

  change(id: string): void {
    this.#left.delete(id);
    this.#changed.add(id);
  }

  leave(id: string, reason: string): void {
    this.#changed.delete(id);
    this.#left.set(id, reason);
  }

  forget(id: string): void {
    this.#changed.delete(id);
    this.#left.delete(id);
  }

  /** All of it as a part of a message; nothing of it waits any more. */
  take(source: StateSource): Pick<StateUpdate, 'participants' | 'left'> {
    const participants = [...this.#changed].flatMap((id) => source.participant(id) ?? []);
    const left = [...this.#left].map(([id, reason]) => ({ id, reason }));
    this.#changed.clear();
    this.#left.clear();
    return { ...(participants.length > 0 ? { participants } : {}), ...(left.length > 0 ? { left } : {}) };
  }
}

export class StateBroadcast {
  readonly #source: StateSource;
  readonly #changes: Readonly<Record<Audience, Changes>> = { everyone: new Changes(), hosts: new Changes() };
  #meetingChanged = false;
  #recordingChanged = false;
  #speakersChanged = false;
  readonly #slots = new Map<number, AudioSlot>();
  #resetReason: string | undefined;
  #version = 0;
  #flushedAt = -Infinity;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(source: StateSource) {
    this.#source = source;
  }

  /** The participant is new to the audience, or changed. */
  participantChanged(id: string, audience: Audience = 'everyone'): void {
    // Hosts hear what is for everyone: that somebody no longer waits is no second message.
    if (audience === 'everyone') this.#changes.hosts.forget(id);
    this.#changes[audience].change(id);
    this.#schedule();
  }

  participantLeft(id: string, reason: string, audience: Audience = 'everyone'): void {
    this.#changes[audience].leave(id, reason);
    this.#schedule();
  }

  meetingChanged(): void {
    this.#meetingChanged = true;
    this.#schedule();
  }

  recordingChanged(): void {
    this.#recordingChanged = true;
    this.#schedule();
  }

  speakersChanged(): void {
    this.#speakersChanged = true;
    this.#schedule();
  }

  /** These audio slots have another occupant. */
  audioSlotsChanged(slots: readonly AudioSlot[]): void {
    for (const slot of slots) this.#slots.set(slot.slot, slot);
    this.#schedule();
  }

  /** Everyone's media connections are gone. */
  mediaReset(reason: string): void {
    this.#resetReason = reason;
    // The slots are gone with them.
    this.#slots.clear();
    this.#schedule();
  }

  /**
   * The first message of a connection. What is not sent to the others yet is in it already and comes again in
   * the next update, which does no harm: changes are whole participants.
   */
  full(
    self: { participantId: string; resumed: boolean },
    participants: ParticipantInfo[],
    waiting = false,
  ): string {
    const visible = new Set(participants.map(({ id }) => id));
    return update({
      version: this.#version,
      full: true,
      self,
      ...(waiting ? {} : { chat: { last: this.#source.lastMessage() } }),
      meeting: this.#source.meeting(),
      recording: this.#source.recording(),
      participants,
      speakers: this.#source.speakers().filter((id) => visible.has(id)),
      audioSlots: this.#source
        .audioSlots()
        .filter(({ participantId }) => participantId === null || visible.has(participantId)),
    });
  }

  /** A message for one receiver only, which does not count as a change of the meeting. */
  personal(payload: Omit<StateUpdate, 'version' | 'full'>): string {
    return update({ version: this.#version, ...payload });
  }

  /** Sends what is waiting now. */
  flush(): void {
    this.#cancel();
    if (this.#closed) return;
    const { hosts } = this.#changes;
    if (this.#pending) this.#flushEveryone();
    // As a personal message it does not count: the others would see a gap.
    if (hosts.pending) {
      this.#source.send('hosts', update({ version: this.#version, ...hosts.take(this.#source) }));
    }
    this.#flushedAt = performance.now();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Something waits that is for everyone. */
  get #pending(): boolean {
    return (
      this.#changes.everyone.pending ||
      this.#meetingChanged ||
      this.#recordingChanged ||
      this.#speakersChanged ||
      this.#slots.size > 0 ||
      this.#resetReason !== undefined
    );
  }

  #flushEveryone(): void {
    this.#version += 1;
    const text = update({
      version: this.#version,
      ...(this.#meetingChanged ? { meeting: this.#source.meeting() } : {}),
      ...(this.#recordingChanged ? { recording: this.#source.recording() } : {}),
      ...this.#changes.everyone.take(this.#source),
      ...(this.#speakersChanged ? { speakers: [...this.#source.speakers()] } : {}),
      ...(this.#slots.size > 0 ? { audioSlots: [...this.#slots.values()] } : {}),
      ...(this.#resetReason === undefined ? {} : { mediaReset: { reason: this.#resetReason } }),
    });
    this.#meetingChanged = false;
    this.#recordingChanged = false;
    this.#speakersChanged = false;
    this.#slots.clear();
    this.#resetReason = undefined;
    this.#source.send('everyone', text);
  }

  #schedule(): void {
    if (this.#closed || this.#immediate !== undefined || this.#timer !== undefined) return;
    const wait = this.#flushedAt + FLUSH_INTERVAL_MS - performance.now();
    if (this.#source.count() <= PROMPT_PARTICIPANTS || wait <= 0) {
      this.#immediate = setImmediate(() => this.flush());
    } else {
      this.#timer = setTimeout(() => this.flush(), wait);
    }
  }

  #cancel(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
  }
}

function update(payload: StateUpdate): string {
  return JSON.stringify({ type: 'state-update', payload });
}
