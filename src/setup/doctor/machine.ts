/** What the doctor looks at in the machine itself: Node, ports, buffers, clock, disk. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.ts';
import type { Check } from './types.ts';

/** The oldest Node that mediasoup, undici and commander run on. */
const NODE_MAJOR = 22;
const NODE_MINOR = 19;

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const name = 'node';
  if (major > NODE_MAJOR || (major === NODE_MAJOR && minor >= NODE_MINOR)) {
    return { name, status: 'ok', message: `Node ${version}.` };
  }
  return {
    name,
    status: 'failed',
    message: `Node ${version} is too old: ${NODE_MAJOR}.${NODE_MINOR} or newer is needed.`,
    mend: 'Install a newer Node from https://nodejs.org; in a checkout `npm run build` brings one.',
  };
}

/** Whether the server's HTTP port is free, and whether UDP and IPv6 sockets can be had at all. */
export async function checkPorts(port: number): Promise<Check> {
  const name = 'ports';
  const http = await tcpFault(port);
  if (http === 'EADDRINUSE') {
    return {
      name,
      status: 'warning',
      message: `Another process listens on TCP port ${port}, which \`meet serve\` takes unless told otherwise.`,
      mend: `Stop it, or give another port: meet serve --port ${port + 1}`,
    };
  }
  if (http !== undefined) {
    return {
      name,
      status: 'failed',
      message: `TCP port ${port} cannot be used (${http}).`,
      mend: 'Give a port above 1023: meet serve --port 8080',
    };
  }
  const udp = await udpFault('udp4');
  if (udp !== undefined) {
    return {
      name,
      status: 'failed',
      message: `UDP sockets cannot be opened (${udp}), and media needs them.`,
    };
  }
  const ipv6 = await udpFault('udp6');
  const family = ipv6 === undefined ? 'IPv4 and IPv6' : 'IPv4 only';
  return { name, status: 'ok', message: `TCP port ${port} is free; UDP works over ${family}.` };
}

async function tcpFault(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port);
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    server.close();
  }
}

async function udpFault(type: 'udp4' | 'udp6'): Promise<string | undefined> {
  const socket = createSocket(type);
  try {
    socket.bind(0);
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.close();
  }
}

/** What the server asks for its UDP ports; see src/server/sfu/listen.ts. */
const WANTED_BUFFER_BYTES = 4 * 1024 * 1024;

/** Linux caps socket buffers at these limits; the default holds some 150 packets, less than one keyframe burst. */
export async function checkUdpBuffers(folder = '/proc/sys/net/core'): Promise<Check> {
  const name = 'udp-buffers';
  const limits = await Promise.all(
    ['rmem_max', 'wmem_max'].map(async (key) => ({
      key: `net.core.${key}`,
      bytes: Number(await readFile(`${folder}/${key}`, 'utf8').catch(() => Number.NaN)),
    })),
  );
  const known = limits.filter(({ bytes }) => Number.isFinite(bytes));
  if (known.length === 0) {
    return { name, status: 'ok', message: 'This system does not say how large socket buffers may be.' };
  }
  const low = known.filter(({ bytes }) => bytes < WANTED_BUFFER_BYTES);
  if (low.length === 0) return { name, status: 'ok', message: 'UDP sockets may have 4 MiB buffers.' };
  return {
    name,
    status: 'warning',
    message: `UDP buffers are limited (${low.map(({ key, bytes }) => `${key} ${Math.round(bytes / 1024)} KiB`).join(', ')}): bursts of large meetings can lose packets.`,
    mend: `sudo sysctl -w ${low.map(({ key }) => `${key}=${WANTED_BUFFER_BYTES}`).join(' ')}`,
  };
}

/** Tokens expire by the clock, and a recorder puts participants in step by theirs. */
export async function checkClock(now: number = Date.now()): Promise<Check> {
  const name = 'clock';
  const { mtimeMs } = await stat(fileURLToPath(import.meta.url));
  const mend = 'sudo timedatectl set-ntp true';
  if (now < mtimeMs - 60_000) {
    return {
      name,
      status: 'failed',
      message: 'The clock is behind the time this program was installed.',
      mend,
    };
  }
  const { code, stdout } = await runCommand('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
  const shown = new Date(now).toISOString();
  if (code === 0 && stdout.trim() === 'no') {
    return {
      name,
      status: 'warning',
      message: `The clock says ${shown} and is not set by the network.`,
      mend,
    };
  }
  const how = code === 0 && stdout.trim() === 'yes' ? 'and is set by the network' : 'by itself plausible';
  return { name, status: 'ok', message: `The clock says ${shown}, ${how}.` };
}

export async function checkDataDir(dataDir: string): Promise<Check> {
  const name = 'data';
  const folder = await nearestFolder(dataDir);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    if (!(await stat(folder)).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    return {
      name,
      status: 'failed',
      message: `The data folder ${dataDir} cannot be written (${(error as Error).message}).`,
      mend: 'Give another one: meet serve --data DIR',
    };
  }
  const made = folder === dataDir ? '' : ' and is made on the first start';
  return { name, status: 'ok', message: `The data folder ${dataDir} can be written${made}.` };
}

/** A recording of an hour at 720p takes about 700 MB. */
const ENOUGH_BYTES = 2e9;
/** SQLite, its log and a worker's build need this much. */
const LEAST_BYTES = 250e6;

export async function checkDisk(dataDir: string): Promise<Check> {
  const name = 'disk';
  const { bavail, bsize } = await statfs(await nearestFolder(dataDir));
  const free = bavail * bsize;
  const message = `${(free / 1e9).toFixed(1)} GB are free for ${dataDir}.`;
  if (free >= ENOUGH_BYTES) return { name, status: 'ok', message };
  const mend = 'Make room, or give a folder on another disk: meet serve --data DIR';
  return { name, status: free < LEAST_BYTES ? 'failed' : 'warning', message, mend };
}

/** The folder itself or the nearest one above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  let folder = path;
  for (;;) {
    const found = await stat(folder).catch(() => undefined);
    const parent = dirname(folder);
    if (found !== undefined || parent === folder) return folder;
    folder = parent;
  }
}
