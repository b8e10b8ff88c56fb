import { Argument } from 'commander';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import type { Registry } from '../program.ts';
import { CONFIG_KEYS, configFile, openConfig } from '../settings.ts';

const ACTIONS = ['list', 'get', 'set', 'unset', 'path', 'keys'];

export function registerConfig({ command, action }: Registry): void {
  const config = command('config', 'show and change the defaults of options')
    .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
    .argument('[key]', 'the option, without its dashes')
    .argument('[value]', 'the value to set')
    .addHelpText('after', `\nKeys:\n${keyLines()}`);
  action<OutputOptions>(config, ({ context, output }, _options, args) =>
    run(
      context,
      output,
      args.filter((argument) => argument !== 'undefined'),
    ),
  );
}

const keyLines = (): string =>
  Object.entries(CONFIG_KEYS)
    .map(([key, about]) => `  ${key.padEnd(18)} ${about}`)
    .join('\n');

async function run(context: CliContext, output: Output, args: readonly string[]): Promise<number> {
  const [what = 'list', key, value] = args;
  if (what === 'path') {
    output.result({ path: configFile(context) }, configFile(context));
    return EXIT.done;
  }
  if (what === 'keys') {
    output.result(CONFIG_KEYS, keyLines());
    return EXIT.done;
  }
  const config = await openConfig(context);
  if (what === 'list') {
    const lines = Object.entries(config.values).map(([name, held]) => `${name}=${String(held)}`);
    output.result(
      config.values,
      lines.length > 0 ? lines.join('\n') : 'Nothing is set. meet config keys lists what can be.',
    );
    return EXIT.done;
  }
  if (key === undefined || !(key in CONFIG_KEYS)) {
    throw new MeetError('bad-config', key === undefined ? 'Name the key.' : `There is no setting "${key}".`, {
      hint: 'meet config keys lists them.',
    });
  }
  if (what === 'get') return get(output, key, config.values[key]);
  if (what === 'unset') config.delete(key);
  else if (value === undefined) throw new MeetError('bad-config', `Give the value to set ${key} to.`);
  else config.set(key, value);
  output.line(what === 'unset' ? `${key} is no longer set.` : `${key}=${value}`);
  return EXIT.done;
}

function get(output: Output, key: string, value: unknown): number {
  if (value === undefined) {
    output.note(`${key} is not set.`);
    return EXIT.failed;
  }
  output.result({ [key]: value }, String(value));
  return EXIT.done;
}
