/** A recorded meeting of 45 s, and a provider of transcripts that says how long the pieces are. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Ffmpeg, findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import {
  type ProcessOptions,
  type ProcessReport,
  processRecording,
} from '../../../src/recorder/after/process.ts';
import { openTranscriber } from '../../../src/recorder/after/transcript/providers/open.ts';
import type { Transcriber } from '../../../src/recorder/after/transcript/types.ts';
import { testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { joins, speaks, talks } from './events.ts';
import { copyRecording, type FixtureOptions, makeTones, removeTemplates } from './recording-fixture.ts';
import {
  type Answer,
  formOf,
  type ProviderServer,
  soundOf,
  startProvider,
} from './transcript/providers/provider-server.ts';

/** The picture's colour for each ten seconds. */
export const COLOURS = ['red', 'lime', 'blue', 'yellow', 'magenta'];
/** What the meeting's chapters are. */
export const CHAPTERS = [
  { startMs: 0, endMs: 31_000, title: 'Ada speaking' },
  { startMs: 31_000, endMs: 45_000, title: 'Ben & Co speaking' },
];
/** Of a run in which all could be done. */
export const ALL_DONE = {
  chapters: 'done',
  finish: 'done',
  thumbnails: 'done',
  transcript: 'done',
  captions: 'done',
};

/** What a test file works with; its provider and copies are gone with the file. */
export class Meeting {
  /** What the provider says to its nth request since the last `record`; by default how long the piece is. */
  answer: (number: number) => Answer | undefined = () => undefined;
  #ffmpeg: Ffmpeg | undefined;
  #provider: ProviderServer | undefined;
  readonly #folders: string[] = [];

  constructor() {
    beforeAll(async () => {
      this.#ffmpeg = await findFfmpeg({ path: testFfmpeg() });
      this.#provider = await startProvider(async (request, number) => {
        const { seconds } = await soundOf((await formOf(request)).get('file') as File);
        const text = `heard ${seconds.toFixed(1)} seconds`;
        return this.answer(number) ?? { body: { segments: [{ start: 0.2, end: seconds - 0.2, text }] } };
      });
    });
    afterAll(async () => {
      await this.#provider?.close();
      for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
      await removeTemplates();
    });
  }

  get provider(): ProviderServer {
    return this.#provider!;
  }

  /** Ada makes a sound at 2 and 22 s, Ben at 31 s, for a second each. Gives the recording's folder. */
  async record(options: Partial<FixtureOptions> = {}): Promise<string> {
    this.answer = () => undefined;
    this.provider.requests.length = 0;
    const { directory, path } = await copyRecording(JSON.stringify(options), {
      ...{ seconds: 45, colours: COLOURS },
      events: [
        ...[joins('a', 'Ada', 0), joins('b', 'Ben & Co', 0), ...talks(2, 'a', 'a.mka'), speaks(2, 'a')],
        ...[...talks(31, 'b', 'b.mka'), speaks(31, 'b')],
      ],
      tracks: async (folder) => {
        await makeTones(join(folder, 'a.mka'), [0, 20]);
        await makeTones(join(folder, 'b.mka'), [0]);
      },
      ...options,
    });
    this.#folders.push(directory);
    return path;
  }

  openAi(): Promise<Transcriber> {
    return openTranscriber({ kind: 'openai', url: this.provider.url });
  }

  /** Processes it, with waits of a test's length between attempts. */
  run(path: string, options: Partial<ProcessOptions> = {}): Promise<ProcessReport> {
    const retry = { attempts: 3, baseMs: 1 };
    return processRecording(path, { ffmpeg: this.#ffmpeg!, retry, minimumChapterMs: 10_000, ...options });
  }
}

export const statesOf = (
  steps: Readonly<Record<string, { readonly state: string }>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(steps).map(([name, { state }]) => [name, state]));

/** What is in the folder besides what the recorder keeps there: results, and nothing that was left behind. */
export async function resultsIn(path: string): Promise<string[]> {
  return (await readdir(path))
    .filter((name) => !/^(events\.jsonl|recording\.json|tracks)$/.test(name))
    .sort();
}
