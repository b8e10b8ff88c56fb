/** ffmpeg for the tests' own media. */
import { spawn, spawnSync } from 'node:child_process';
import installer from '@ffmpeg-installer/ffmpeg';

let found: string | undefined;

/** `MEET_FFMPEG`, else the system's, else the one in node_modules. */
export function testFfmpeg(): string {
  found ??=
    process.env.MEET_FFMPEG ??
    (spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0 ? 'ffmpeg' : installer.path);
  return found;
}

/** Whether this ffmpeg has the encoder. */
export function hasEncoder(name: string): boolean {
  const list = spawnSync(testFfmpeg(), ['-hide_banner', '-encoders'], { encoding: 'utf8' }).stdout;
  return new RegExp(`^ [AVS][.A-Z]{5} ${name} `, 'm').test(list);
}

/**
 * Runs ffmpeg to its end; rejects with what it said when it fails. With `onOutput` standard output goes
 * there piece by piece and is not collected.
 */
export async function runFfmpeg(
  args: readonly string[],
  options: { readonly input?: Buffer; readonly onOutput?: (data: Buffer) => void } = {},
): Promise<{ readonly stdout: Buffer; readonly stderr: string }> {
  const child = spawn(testFfmpeg(), ['-hide_banner', '-nostats', ...args]);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', options.onOutput ?? ((data: Buffer) => stdout.push(data)));
  child.stderr.on('data', (data: Buffer) => stderr.push(data));
  // ffmpeg may stop reading before it has all; its exit status says whether that was wrong.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const said = Buffer.concat(stderr).toString();
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')} ended with ${status}: ${said.slice(-2000)}`);
  return { stdout: Buffer.concat(stdout), stderr: said };
}
