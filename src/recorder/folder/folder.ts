/** The folder of a recording: made, opened, and its state kept. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Value } from 'typebox/value';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import { type FileLock, lockFolder } from './lock.ts';
import { mayBecome, type Pause, Recording, type RecordingState, type StepState } from './recording.ts';
import { replaceFile } from './replace-file.ts';

/** Where things are in a recording's folder. */
export const FILES = {
  recording: 'recording.json',
  events: 'events.jsonl',
  tracks: 'tracks',
  /** Fragmented, while it is recorded; `live.webm` and `live.m4a` for the other formats. */
  live: 'live',
  output: 'recording',
  upload: 'upload.json',
} as const;

/** What a new recording is made of. */
export type NewRecording = Pick<Recording, 'id' | 'server' | 'meetingId' | 'title' | 'createdAt' | 'options'>;

/**
 * Reads a recording's state without taking its lock.
 *
 * @throws MeetError `not-found` where there is no recording, `bad-config` where its file is not usable
 */
export async function readRecording(folder: string): Promise<Recording> {
  const path = join(folder, FILES.recording);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new MeetError('not-found', `There is no recording in ${folder}.`, { cause });
    throw new MeetError('no-permission', `${path} cannot be read.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MeetError('bad-config', `${path} is not JSON.`, { cause });
  }
  if (Value.Check(Recording, value)) return value;
  const [fault] = Value.Errors(Recording, value);
  throw new MeetError(
    'bad-config',
    `${path} is not a recording's file: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}.`,
  );
}

/** A recording whose lock this process has. Every change is on the disk when its promise resolves. */
export class RecordingFolder {
  readonly path: string;
  readonly #lock: FileLock;
  #recording: Recording;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, lock: FileLock, recording: Recording) {
    this.path = path;
    this.#lock = lock;
    this.#recording = recording;
  }

  /**
   * Makes `<directory>/<id>/`, in the state `waiting`.
   *
   * @throws MeetError `already-exists` when there is a recording of that id, `disk-full`, `no-permission`, `bad-config`
   */
  static async create(directory: string, recording: NewRecording): Promise<RecordingFolder> {
    const path = join(directory, recording.id);
    try {
      await mkdir(join(path, FILES.tracks), { recursive: true });
    } catch (error) {
      throw saveError(path, error);
    }
    const lock = await lockFolder(path);
    try {
      const known = await readRecording(path).catch((error: unknown) => {
        if (error instanceof MeetError && error.code === 'not-found') return undefined;
        throw error;
      });
      if (known !== undefined)
        throw new MeetError('already-exists', `There is already a recording ${recording.id}.`);
      const made: Recording = { version: 1, state: 'waiting', pauses: [], steps: {}, ...recording };
      const folder = new RecordingFolder(path, lock, made);
      await folder.#save();
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Opens one that is there, whatever its state.
   *
   * @throws MeetError `recording-busy` while another process works on it, and as `readRecording`
   */
  static async open(path: string): Promise<RecordingFolder> {
    // A folder without a recording gets no lock either.
    await readRecording(path);
    const lock = await lockFolder(path);
    try {
      return new RecordingFolder(path, lock, await readRecording(path));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get id(): string {
    return basename(this.path);
  }

  get recording(): Recording {
    return this.#recording;
  }

  /** Path of a file or folder in it. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /**
   * Changes the state, and with it whatever else is given.
   *
   * @throws MeetError `wrong-state` for a change that makes no sense, `disk-full`; the new state counts even then, it is
   *   only not on the disk yet
   */
  async become(state: RecordingState, changes: Partial<Recording> = {}): Promise<void> {
    const { state: from, id } = this.#recording;
    if (from !== state && !mayBecome(from, state))
      throw new MeetError('wrong-state', `The recording ${id} is ${from} and cannot become ${state}.`);
    await this.update({ ...changes, state });
  }

  /** Changes fields and writes the file. @throws MeetError `disk-full`, `no-permission` */
  async update(changes: Partial<Omit<Recording, 'version' | 'id'>>): Promise<void> {
    this.#recording = { ...this.#recording, ...changes };
    await this.#save();
  }

  /** Notes how a step stands. @throws MeetError as `update` */
  async setStep(name: string, step: StepState): Promise<void> {
    await this.update({ steps: { ...this.#recording.steps, [name]: step } });
  }

  /** Begins a time that is not in the output; nothing happens while one lasts. @throws MeetError as `update` */
  async beginPause(from: number, reason: Pause['reason'] = 'paused'): Promise<void> {
    if (this.#recording.pauses.some(({ to }) => to === undefined)) return;
    await this.update({ pauses: [...this.#recording.pauses, { from, reason }] });
  }

  /** Ends the pause that lasts. @throws MeetError as `update` */
  async endPause(to: number): Promise<void> {
    const pauses = this.#recording.pauses.map((pause) => (pause.to === undefined ? { ...pause, to } : pause));
    await this.update({ pauses });
  }

  /** Removes the folder and all that is in it: for a recording of which nothing ever came. */
  async remove(): Promise<void> {
    await this.#saving.catch(() => undefined);
    await this.#lock.release();
    await rm(this.path, { recursive: true, force: true });
  }

  /** Gives the lock back; may be called twice. */
  async close(): Promise<void> {
    await this.#saving.catch(() => undefined);
    await this.#lock.release();
  }

  /** Writes of one process come one after the other, each with what is true by then. */
  #save(): Promise<void> {
    const saving = this.#saving
      .catch(() => undefined)
      .then(() => replaceFile(this.file(FILES.recording), `${JSON.stringify(this.#recording, null, 2)}\n`));
    this.#saving = saving;
    // Whoever awaits the change learns of its failure; the chain itself has nobody.
    saving.catch(() => undefined);
    return saving;
  }
}
