import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  commandTranscriber,
  splitCommand,
} from '../../../../../src/recorder/after/transcript/providers/command.ts';
import { openTranscriber } from '../../../../../src/recorder/after/transcript/providers/open.ts';
import type { SpeechFile } from '../../../../../src/recorder/after/transcript/types.ts';
import { runFfmpeg } from '../../../../support/barcode-ffmpeg.ts';

let folder: string;
let speech: SpeechFile;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet command-'));
  speech = { path: join(folder, 'a.wav'), durationMs: 2000 };
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=d=2', '-ar', '16000', '-ac', '1', speech.path]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function script(text: string): Promise<string> {
  const path = join(folder, 'transcribe it.sh');
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return `"${path}"`;
}

test.each([
  [
    'JSON of whisper-cli',
    'echo \'{"transcription": [{"offsets": {"from": 500, "to": 1000}, "text": " Hi"}]}\' > "$1.json"',
  ],
  ['WebVTT', 'printf "WEBVTT\\n\\n00:00.500 --> 00:01.000\\nHi\\n" > "$1.vtt"'],
  ['SRT', 'printf "1\\n00:00:00,500 --> 00:00:01,000\\nHi\\n" > "$1.srt"'],
  ['lines on standard output', 'echo "[00:00:00.500 --> 00:00:01.000]   Hi"'],
])('reads %s', async (_, text) => {
  const transcriber = commandTranscriber({ command: `${await script(text)} {output} {input}` });
  const [segment, ...more] = await transcriber.transcribe(speech);
  expect({ ...segment, text: segment?.text.trim() }).toEqual({ startMs: 500, endMs: 1_000, text: 'Hi' });
  expect(more).toEqual([]);
});

test('gives the file as one argument, whatever its name', async () => {
  const program = await script('test -s "$1" && test "$2" = "a  b" && echo WEBVTT');
  expect(await commandTranscriber({ command: `${program} {input} 'a  b'` }).transcribe(speech)).toEqual([]);
});

test('a program that fails is tried again, one that is not there or writes prose is not', async () => {
  const fails = commandTranscriber({ command: `${await script('echo "no model." >&2; exit 3')} {input}` });
  await expect(fails.transcribe(speech)).rejects.toMatchObject({
    code: 'transcription-failed',
    message: expect.stringMatching(/ended with status 3: no model\.$/) as string,
  });
  const prose = commandTranscriber({ command: `${await script('echo Hello there')} {input}` });
  await expect(prose.transcribe(speech)).rejects.toMatchObject({ code: 'transcription-refused' });
  const missing = commandTranscriber({ command: `${folder}/nothing {input}` });
  await expect(missing.transcribe(speech)).rejects.toMatchObject({ code: 'transcription-refused' });
});

test('words are split as a shell would', () => {
  expect(splitCommand(`whisper -m "my model.bin" 'a "b"' --x="1 2" ""`)).toEqual([
    ...['whisper', '-m', 'my model.bin', 'a "b"', '--x=1 2', ''],
  ]);
});

test.each([
  [{ kind: 'command', command: 'whisper' }, 'has to name {input}'],
  [{ kind: 'command' }, 'no command'],
  [{ kind: 'openai' }, 'asks for a key'],
  [{ kind: 'openai', url: 'localhost:80' }, 'not an http'],
  [{ kind: 'google' }, 'asks for a key'],
  [{ kind: 'aws' }, 'bucket'],
  [{ kind: 'aws', bucket: '/tmp' }, 'no s3:// URL'],
  [{ kind: 'openai', key: 'k', language: 'english!' }, 'not a language tag'],
] as const)('a configuration that cannot work is refused: %j', async (config, words) => {
  await expect(openTranscriber(config)).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining(words) as string,
  });
});
