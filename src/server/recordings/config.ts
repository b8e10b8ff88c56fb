/** What the server's options say of recordings: checked once, with their defaults. */
import { join, resolve } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { AccessScope, LayoutName, RecordingFormat } from '../../protocol/recording.ts';

export interface RecordingServerOptions {
  /** Starts the command line of this package, as `[node, 'bin/meet.js']`; without it nothing is recorded. */
  readonly command?: readonly string[];
  /** The environment that recorders get. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder of the recordings; default `recordings` in the data folder. */
  readonly dir?: string;
  /** What a recording is made like unless its starter says otherwise. */
  readonly layout?: LayoutName;
  /** `1280x720`. */
  readonly size?: string;
  readonly format?: RecordingFormat;
  readonly access?: AccessScope;
  /** How long recordings are kept; default a year. */
  readonly ttlMs?: number;
  /** How long a recording goes on without participants; default a minute. */
  readonly emptyMs?: number;
  /** How long a recorder that was told to stop may take before it is asked by a signal; default ten seconds. */
  readonly stopMs?: number;
  /** Where events of recordings are sent to, and the secret that signs them. */
  readonly webhookUrl?: string;
  readonly webhookSecret?: string;
  /** How long after a call that was not taken the next try comes, each time twice as long; default five seconds. */
  readonly webhookWaitMs?: number;
}

export interface RecordingConfig {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dir: string;
  readonly layout: LayoutName;
  readonly size: string;
  readonly format: RecordingFormat;
  readonly access: AccessScope;
  readonly ttlMs: number;
  readonly emptyMs: number;
  readonly stopMs: number;
  readonly webhook:
    | { readonly url: string; readonly secret: string; readonly firstWaitMs: number }
    | undefined;
}

const DEFAULT_TTL_MS = 365 * 24 * 3_600_000;
const DEFAULT_EMPTY_MS = 60_000;
const DEFAULT_STOP_MS = 10_000;
const DEFAULT_WEBHOOK_WAIT_MS = 5_000;
/** The hash of HMAC-SHA-256 takes 32 bytes; anything shorter than half of it can be tried out. */
const MIN_SECRET_CHARACTERS = 16;

/**
 * `command` is empty where the server records nothing; what was recorded before can still be had.
 *
 * @throws MeetError `bad-config`
 */
export function parseRecordingConfig(
  options: RecordingServerOptions | false | undefined,
  dataDir: string,
): RecordingConfig {
  const given = options || {};
  const size = given.size ?? '1280x720';
  requireSize(size);
  return Object.freeze({
    command: Object.freeze(options === false ? [] : [...(given.command ?? [])]),
    env: Object.freeze({ ...given.env }),
    dir: resolve(given.dir ?? join(dataDir, 'recordings')),
    layout: given.layout ?? 'gallery',
    size,
    format: given.format ?? 'mp4',
    access: given.access ?? 'hosts',
    ttlMs: given.ttlMs ?? DEFAULT_TTL_MS,
    emptyMs: given.emptyMs ?? DEFAULT_EMPTY_MS,
    stopMs: given.stopMs ?? DEFAULT_STOP_MS,
    webhook: webhook(given),
  });
}

/** @throws MeetError `bad-config` unless it is a width and height, both even, that can be recorded */
function requireSize(size: string): void {
  const [width = 0, height = 0] = size.split('x').map(Number);
  const possible = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most && value % 2 === 0;
  if (possible(width, 160, 3840) && possible(height, 90, 2160) && size === `${width}x${height}`) return;
  throw new MeetError('bad-config', `Nothing can be recorded in the size "${size}".`, {
    hint: 'Give width and height, both even, from 160x90 to 3840x2160, as 1280x720.',
  });
}

/** @throws MeetError `bad-request` where a caller asks for what cannot be recorded */
export function checkSize(size: string | undefined): void {
  try {
    if (size !== undefined) requireSize(size);
  } catch (error) {
    const { message, hint } = MeetError.from(error);
    throw new MeetError('bad-request', message, hint === undefined ? {} : { hint });
  }
}

function webhook({
  webhookUrl,
  webhookSecret,
  webhookWaitMs,
}: RecordingServerOptions): RecordingConfig['webhook'] {
  if (webhookUrl === undefined) {
    if (webhookSecret === undefined) return undefined;
    throw new MeetError('bad-config', 'A secret for a webhook needs the URL of the webhook.', {
      hint: 'Give it with --recording-webhook.',
    });
  }
  if (!/^https?:$/.test(URL.parse(webhookUrl)?.protocol ?? '')) {
    // It may hold a password and is not repeated.
    throw new MeetError('bad-config', 'The webhook of recordings is not an http: or https: URL.');
  }
  if (webhookSecret === undefined || webhookSecret.length < MIN_SECRET_CHARACTERS) {
    throw new MeetError(
      'bad-config',
      `A webhook needs a secret of at least ${MIN_SECRET_CHARACTERS} characters, which signs what is sent.`,
      { hint: 'Give it with --recording-webhook-secret or in MEET_RECORDING_WEBHOOK_SECRET.' },
    );
  }
  const firstWaitMs = webhookWaitMs ?? DEFAULT_WEBHOOK_WAIT_MS;
  return Object.freeze({ url: webhookUrl, secret: webhookSecret, firstWaitMs });
}
