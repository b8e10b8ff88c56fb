/** The scenes of a recorded meeting, from its events. */
import type { Scene, ScenePerson } from '../layout/types.ts';
import { pinnedId } from '../live/scene-queue.ts';
import type { LayoutName, RecordingEvent } from '../types.ts';

/** What is shown in another way than it was recorded. */
export interface SceneChoice {
  readonly layout: LayoutName;
  readonly pin?: string | undefined;
  /** Follows the changes of layout that were made while recording. */
  readonly followsEvents: boolean;
}

interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly muted: readonly string[];
}

type Track = Extract<RecordingEvent, { type: 'track' }>;

/** Each scene with the wall time from which it is shown, in order. */
export function scenesOf(
  events: readonly RecordingEvent[],
  choice: SceneChoice,
): { readonly at: number; readonly scene: Scene }[] {
  const meeting = new Meeting(choice);
  const scenes: { at: number; scene: Scene }[] = [];
  let latest = '';
  for (const event of events) {
    meeting.take(event);
    const scene = meeting.scene();
    const text = JSON.stringify(scene);
    if (text === latest) continue;
    latest = text;
    scenes.push({ at: event.at, scene });
  }
  return scenes;
}

class Meeting {
  readonly #people = new Map<string, Person>();
  readonly #tracks = new Map<string, Track>();
  readonly #follows: boolean;
  #layout: LayoutName;
  #pin: string | undefined;
  /** Ids of those who spoke, the last one first. */
  #spoke: readonly string[] = [];

  constructor({ layout, pin, followsEvents }: SceneChoice) {
    this.#layout = layout;
    this.#pin = pin;
    this.#follows = followsEvents;
  }

  take(event: RecordingEvent): void {
    switch (event.type) {
      case 'participant':
        this.#takePerson(event);
        break;
      case 'track':
        // One that goes on after a restart takes its own place.
        this.#tracks.delete(event.trackId);
        this.#tracks.set(event.trackId, event);
        break;
      case 'track-end':
        this.#tracks.delete(event.trackId);
        break;
      case 'speakers':
        this.#spoke = [
          ...event.participantIds,
          ...this.#spoke.filter((id) => !event.participantIds.includes(id)),
        ].filter((id) => this.#people.has(id));
        break;
      case 'layout':
        if (!this.#follows) break;
        this.#layout = event.layout;
        this.#pin = event.pin;
        break;
    }
  }

  scene(): Scene {
    const people = [...this.#people.values()];
    const pinned = pinnedId(people, this.#pin);
    return {
      layout: this.#layout,
      people: people.map((person) => this.#shown(person)),
      speakers: this.#spoke,
      ...(pinned === undefined ? {} : { pinned }),
    };
  }

  #takePerson({ id, name, role, muted, state }: Extract<RecordingEvent, { type: 'participant' }>): void {
    if (state === 'joined' || state === 'reconnecting') {
      this.#people.set(id, { id, name, role, muted });
      return;
    }
    this.#people.delete(id);
    this.#spoke = this.#spoke.filter((other) => other !== id);
  }

  #shown({ id, name, role, muted }: Person): ScenePerson {
    const track = (source: string) =>
      muted.includes(source)
        ? undefined
        : [...this.#tracks.values()].findLast((one) => one.participantId === id && one.source === source)
            ?.trackId;
    const [video, screen] = [track('camera'), track('screen')];
    return {
      ...{ id, name, role, muted: track('microphone') === undefined, speaking: false },
      ...(video === undefined ? {} : { video }),
      ...(screen === undefined ? {} : { screen }),
    };
  }
}
