/** A room's audio: who speaks, and in a large meeting the audio slots in the place of everybody's audio. */
import { EventEmitter } from 'node:events';
import type { Router } from 'mediasoup/types';
import type { AudioSlot } from '../../../protocol/signaling.ts';
import type { SlotOccupant, Track } from '../route.ts';
import type { SfuLogger } from '../types.ts';
import { AudioSlots, type SlotTrack } from './audio-slots.ts';
import { LevelMeter } from './level-meter.ts';
import { PAUSE_MS, SpeakerDetector } from './speaker-detector.ts';

/** A meeting with more participants who have audio gets slots. */
export const DIRECT_PARTICIPANTS = 10;
/**
 * It loses them again at this number: each way costs everybody an offer, so one who comes and goes must not cause it.
 * Above it the slots are made ready, so that the offer which brings them is the only one.
 */
export const RETURN_PARTICIPANTS = 8;

export interface RoomAudioEvents {
  /** Peer ids, the active speaker first, at most four. */
  speakers: [peerIds: readonly string[]];
  /** The slots that have another occupant. */
  slots: [slots: readonly AudioSlot[]];
  /** As {@link AudioSlots}' event. */
  occupant: [track: SlotTrack, before: SlotOccupant | undefined];
  /** Receivers are to get slots from now on, or the tracks themselves again. */
  mode: [];
}

export class RoomAudio extends EventEmitter<RoomAudioEvents> {
  readonly #logger: SfuLogger;
  readonly #detector = new SpeakerDetector();
  /** All audio of the room, by track id. */
  readonly #tracks = new Map<string, Track>();
  #router: Router | undefined;
  #meter: LevelMeter | undefined;
  #slots: AudioSlots | undefined;
  #preparing = false;
  #slotted = false;
  /** Runs while somebody is in the list, since silence is not reported. */
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: SfuLogger) {
    super();
    this.#logger = logger;
  }

  get speakers(): readonly string[] {
    return this.#detector.speakers;
  }

  get slotInfo(): readonly AudioSlot[] {
    return this.#slotted ? (this.#slots?.info ?? []) : [];
  }

  /** What receivers get in the place of the audio tracks; `undefined` where they get those. */
  get slotTracks(): readonly SlotTrack[] | undefined {
    return this.#slotted ? this.#slots?.tracks : undefined;
  }

  /** The room is on a router now. */
  place(router: Router): void {
    this.#router = router;
  }

  /** The room's router is gone, and all tracks with it. */
  displace(): void {
    this.#router = undefined;
    this.#meter?.close();
    this.#meter = undefined;
    this.#slots?.close();
    this.#slots = undefined;
    this.#slotted = false;
    for (const id of [...this.#tracks.keys()]) this.#forget(id);
    this.#keepTime();
  }

  /**
   * The room's tracks changed.
   *
   * @returns whether `mode` changed with it; the event is then not emitted, as tracks are about to be offered anyway.
   */
  update(tracks: readonly Track[]): boolean {
    if (this.#router === undefined) return false;
    const audio = tracks.filter(({ kind, producer }) => kind === 'audio' && !producer.closed);
    const present = new Set(audio.map(({ id }) => id));
    for (const id of [...this.#tracks.keys()]) if (!present.has(id)) this.#forget(id);
    for (const track of audio) if (!this.#tracks.has(track.id)) this.#watch(track, this.#router);
    const changed = this.#chooseMode();
    if (this.#slotted) this.#slots?.listen(audio);
    return changed;
  }

  #watch(track: Track, router: Router): void {
    this.#tracks.set(track.id, track);
    track.producer.observer.on('pause', () => this.#silenced(track));
    track.producer.observer.once('close', () => this.#forget(track.id));
    if (this.#meter === undefined) {
      this.#meter = new LevelMeter(router);
      this.#meter.on('levels', (levels) => this.#hear(levels));
    }
    this.#meter.add(track.producer);
  }

  #forget(id: string): void {
    const track = this.#tracks.get(id);
    if (track === undefined) return;
    this.#tracks.delete(id);
    this.#slots?.remove(id);
    this.#silenced(track);
  }

  /** Muted or gone: it counts no longer. */
  #silenced({ id, peerId }: Track): void {
    this.#slots?.silence(id);
    const others = [...this.#tracks.values()].filter((track) => track.peerId === peerId && track.id !== id);
    if (others.some((track) => speaks(track) && !track.producer.paused)) return;
    if (this.#detector.remove(peerId)) this.emit('speakers', this.speakers);
  }

  #hear(levels: ReadonlyMap<string, number>): void {
    const byPeer = new Map<string, number>();
    for (const [id, level] of levels) {
      const track = this.#tracks.get(id);
      if (track === undefined || !speaks(track)) continue;
      byPeer.set(track.peerId, Math.max(level, byPeer.get(track.peerId) ?? -Infinity));
    }
    this.#slots?.heard(levels.keys());
    this.#report(byPeer);
  }

  #report(levels: ReadonlyMap<string, number>): void {
    if (this.#detector.report(levels, performance.now())) this.emit('speakers', this.speakers);
    this.#keepTime();
  }

  #keepTime(): void {
    if (this.#detector.idle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setInterval(() => this.#report(new Map()), PAUSE_MS);
    }
  }

  #chooseMode(): boolean {
    const participants = new Set([...this.#tracks.values()].map(({ peerId }) => peerId)).size;
    if (participants > RETURN_PARTICIPANTS) this.#prepare();
    const slotted =
      this.#slots !== undefined && participants > (this.#slotted ? RETURN_PARTICIPANTS : DIRECT_PARTICIPANTS);
    if (slotted === this.#slotted) return false;
    this.#slotted = slotted;
    this.#logger.debug({ participants, slots: slotted }, 'Audio changes its way');
    if (!slotted) this.#slots?.listen([]);
    return true;
  }

  #prepare(): void {
    const router = this.#router;
    if (this.#slots !== undefined || this.#preparing || router === undefined) return;
    this.#preparing = true;
    AudioSlots.create(router)
      .then((slots) => this.#take(slots, router))
      .catch((error: unknown) => {
        if (!router.closed) this.#logger.error({ err: error }, 'No audio slots could be made');
      })
      .finally(() => {
        this.#preparing = false;
      });
  }

  #take(slots: AudioSlots, router: Router): void {
    if (router !== this.#router) {
      slots.close();
      return;
    }
    this.#slots = slots;
    slots.on('occupant', (track, before) => this.emit('occupant', track, before));
    slots.on('changed', (changed) => this.emit('slots', changed));
    // Participants may have come while they were made.
    if (!this.#chooseMode()) return;
    slots.listen([...this.#tracks.values()]);
    this.emit('mode');
  }
}

/** The sound of a screen makes nobody a speaker. */
function speaks({ source }: Track): boolean {
  return source === 'microphone';
}
