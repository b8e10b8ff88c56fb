/** Where settings come from: flag, environment variable, config file, default, in this order. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, CommanderError, type Option } from 'commander';
import envPaths from 'env-paths';
import { MeetError } from '../protocol/errors.ts';
import type { CliContext } from './context.ts';

const paths = envPaths('meet', { suffix: '' });

/** Settings that `meet config` knows, by the long option they stand for. */
export const CONFIG_KEYS: Readonly<Record<string, string>> = {
  server: 'base URL of the server that join and create use',
  name: 'display name to join with',
  ffmpeg: 'ffmpeg to use',
  host: 'address that serve listens on',
  port: 'HTTP port of serve',
  data: 'data folder of serve',
  'public-url': 'URL under which others reach the server',
  'database-url': 'PostgreSQL of serve instead of SQLite',
  objects: 'folder or s3:// URL for recordings and files',
  'rtc-port': 'first UDP and TCP port for media',
  'rtc-address': 'addresses to take media on, separated by commas',
  'announced-address': 'address in ICE candidates',
  workers: 'number of SFU workers',
  'tls-cert': 'certificate chain to serve HTTPS with',
  'tls-key': "the certificate's key",
  turn: 'TURN URLs, separated by commas',
  'turn-secret': "the TURN server's shared secret",
  'turn-ttl': 'how long TURN credentials are good for',
  'rate-limit': 'requests a second for each address and token, or off',
  'token-key': 'key that signs tokens',
  'metrics-token': 'what /metrics asks for as a bearer token',
  'token-ttl': "how long a participant's token is good for",
  auth: 'who may create meetings on serve',
  'create-limit': 'meetings that one user or address may create, or off',
  'chat-rate': 'messages a second and at once, or off',
  clamd: 'clamd that looks for viruses in files',
  'max-file-size': 'largest file in the chat',
  'file-types': 'media types of files that are taken, separated by commas',
  'file-ttl': 'how long files are kept',
  recordings: 'folder for recordings of serve',
  'recording-layout': 'layout of recordings',
  'recording-size': 'size of recordings',
  'recording-access': 'who may see recordings',
  'recording-ttl': 'how long recordings are kept',
  'recording-webhook': 'where events of recordings are sent to',
  'recording-webhook-secret': 'signs what is sent there',
  'log-level': 'what serve logs',
  transcriber: 'who makes the transcripts of recordings',
  'transcriber-url': 'its base URL, in place of the usual one',
  'transcriber-key': 'its API key',
  'transcriber-model': 'the model to use',
  'transcriber-command': 'program and arguments that transcribe a file',
  'transcriber-bucket': 's3:// URL where AWS Transcribe reads from',
  'transcriber-language': 'language of the meetings',
};

export function configFile(context: CliContext): string {
  return path.resolve(context.env.MEET_CONFIG ?? path.join(paths.config, 'config.json'));
}

export function cacheDir(context: CliContext): string {
  return path.resolve(context.env.MEET_CACHE ?? paths.cache);
}

/** Where `serve` keeps its database, keys and objects unless told otherwise. */
export const defaultDataDir: string = paths.data;

/**
 * What the config file holds; nothing when there is none.
 *
 * @throws MeetError `bad-config` when the file is no JSON object, `no-permission` when it may not be read
 */
export async function readConfig(context: CliContext): Promise<Readonly<Record<string, unknown>>> {
  const file = configFile(context);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return {};
    throw fileError(file, cause);
  }
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) return { ...values };
  } catch {
    // Neither JSON nor an object: the same to whoever has to mend it.
  }
  throw new MeetError('bad-config', `The config file ${file} is not a JSON object.`, {
    hint: 'Mend it, or delete it and set the values again with meet config set.',
  });
}

/**
 * Sets one value, or takes it away.
 *
 * @throws MeetError as `readConfig`, `no-permission` when the file may not be written, `disk-full`
 */
export async function writeConfig(
  context: CliContext,
  key: string,
  value: string | undefined,
): Promise<void> {
  await readConfig(context);
  const file = configFile(context);
  // Only here: it costs more to load than the rest of a join's start-up, and adds signal handlers that end the process.
  const { default: Conf } = await import('conf');
  try {
    const conf = new Conf<Record<string, unknown>>({
      cwd: path.dirname(file),
      configName: path.basename(file, path.extname(file)),
      fileExtension: path.extname(file).slice(1),
      // Keys have no dots, values may: addresses and URLs.
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
    });
    if (value === undefined) conf.delete(key);
    else conf.set(key, value);
  } catch (cause) {
    throw fileError(file, cause);
  }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

function fileError(file: string, cause: unknown): MeetError {
  const code = errorCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new MeetError('disk-full', `There is no space left for ${file}.`, { cause });
  return new MeetError('no-permission', `The config file ${file} cannot be read or written (${code}).`, {
    cause,
    hint: 'MEET_CONFIG names another file.',
  });
}

/** Options of commands that mean something else than the setting of the same name. */
const NOT_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  load: ['workers'],
  'load-agent': ['host', 'port'],
};

/** Fills options that neither a flag nor the environment set from the config file. */
export async function applyConfig(command: Command, context: CliContext): Promise<void> {
  const wanted = command.options.filter(
    (option) =>
      keyOf(option) in CONFIG_KEYS &&
      !NOT_SETTINGS[command.name()]?.includes(keyOf(option)) &&
      !isGiven(command.getOptionValueSource(option.attributeName())),
  );
  if (wanted.length === 0) return;
  const values = await readConfig(context);
  for (const option of wanted) {
    const value = values[keyOf(option)];
    if (value === undefined) continue;
    command.setOptionValueWithSource(
      option.attributeName(),
      parseSetting(option, value, configFile(context)),
      'config',
    );
  }
}

/**
 * A setting's value as its option would take it. Files written by hand may hold numbers.
 *
 * @param file that it comes from, if any
 * @throws MeetError `bad-config`
 */
export function parseSetting(option: Option, value: unknown, file?: string): unknown {
  const key = keyOf(option);
  const text = typeof value === 'number' ? String(value) : value;
  const refuse = (why: string) =>
    file === undefined
      ? new MeetError('bad-config', `${key} cannot be ${JSON.stringify(value)}. ${why}`)
      : new MeetError('bad-config', `In ${file}, ${key} cannot be ${JSON.stringify(value)}. ${why}`, {
          hint: `Set another value with: meet config set ${key} VALUE`,
        });
  if (typeof text !== 'string') throw refuse('It has to be a text.');
  try {
    return option.parseArg ? option.parseArg(text, undefined) : text;
  } catch (error) {
    if (error instanceof CommanderError) throw refuse(error.message);
    throw error;
  }
}

export const keyOf = (option: Option): string => option.long?.replace(/^--/, '') ?? '';
const isGiven = (source: string | undefined): boolean => source === 'cli' || source === 'env';
