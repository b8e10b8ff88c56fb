/** Who is there and what they show, as the picture needs it, with the times at which it changed. */
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { Scene, ScenePerson } from '../layout/types.ts';
import { isMuted, liveTrack, peopleOf } from '../session/people.ts';
import type { RecorderSession } from '../session/session.ts';
import { pinnedId, SceneQueue } from './scene-queue.ts';
import type { Speech } from './speech.ts';

/**
 * Keeps scenes until their time has come: the picture is drawn some time after what it shows has happened. Who speaks at
 * a time is known from the levels of the sound of that time.
 */
export class SceneKeeper {
  readonly #session: RecorderSession;
  readonly #scenes: SceneQueue;
  readonly #onChange: (scene: Scene) => void;
  /** Ids of those who spoke, the last one first. */
  #spoke: readonly string[] = [];
  #latest: string | undefined;

  /** @param onChange hears of each new scene at once, before it is to be shown */
  constructor(session: RecorderSession, speech: Speech, onChange: (scene: Scene) => void) {
    this.#session = session;
    this.#scenes = new SceneQueue(speech);
    this.#onChange = onChange;
    session.client.on('participant', () => this.#note());
    session.client.on('speakers', (ids) => {
      this.#spoke = [...ids, ...this.#spoke.filter((id) => !ids.includes(id))];
      this.#note();
    });
    session.on('layout', () => this.#note());
    this.#note();
  }

  /** The scene of a time, which never goes back; `undefined` where it is the one of the last call. */
  at(wallMs: number): Scene | undefined {
    return this.#scenes.at(wallMs);
  }

  #note(): void {
    const { client, layout, pin, now } = {
      client: this.#session.client,
      layout: this.#session.layout,
      pin: this.#session.pin,
      now: this.#session.now(),
    };
    const people = peopleOf(client);
    const here = new Set(people.map(({ id }) => id));
    this.#spoke = this.#spoke.filter((id) => here.has(id));
    const pinned = pinnedId(people, pin);
    const scene: Scene = {
      layout,
      people: people.map(personOf),
      speakers: this.#spoke,
      ...(pinned === undefined ? {} : { pinned }),
    };
    const text = JSON.stringify(scene);
    if (text === this.#latest) return;
    this.#latest = text;
    this.#scenes.push(now, scene);
    this.#onChange(scene);
  }
}

function personOf(participant: ParticipantInfo): ScenePerson {
  const video = liveTrack(participant, 'camera');
  const screen = liveTrack(participant, 'screen');
  return {
    id: participant.id,
    name: participant.name,
    role: participant.role,
    muted: isMuted(participant),
    speaking: false,
    ...(video === undefined ? {} : { video }),
    ...(screen === undefined ? {} : { screen }),
  };
}
