/** Completion scripts, made from the command line's own description so that they cannot fall behind it. */
import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface CommandWords {
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionWords[];
  /** Words that the first argument may be. */
  readonly choices: readonly string[];
}

interface OptionWords {
  readonly flags: readonly string[];
  readonly about: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The script for a shell to source. */
export function completionScript(program: Command, shell: Shell): string {
  const visible = program.createHelp().visibleCommands(program);
  const commands = program.commands
    .filter((command) => visible.includes(command))
    .map(
      (command): CommandWords => ({
        name: command.name(),
        about: command.description(),
        options: optionsOf(command).map(optionWords),
        choices:
          command.commands.length > 0
            ? command.commands.map((one) => one.name())
            : (command.registeredArguments[0]?.argChoices ?? []),
      }),
    );
  return { bash, zsh, fish }[shell](commands);
}

/** A command's options; those of a group are those of all its commands, each once. */
function optionsOf(command: Command): readonly Option[] {
  if (command.commands.length === 0) return command.options;
  return [
    ...new Map(
      command.commands.flatMap(({ options }) => options).map((option) => [option.flags, option]),
    ).values(),
  ];
}

const optionWords = (option: Option): OptionWords => ({
  flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
  about: option.description,
  takesValue: option.required || option.optional,
  choices: option.argChoices ?? [],
});

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options, choices }) => {
    const values = options
      .filter((option) => option.takesValue)
      .map(({ flags, choices: values }) =>
        values.length > 0
          ? `        ${flags.join('|')}) COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$word")); return ;;`
          : // Nothing of ours: readline completes file names, with their spaces quoted.
            `        ${flags.join('|')}) return ;;`,
      );
    const words = [...options.flatMap((option) => option.flags), ...choices].join(' ');
    return [
      `    ${name})`,
      '      case "$before" in',
      ...values,
      '      esac',
      `      words="${words}" ;;`,
    ].join('\n');
  });
  const names = commands.map(({ name }) => name);
  return `_meet() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words="" command="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${names.join('|')}) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    "") words="${names.join(' ')} --json --quiet --help --version" ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _meet meet
`;
}

/** Text between single quotes of a shell, without the characters that zsh's _arguments reads as its own. */
const quote = (text: string): string =>
  text.replaceAll("'", '’').replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' -');

function zsh(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options, choices }) => {
    const specs = options.flatMap((option) =>
      option.flags.map((flag) => {
        const value = option.choices.length > 0 ? `:value:(${option.choices.join(' ')})` : ':value:_files';
        return `        '${flag}[${quote(option.about)}]${option.takesValue ? value : ''}'`;
      }),
    );
    if (choices.length > 0) specs.push(`        '1:what:(${choices.join(' ')})'`);
    return `    ${name}) _arguments \\\n${specs.join(' \\\n')} ;;`;
  });
  const described = commands.map(({ name, about }) => `    '${name}:${quote(about)}'`).join('\n');
  return `#compdef meet
_meet() {
  local -a commands=(
${described}
  )
  while (( CURRENT > 2 )) && [[ $words[2] == -* ]]; do
    shift words
    (( CURRENT-- ))
  done
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _meet meet
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, about, options, choices }) => {
    const here = `complete -c meet -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c meet -n __fish_use_subcommand -a ${name} -d '${quote(about)}'`,
      ...options.map(({ flags, about: text, takesValue, choices: values }) => {
        const names = flags.map((flag) =>
          flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        const value = takesValue ? (values.length > 0 ? ` -x -a '${values.join(' ')}'` : ' -r') : '';
        return `${here} ${names.join(' ')}${value} -d '${quote(text)}'`;
      }),
      ...(choices.length > 0 ? [`${here} -a '${choices.join(' ')}'`] : []),
    ];
  });
  return `${lines.join('\n')}\n`;
}
