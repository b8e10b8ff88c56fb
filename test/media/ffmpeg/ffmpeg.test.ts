import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import installer from '@ffmpeg-installer/ffmpeg';
import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  compareVersions,
  findFfmpeg,
  parseEncoders,
  parseVersion,
} from '../../../src/media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../../src/media/ffmpeg/process.ts';
import { lastMeaningfulLine } from '../../../src/media/ffmpeg/stderr.ts';
import { temporaryFolder } from '../file/made.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('finding ffmpeg', () => {
  test.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright', '59. 37.100', '5.1.9-0+deb12u1', [59, 37, 100]],
    [
      'ffmpeg version N-47683-g0e8eb07980-static https://johnvansickle.com/ffmpeg/',
      '58. 42.100',
      'N-47683-g0e8eb07980-static',
      [58, 42, 100],
    ],
    ['ffmpeg version n7.1-12-g1234 Copyright', '61. 19.101', 'n7.1-12-g1234', [61, 19, 101]],
    [
      'ffmpeg version 2024-05-20-git-127ded5078-full_build-www.gyan.dev Copyright',
      '61.  5.104',
      '2024-05-20-git-127ded5078-full_build-www.gyan.dev',
      [61, 5, 104],
    ],
  ])('reads the version of %s', (line, library, version, libavcodec) => {
    const output = `${line} (c)\nlibavutil      57. 28.100 / 57. 28.100\nlibavcodec     ${library} / ${library}\n`;
    expect(parseVersion(output)).toEqual({ version, libavcodec });
  });

  test('is not misled by other programs', () => {
    expect(parseVersion('avconv version 12')).toBeUndefined();
    expect(parseVersion('')).toBeUndefined();
  });

  test('reads encoders', () => {
    const output =
      'Encoders:\n V..... = Video\n ------\n V....D libvpx               libvpx VP8 (codec vp8)\n A..... libopus   x\n';
    expect(parseEncoders(output)).toEqual(new Set(['libvpx', 'libopus']));
  });

  test('compares by libavcodec', () => {
    const of = (...libavcodec: [number, number, number]) => ({ libavcodec });
    expect(compareVersions(of(59, 37, 100), of(58, 42, 100))).toBeGreaterThan(0);
    expect(compareVersions(of(59, 9, 100), of(59, 37, 100))).toBeLessThan(0);
    expect(compareVersions(of(59, 37, 100), of(59, 37, 100))).toBe(0);
  });

  test('finds one with the encoders that are needed, not older than the one from npm', async () => {
    const ffmpeg = await findFfmpeg();
    for (const name of ['libvpx', 'libvpx-vp9', 'libx264', 'libopus'])
      expect(ffmpeg.encoders).toContain(name);
    expect(compareVersions(ffmpeg, await findFfmpeg({ path: installer.path }))).toBeGreaterThanOrEqual(0);
  });

  test('names a path that is no ffmpeg', async () => {
    await expect(findFfmpeg({ path: '/bin/true' })).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      message: expect.stringContaining('/bin/true'),
    });
    await expect(findFfmpeg({ path: folder.path('none') })).rejects.toMatchObject({ code: 'ffmpeg-missing' });
  });
});

describe('the reason of a failure', () => {
  test.each([
    [
      '[mov,mp4 @ 0x55d] moov atom not found\nfile:/a/b.mp4: Invalid data found when processing input\n',
      '/a/b.mp4: Invalid data found when processing input',
    ],
    [
      '[libvpx @ 0x1] Failed to initialize encoder: Invalid parameter\nConversion failed!\n',
      'Failed to initialize encoder: Invalid parameter',
    ],
    ['something.\n\nAt least one output file must be specified\n', 'something'],
    ['', undefined],
  ])('%j', (stderr, line) => {
    expect(lastMeaningfulLine(stderr)).toBe(line);
  });
});

describe('the process', () => {
  const endless = ['-re', '-f', 'lavfi', '-i', 'sine', '-f', 's16le', 'pipe:3'];

  test('gives its output and ends well', async () => {
    const { path } = await findFfmpeg();
    const child = new FfmpegProcess({
      path,
      args: ['-f', 'lavfi', '-i', 'sine=d=1:r=8000', '-f', 's16le', 'pipe:3'],
      outputs: 1,
    });
    let bytes = 0;
    child.outputs[0]!.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    expect(exitFailure(await child.exit, 'testing')).toBeUndefined();
    expect(bytes).toBe(16_000);
    expect(child.pid).toBeUndefined();
    await child.close();
  });

  test('ends its child on close, twice', async () => {
    const { path } = await findFfmpeg();
    const child = new FfmpegProcess({ path, args: endless, outputs: 1 });
    const pid = child.pid!;
    await Promise.all([child.close(), child.close()]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('goes with a parent that is killed', async () => {
    const { path } = await findFfmpeg();
    const module = pathToFileURL(join(import.meta.dirname, '../../../src/media/ffmpeg/process.ts')).href;
    const program = `
      const { FfmpegProcess } = await import(${JSON.stringify(module)});
      const child = new FfmpegProcess({ path: ${JSON.stringify(path)}, args: ${JSON.stringify(endless)}, outputs: 1 });
      child.outputs[0].once('data', () => console.log(child.pid)).resume();`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 });
  });

  test('says who ended it', async () => {
    const { path } = await findFfmpeg();
    const child = new FfmpegProcess({ path, args: endless, outputs: 1 });
    child.outputs[0]!.once('data', () => process.kill(child.pid!, 'SIGKILL')).resume();
    expect(exitFailure(await child.exit, 'encoding a.mp4')).toMatchObject({
      code: 'ffmpeg-failed',
      message: 'ffmpeg was ended by SIGKILL while encoding a.mp4.',
    });
  });

  test('says what ffmpeg said last', async () => {
    const { path } = await findFfmpeg();
    writeFileSync(folder.path('text'), 'no media');
    const child = new FfmpegProcess({
      path,
      args: ['-i', folder.path('nothing.mp4'), '-f', 'null', '-'],
      outputs: 0,
    });
    const failure = exitFailure(await child.exit, 'testing');
    expect(failure?.code).toBe('ffmpeg-failed');
    expect(failure?.message).toContain('No such file or directory');
  });

  test('cannot be started', async () => {
    const child = new FfmpegProcess({ path: folder.path('none'), args: [], outputs: 1 });
    expect(exitFailure(await child.exit, 'testing')).toMatchObject({ code: 'ffmpeg-missing' });
    await child.close();
  });
});

/** Whether a process does anything; one without a parent may stay as a zombie in a container without an init. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
