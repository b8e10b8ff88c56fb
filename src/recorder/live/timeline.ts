/** Output time and wall time of a recording while it is made. */
import type { Pause } from '../folder/index.ts';
import { wallTimeMs } from '../folder/index.ts';

/** Gives the wall time of one output picture after the other; pauses are left out. */
export class Timeline {
  readonly #startedAt: number;
  readonly #fps: number;
  readonly #pauses: { from: number; to: number | undefined }[];
  #endsAt = Number.POSITIVE_INFINITY;
  #picture: number;

  /** @param options.picture number of the next picture of the output, from 0 */
  constructor(options: {
    readonly startedAt: number;
    readonly fps: number;
    readonly pauses: readonly Pause[];
    readonly picture: number;
  }) {
    this.#startedAt = options.startedAt;
    this.#fps = options.fps;
    this.#pauses = options.pauses.map(({ from, to }) => ({ from, to }));
    this.#picture = options.picture;
  }

  /** Number of the next picture of the output. */
  get picture(): number {
    return this.#picture;
  }

  /** Wall time of the next picture; `undefined` while there is none to come, for now or for ever. */
  get next(): number | undefined {
    const wall = this.#wallOf(this.#picture);
    return wall === undefined || wall >= this.#endsAt ? undefined : wall;
  }

  /** Whether the last picture was given. */
  get over(): boolean {
    const wall = this.#wallOf(this.#picture);
    return (wall ?? this.#pauses.at(-1)?.from ?? 0) >= this.#endsAt;
  }

  /** Goes to the next picture. */
  advance(): void {
    this.#picture += 1;
  }

  pause(at: number): void {
    if (this.#pauses.at(-1)?.to === undefined && this.#pauses.length > 0) return;
    this.#pauses.push({ from: at, to: undefined });
  }

  resume(at: number): void {
    const last = this.#pauses.at(-1);
    if (last !== undefined && last.to === undefined) last.to = at;
  }

  /** Nothing of later is part of the output. */
  end(at: number): void {
    this.#endsAt = Math.min(this.#endsAt, at);
  }

  #wallOf(picture: number): number | undefined {
    const closed: Pause[] = this.#pauses.flatMap(({ from, to }) =>
      to === undefined ? [] : [{ from, to, reason: 'paused' as const }],
    );
    const wall = wallTimeMs({ startedAt: this.#startedAt, pauses: closed }, (picture * 1000) / this.#fps);
    const open = this.#pauses.find(({ to }) => to === undefined);
    return open !== undefined && wall >= open.from ? undefined : wall;
  }
}
