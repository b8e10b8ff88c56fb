/** What Tab makes of the word before the cursor: commands, their arguments, and names after `@`. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Completer, Completion } from '../input/completion.ts';
import { type ArgumentKind, COMMANDS, REACTIONS } from './commands/index.ts';
import { splitWords } from './commands/words.ts';
import { quoted } from './labels.ts';

export interface CompletionSources {
  /** Labels of those in the meeting, oneself not among them; who has spoken last comes first. */
  people(): readonly string[];
  guests(): readonly string[];
  /** Names of the files that were sent, the last one first. */
  savedFiles(): readonly string[];
  /** This participant is a host or co-host. */
  hosts(): boolean;
  readonly home: string | undefined;
}

/** More entries of a folder than this are no help. */
const MAX_FILES = 200;

export function completer(sources: CompletionSources): Completer {
  return (before) => {
    const mention = /(?:^|\s)@([^@\n]*)$/.exec(before);
    if (before.startsWith('/') && !before.startsWith('//')) {
      const completed = completeCommand(before, sources);
      if (completed !== undefined || mention === null) return completed;
    }
    if (mention === null) return completeName(before, sources);
    const typed = mention[1]!;
    const candidates = beginning(sources.people(), typed).map((label) => `@${label} `);
    return { start: before.length - typed.length - 1, candidates };
  };
}

/** At the start of a message a name is completed as people address one another: `Ada: `. */
function completeName(before: string, { people }: CompletionSources): Completion | undefined {
  if (before === '' || /[\s@]/.test(before)) return undefined;
  return { start: 0, candidates: beginning(people(), before).map((label) => `@${label} `) };
}

function completeCommand(before: string, sources: CompletionSources): Completion | undefined {
  const name = /^\/(\S*)$/.exec(before);
  if (name) {
    const commands = COMMANDS.filter(({ hosts }) => !hosts || sources.hosts());
    const fitting = beginning(
      commands.map((command) => command.name),
      name[1]!,
    );
    const takes = (word: string) =>
      COMMANDS.some((command) => command.name === word && command.takes.length > 0);
    return { start: 0, candidates: fitting.map((word) => `/${word}${takes(word) ? ' ' : ''}`) };
  }
  const words = splitWords(before);
  const command = COMMANDS.find((one) => `/${one.name}` === words.words[0]?.toLowerCase());
  if (command === undefined) return undefined;
  const fresh = /\s$/.test(before) && !/"[^"]*$/.test(before);
  const index = words.words.length - (fresh ? 0 : 1);
  const typed = fresh ? '' : words.words[index]!;
  const start = fresh ? before.length : words.starts[index]!;
  // What is sent privately begins with a name whatever else the command takes.
  const kind = words.words[index - 1] === '--to' ? 'person' : command.takes[index - 1];
  if (kind === undefined) return undefined;
  return { start, candidates: candidatesOf(kind, typed, sources) };
}

function candidatesOf(kind: ArgumentKind, typed: string, sources: CompletionSources): string[] {
  const names = (labels: readonly string[]) =>
    beginning(labels, typed.replace(/^@/, '')).map((label) => `${quoted(label)} `);
  switch (kind) {
    case 'person':
      return names(sources.people());
    case 'guest':
      return names([...sources.guests(), 'all']);
    case 'saved':
      return names(sources.savedFiles());
    case 'emoji':
      return beginning(Object.keys(REACTIONS), typed);
    case 'command':
      return beginning(
        COMMANDS.map(({ name }) => name),
        typed.replace(/^\//, ''),
      );
    case 'file':
      return paths(typed, sources.home, false);
    case 'folder':
      return paths(typed, sources.home, true);
    default:
      return beginning(kind, typed);
  }
}

function beginning(words: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  return words.filter((word) => word.toLowerCase().startsWith(wanted));
}

/** Files and folders that begin as typed; folders end with a slash, so that the next Tab goes into them. */
function paths(typed: string, home: string | undefined, foldersOnly: boolean): string[] {
  const whole = typed.endsWith('/');
  const folder = whole ? typed : typed.includes('/') ? `${dirname(typed)}/`.replace('//', '/') : '';
  const start = whole ? '' : basename(typed);
  const place =
    home !== undefined && folder.startsWith('~/') ? join(home, folder.slice(2)) : resolve(folder || '.');
  try {
    return readdirSync(place, { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')))
      .filter((entry) => !foldersOnly || entry.isDirectory())
      .slice(0, MAX_FILES)
      .map((entry) => quoted(`${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`))
      .sort();
  } catch {
    return [];
  }
}
