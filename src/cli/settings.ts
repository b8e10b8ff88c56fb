/** Where settings come from: flag, environment variable, config file, default, in this order. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command, Option } from 'commander';
import envPaths from 'env-paths';
import { MeetError } from '../protocol/errors.ts';
import type { CliContext } from './context.ts';

const paths = envPaths('meet', { suffix: '' });

/** Settings that `meet config` knows, by the long option they stand for. */
export const CONFIG_KEYS: Readonly<Record<string, string>> = {
  server: 'base URL of the server that join and create use',
  name: 'display name to join with',
  ffmpeg: 'path of the ffmpeg to use',
  host: 'address that serve listens on',
  port: 'HTTP port of serve',
  data: 'data folder of serve',
  'public-url': 'URL under which others reach the server',
  'database-url': 'PostgreSQL of serve instead of SQLite',
  objects: 'folder or s3:// URL for recordings and files',
  'rtc-port': 'first UDP and TCP port for media',
  'announced-address': 'address in ICE candidates',
  workers: 'number of SFU workers',
  turn: 'TURN URLs, separated by commas',
  'turn-secret': "the TURN server's shared secret",
  'rate-limit': 'requests a second for each address and token',
};

export function configFile(context: CliContext): string {
  return context.env.MEET_CONFIG ?? path.join(paths.config, 'config.json');
}

export function cacheDir(context: CliContext): string {
  return context.env.MEET_CACHE ?? paths.cache;
}

/** Where `serve` keeps its database, keys and objects unless told otherwise. */
export function dataDir(context: CliContext): string {
  return context.env.MEET_DATA ?? paths.data;
}

export interface ConfigStore {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  set(key: string, value: string): void;
  delete(key: string): void;
}

/**
 * @throws MeetError `bad-config` when the file is no JSON object, `no-permission` when it may not be read
 */
export async function openConfig(context: CliContext): Promise<ConfigStore> {
  const file = configFile(context);
  const { default: Conf } = await import('conf');
  try {
    const conf = new Conf<Record<string, unknown>>({
      cwd: path.dirname(file),
      configName: path.basename(file, '.json'),
      // Keys have no dots, values may: addresses and URLs.
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
    });
    return {
      path: file,
      values: { ...conf.store },
      set: (key, value) => conf.set(key, value),
      delete: (key) => conf.delete(key),
    };
  } catch (cause) {
    const denied =
      cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM');
    throw denied
      ? new MeetError('no-permission', `The config file ${file} may not be read.`, { cause })
      : new MeetError('bad-config', `The config file ${file} is not a JSON object.`, {
          cause,
          hint: 'Mend it, or delete it and set the values again with meet config set.',
        });
  }
}

/** Fills options that neither a flag nor the environment set from the config file. */
export async function applyConfig(command: Command, context: CliContext): Promise<void> {
  const wanted = command.options.filter(
    (option) =>
      keyOf(option) in CONFIG_KEYS && !isGiven(command.getOptionValueSource(option.attributeName())),
  );
  // The config library costs more to load than the rest of a join's start-up.
  if (wanted.length === 0 || !existsSync(configFile(context))) return;
  const { values } = await openConfig(context);
  for (const option of wanted) {
    const value = values[keyOf(option)];
    if (typeof value !== 'string') continue;
    const parsed: unknown = option.parseArg ? option.parseArg(value, undefined) : value;
    command.setOptionValueWithSource(option.attributeName(), parsed, 'config');
  }
}

const keyOf = (option: Option): string => option.long?.replace(/^--/, '') ?? '';
const isGiven = (source: string | undefined): boolean => source === 'cli' || source === 'env';
