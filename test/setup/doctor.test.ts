import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkClock, checkDataDir, checkNode, checkUdpBuffers } from '../../src/setup/doctor/machine.ts';
import { type Check, runDoctor } from '../../src/setup/index.ts';
import { workerBin } from '../support/worker.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

async function check(name: string, options: Partial<Parameters<typeof runDoctor>[0]>): Promise<Check> {
  const checks = await runDoctor({ dataDir: folder, cacheDir: folder, port: 0, ...options });
  return checks.find((one) => one.name === name)!;
}

describe('the doctor', () => {
  test('looks at everything and finds this machine fit', async () => {
    const checks = await runDoctor({ dataDir: join(folder, 'data'), workerBin: workerBin(), port: 0 });
    expect(checks.map(({ name }) => name)).toEqual([
      'node',
      'ffmpeg',
      'worker',
      'ports',
      'udp-buffers',
      'data',
      'disk',
      'clock',
    ]);
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    for (const { status, mend, message } of checks) {
      expect(message).toMatch(/\S/);
      if (status !== 'ok') expect(mend).toMatch(/\S/);
    }
  });

  test('starts the worker and says which it is', async () => {
    expect(await check('worker', { workerBin: workerBin() })).toMatchObject({
      status: 'ok',
      message: expect.stringContaining(workerBin()),
    });
  });

  test('says how a worker that is missing or does not start is mended', async () => {
    expect(await check('worker', {})).toMatchObject({ status: 'warning', mend: 'meet setup' });
    const silent = await program('silent', '#!/bin/sh\ntest -z "$MEDIASOUP_VERSION" && exit 41\nexit 1\n');
    expect(await check('worker', { workerBin: silent })).toMatchObject({
      status: 'failed',
      mend: expect.stringContaining('unset MEDIASOUP_WORKER_BIN'),
    });
    expect(await check('worker', { workerBin: join(folder, 'none') })).toMatchObject({ status: 'failed' });
  });

  test('names what an ffmpeg cannot encode, and an old one', async () => {
    const all = ['libvpx', 'libvpx-vp9', 'libx264', 'libopus'];
    const fake = (name: string, libavcodec: string, encoders: string[]) =>
      program(
        name,
        `#!/bin/sh\necho "ffmpeg version 1.2 Copyright"\necho "libavcodec ${libavcodec} / ${libavcodec}"\necho " ------"\n${encoders.map((one) => `echo " V....D ${one}  x"`).join('\n')}\n`,
      );
    const poor = await fake('poor', '61. 19.100', ['libvpx', 'libx264']);
    expect(await check('ffmpeg', { ffmpeg: poor })).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('lacks libvpx-vp9 (VP9 video), libopus (sound)'),
    });
    const old = await fake('old', '58. 42.102', all);
    expect(await check('ffmpeg', { ffmpeg: old })).toMatchObject({ status: 'warning' });
    const good = await fake('good', '61. 19.100', all);
    expect(await check('ffmpeg', { ffmpeg: good })).toMatchObject({ status: 'ok' });
    expect(await check('ffmpeg', { ffmpeg: join(folder, 'none') })).toMatchObject({
      status: 'failed',
      mend: expect.stringContaining('MEET_FFMPEG'),
    });
  });

  test('sees that the port is taken', async () => {
    const server = createServer().listen(0);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await check('ports', { port })).toMatchObject({
      status: 'warning',
      mend: expect.stringContaining(`--port ${port + 1}`),
    });
  });

  test('finds a data folder that cannot be one', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await checkDataDir(join(folder, 'file', 'data'))).toMatchObject({ status: 'failed' });
    expect(await checkDataDir(join(folder, 'a', 'b'))).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('made on the first start'),
    });
  });

  test('knows the oldest Node that works', () => {
    expect(checkNode('22.18.0').status).toBe('failed');
    expect(checkNode('20.20.2').status).toBe('failed');
    expect(checkNode('22.19.0').status).toBe('ok');
    expect(checkNode('24.0.0').status).toBe('ok');
  });

  test('gives the command that raises the limit of UDP buffers', async () => {
    await mkdir(join(folder, 'core'));
    await writeFile(join(folder, 'core', 'rmem_max'), '212992\n');
    await writeFile(join(folder, 'core', 'wmem_max'), '8388608\n');
    expect(await checkUdpBuffers(join(folder, 'core'))).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('net.core.rmem_max 208 KiB'),
      mend: 'sudo sysctl -w net.core.rmem_max=4194304',
    });
    expect(await checkUdpBuffers(join(folder, 'none'))).toMatchObject({ status: 'ok' });
  });

  test('notices a clock that is far behind', async () => {
    expect(await checkClock(Date.parse('1990-01-01'))).toMatchObject({ status: 'failed' });
    expect(await checkClock()).not.toMatchObject({ status: 'failed' });
  });
});
