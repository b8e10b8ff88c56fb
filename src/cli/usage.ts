/** A command line that cannot be understood, as one sentence and what to do next. */
import { CommanderError } from 'commander';
import { EXIT, MeetError } from '../protocol/errors.ts';

/** The parser's error together with the command whose words it was reading. */
export class UsageError extends Error {
  readonly commandName: string;

  constructor(cause: CommanderError, commandName: string) {
    super(cause.message, { cause });
    this.commandName = commandName;
  }
}

/**
 * What an error of the parser means: an error to say, `shown` when help or the version was asked for and is
 * printed, `help` when help was printed because nothing was asked for; `undefined` for any other error.
 */
export function usageError(error: unknown): MeetError | 'shown' | 'help' | undefined {
  const commander = error instanceof UsageError ? error.cause : error;
  if (!(commander instanceof CommanderError)) return undefined;
  if (commander.exitCode === EXIT.done) return 'shown';
  if (commander.code === 'commander.help') return 'help';
  const words = error instanceof UsageError ? `${error.commandName} ` : '';
  const [first = '', ...suggestion] = commander.message.split('\n');
  const sentence = asSentence(first.replace(/^error: /, ''));
  const guess = /Did you mean (one of )?(.*)\?/.exec(suggestion.join(' '));
  return new MeetError('bad-config', guess ? `${sentence} Did you mean ${guess[2]}?` : sentence, {
    cause: error,
    hint: `meet ${words}--help lists what there is.`,
  });
}

function asSentence(text: string): string {
  const trimmed = text.trim();
  const begun = `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}`;
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}
