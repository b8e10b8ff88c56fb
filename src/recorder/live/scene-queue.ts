/** Scenes that wait for the time at which they are shown. */
import type { Scene } from '../layout/types.ts';
import type { Speech } from './speech.ts';

/** Scenes by the time from which they are shown, with who speaks at each time. */
export class SceneQueue {
  readonly #speech: Speech;
  readonly #changes: { readonly at: number; readonly scene: Scene }[] = [];
  #shown: Scene | undefined;

  constructor(speech: Speech) {
    this.#speech = speech;
  }

  /** Takes the scene of a wall time and after; times never go back. */
  push(at: number, scene: Scene): void {
    this.#changes.push({ at, scene });
  }

  /** The scene of a time, which never goes back; `undefined` where it is the one of the last call, or there is none. */
  at(wallMs: number): Scene | undefined {
    while (this.#changes.length > 1 && this.#changes[1]!.at <= wallMs) this.#changes.shift();
    const base = this.#changes[0]?.scene;
    if (base === undefined) return undefined;
    const people = base.people.map((person) => ({
      ...person,
      speaking: !person.muted && this.#speech.speaksAt(person.id, wallMs),
    }));
    const scene = { ...base, people };
    if (this.#shown !== undefined && JSON.stringify(this.#shown) === JSON.stringify(scene)) return undefined;
    this.#shown = scene;
    return scene;
  }
}

/** The participant of a spotlight: by id, else by name, whatever its case. */
export function pinnedId(
  people: readonly { readonly id: string; readonly name: string }[],
  pin: string | undefined,
): string | undefined {
  if (pin === undefined) return undefined;
  const name = pin.toLowerCase();
  const found = people.find(({ id }) => id === pin) ?? people.find((one) => one.name.toLowerCase() === name);
  return found?.id;
}
