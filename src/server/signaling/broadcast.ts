/** Tells everyone in a meeting what changed, in as few messages as possible. */
import type { MeetingInfo, ParticipantInfo } from '../../protocol/model.ts';
import type { AudioSlot, StateUpdate } from '../../protocol/signaling.ts';

/** Up to this many participants changes go out at the end of the tick they happen in. */
const PROMPT_PARTICIPANTS = 50;
/** Beyond it, at most this often: a thousand people joining make ten messages a second for each, not a thousand. */
const FLUSH_INTERVAL_MS = 100;

/** What a state-update is made of. */
export interface StateSource {
  meeting(): MeetingInfo;
  participants(): ParticipantInfo[];
  participant(id: string): ParticipantInfo | undefined;
  speakers(): readonly string[];
  /** All audio slots; none in a small meeting. */
  audioSlots(): readonly AudioSlot[];
  /** Sends a serialised message to everyone connected. */
  sendToAll(text: string): void;
  count(): number;
}

export class StateBroadcast {
  readonly #source: StateSource;
  readonly #changed = new Set<string>();
  readonly #left = new Map<string, string>();
  #meetingChanged = false;
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

  /** The participant is new or changed. */
  participantChanged(id: string): void {
    this.#left.delete(id);
    this.#changed.add(id);
    this.#schedule();
  }

  participantLeft(id: string, reason: string): void {
    this.#changed.delete(id);
    this.#left.set(id, reason);
    this.#schedule();
  }

  meetingChanged(): void {
    this.#meetingChanged = true;
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
    this.#schedule();
  }

  /**
   * The first message of a connection. What is not sent to the others yet is in it already and comes again in
   * the next update, which does no harm: changes are whole participants.
   */
  full(self: { participantId: string; resumed: boolean }): string {
    return update({
      version: this.#version,
      full: true,
      self,
      meeting: this.#source.meeting(),
      participants: this.#source.participants(),
      speakers: [...this.#source.speakers()],
      audioSlots: [...this.#source.audioSlots()],
    });
  }

  /** A message for one receiver only, which does not count as a change of the meeting. */
  personal(payload: Omit<StateUpdate, 'version' | 'full'>): string {
    return update({ version: this.#version, ...payload });
  }

  /** Sends what is waiting now. */
  flush(): void {
    this.#cancel();
    if (this.#closed || !this.#pending()) return;
    this.#flushedAt = performance.now();
    this.#version += 1;
    const participants = [...this.#changed].flatMap((id) => this.#source.participant(id) ?? []);
    const left = [...this.#left].map(([id, reason]) => ({ id, reason }));
    const text = update({
      version: this.#version,
      ...(this.#meetingChanged ? { meeting: this.#source.meeting() } : {}),
      ...(participants.length > 0 ? { participants } : {}),
      ...(left.length > 0 ? { left } : {}),
      ...(this.#speakersChanged ? { speakers: [...this.#source.speakers()] } : {}),
      ...(this.#slots.size > 0 ? { audioSlots: [...this.#slots.values()] } : {}),
      ...(this.#resetReason === undefined ? {} : { mediaReset: { reason: this.#resetReason } }),
    });
    this.#changed.clear();
    this.#left.clear();
    this.#meetingChanged = false;
    this.#speakersChanged = false;
    this.#slots.clear();
    this.#resetReason = undefined;
    this.#source.sendToAll(text);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #pending(): boolean {
    return (
      this.#changed.size > 0 ||
      this.#left.size > 0 ||
      this.#meetingChanged ||
      this.#speakersChanged ||
      this.#slots.size > 0 ||
      this.#resetReason !== undefined
    );
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
