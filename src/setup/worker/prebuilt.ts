import { arch, platform, release } from 'node:os';
import { extractFile } from './tarball.ts';
import type { OnWorkerProgress } from './types.ts';

const RELEASES = 'https://github.com/versatica/mediasoup/releases/download';

/**
 * How long the first answer may take, milliseconds: name look-up, connection, TLS and the redirect to the
 * file. A closed network often drops packets without a word, and the source build waits for this.
 */
const ANSWER_TIMEOUT_MS = 5000;
/** How long the body may stall, milliseconds. */
const STALL_TIMEOUT_MS = 10_000;
/** The release of 3.27 has 1.5 MB; far more is not a worker. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Addresses that gave nothing; a process does not ask twice. */
const refused = new Map<string, string>();

export interface PrebuiltOptions {
  readonly version: string;
  /** Folder of releases; default mediasoup's own on GitHub. */
  readonly releases?: string;
  readonly answerTimeoutMs?: number;
  readonly onProgress?: OnWorkerProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A binary, or the reason why there is none. */
export type Prebuilt = { readonly binary: Buffer } | { readonly refused: string };

/**
 * Fetches the worker that mediasoup publishes for this platform, the same file that its own install script
 * takes (mediasoup/npm-scripts.mjs). Having none is an ordinary answer; only an abort rejects.
 */
export async function fetchPrebuilt(options: PrebuiltOptions): Promise<Prebuilt> {
  const url = `${options.releases ?? RELEASES}/${options.version}/${tarballName(options.version)}`;
  const before = refused.get(url);
  if (before !== undefined) return { refused: before };
  try {
    return { binary: await extractFile(await download(url, options), 'mediasoup-worker') };
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = describe(error);
    refused.set(url, reason);
    return { refused: reason };
  }
}

/** mediasoup's name for the release file; on Linux it has the kernel's major version. */
function tarballName(version: string): string {
  const kernel = platform() === 'linux' ? `-kernel${release().split('.')[0]}` : '';
  return `mediasoup-worker-${version}-${platform()}-${arch()}${kernel}.tgz`;
}

async function download(url: string, options: PrebuiltOptions): Promise<Buffer> {
  options.onProgress?.({
    phase: 'download',
    done: 0,
    total: 0,
    message: 'looking for a prebuilt SFU worker',
  });
  // Loaded here because it takes 60 ms and most starts never come this far.
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const timeout = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
  const agent = new EnvHttpProxyAgent({ connect: { timeout }, bodyTimeout: STALL_TIMEOUT_MS });
  const unanswered = new AbortController();
  // The agent's own timeout does not cover the name look-up, which can hang for long without a network.
  const timer = setTimeout(() => unanswered.abort(new Error(`no answer within ${timeout} ms`)), timeout);
  const signals = [unanswered.signal, ...(options.signal === undefined ? [] : [options.signal])];
  try {
    const response = await fetch(url, { dispatcher: agent, signal: AbortSignal.any(signals) });
    clearTimeout(timer);
    if (response.status === 404) throw new Error('none is published for this platform');
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    const chunks: Uint8Array[] = [];
    let done = 0;
    const startedAt = performance.now();
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      done += chunk.length;
      if (done > MAX_BYTES) throw new Error('the file is too large to be a worker');
      const etaSeconds = ((performance.now() - startedAt) / 1000 / done) * Math.max(0, total - done);
      options.onProgress?.({
        phase: 'download',
        done,
        total,
        etaSeconds,
        message: 'downloading the SFU worker',
      });
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    await agent.destroy();
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
