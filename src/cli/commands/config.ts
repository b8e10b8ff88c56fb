import path from 'node:path';
import { Argument, type Command } from 'commander';
import { harmless } from '../../client/chat/text.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import type { Registry } from '../program.ts';
import { CONFIG_KEYS, configFile, keyOf, parseSetting, readConfig, writeConfig } from '../settings.ts';

const ACTIONS = ['list', 'get', 'set', 'unset', 'path', 'keys'];
/** Relative ones are meant from where they are set, not from where they are used. */
const PATH_KEYS: readonly string[] = ['data', 'tls-cert', 'tls-key', 'recordings'];

export function registerConfig({ program, command, action }: Registry): void {
  const config = command('config', 'show and change the defaults of options')
    .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
    .argument('[key]', 'the option, without its dashes')
    .argument('[value]', 'the value to set')
    .addHelpText('after', `\nKeys:\n${keyLines()}`);
  action<OutputOptions>(config, ({ context, output }, _options, args) => run(program, context, output, args));
}

const keyLines = (): string =>
  Object.entries(CONFIG_KEYS)
    .map(([key, about]) => `  ${key.padEnd(24)} ${about}`)
    .join('\n');

async function run(
  program: Command,
  context: CliContext,
  output: Output,
  args: readonly string[],
): Promise<number> {
  const [what = 'list', key, value] = args;
  const file = configFile(context);
  if (what === 'path') {
    output.result({ path: file }, file);
    return EXIT.done;
  }
  if (what === 'keys') {
    output.result(CONFIG_KEYS, keyLines());
    return EXIT.done;
  }
  if (what === 'list') {
    list(output, await readConfig(context));
    return EXIT.done;
  }
  if (key === undefined || !Object.hasOwn(CONFIG_KEYS, key)) {
    throw new MeetError(
      'bad-config',
      key === undefined ? `Name the setting to ${what}.` : `There is no setting "${key}".`,
      { hint: 'meet config keys lists them.' },
    );
  }
  if (what === 'set') return await set(program, context, output, key, value);
  if (what === 'unset') {
    await writeConfig(context, key, undefined);
    output.outcome({ [key]: null }, `${key} is no longer set.`);
    return EXIT.done;
  }
  const held = (await readConfig(context))[key];
  if (held === undefined) throw new MeetError('not-found', `${key} is not set.`);
  output.result({ [key]: held }, String(held));
  return EXIT.done;
}

function list(output: Output, values: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(values).map(([name, held]) => `${harmless(name)}=${harmless(String(held))}`);
  output.result(
    values,
    lines.length > 0 ? lines.join('\n') : 'Nothing is set. meet config keys lists what can be.',
  );
}

async function set(
  program: Command,
  context: CliContext,
  output: Output,
  key: string,
  given: string | undefined,
): Promise<number> {
  if (given === undefined) throw new MeetError('bad-config', `Give the value to set ${key} to.`);
  const value = PATH_KEYS.includes(key) ? path.resolve(given) : given;
  const option = program.commands.flatMap(({ options }) => options).find((one) => keyOf(one) === key);
  if (option) parseSetting(option, value);
  await writeConfig(context, key, value);
  output.outcome({ [key]: value }, `${key}=${harmless(value)}`);
  return EXIT.done;
}
