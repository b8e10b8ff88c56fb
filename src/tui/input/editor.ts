/** A line editor as state and functions: what is typed, where the cursor is, and what each key makes of it. */
import { clusters } from '../text/width.ts';

export interface EditorState {
  /** May have several lines. */
  readonly text: string;
  /** Index into `text`, between two characters as a person sees them. */
  readonly cursor: number;
  /** What was entered before, the latest last. */
  readonly history: readonly string[];
  /** Which of the history is shown; its length is the line that is being written. */
  readonly historyAt: number;
  /** The line that was being written when the history was entered. */
  readonly draft: string;
  /** What was cut last. */
  readonly killed: string;
}

/** What a key does to the text. */
export type EditorAction =
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'line-start'
  | 'line-end'
  | 'up'
  | 'down'
  | 'delete-before'
  | 'delete-after'
  | 'kill-word'
  | 'kill-to-start'
  | 'kill-to-end'
  | 'yank'
  | 'transpose';

/** Entries kept; the oldest go first. */
const HISTORY_LENGTH = 500;

export const EMPTY_EDITOR: EditorState = {
  text: '',
  cursor: 0,
  history: [],
  historyAt: 0,
  draft: '',
  killed: '',
};

/** Puts text in at the cursor: a key, or what was pasted. */
export function insert(state: EditorState, text: string): EditorState {
  const clean = text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '    ')
    .replace(/[\p{Cs}]|(?!\n)\p{Cc}/gu, '');
  return replace(state, state.cursor, state.cursor, clean);
}

/** Replaces a part of the text; the cursor stands after what was put in. */
export function replace(state: EditorState, start: number, end: number, text: string): EditorState {
  return {
    ...state,
    text: state.text.slice(0, start) + text + state.text.slice(end),
    cursor: start + text.length,
  };
}

/** Takes the text as entered: it goes into the history, and the line is empty again. */
export function enter(state: EditorState): { readonly state: EditorState; readonly text: string } {
  const { text } = state;
  const history =
    text.trim() === '' || state.history.at(-1) === text
      ? state.history
      : [...state.history, text].slice(-HISTORY_LENGTH);
  return { text, state: { ...EMPTY_EDITOR, killed: state.killed, history, historyAt: history.length } };
}

export function edit(state: EditorState, action: EditorAction): EditorState {
  return ACTIONS[action](state);
}

const at = (state: EditorState, cursor: number): EditorState => ({ ...state, cursor });

const kill = (state: EditorState, start: number, end: number): EditorState =>
  start === end ? state : { ...replace(state, start, end, ''), killed: state.text.slice(start, end) };

const ACTIONS: Readonly<Record<EditorAction, (state: EditorState) => EditorState>> = {
  left: (state) => at(state, before(state)),
  right: (state) => at(state, after(state)),
  'word-left': (state) => at(state, wordStart(state)),
  'word-right': (state) => at(state, wordEnd(state)),
  'line-start': (state) => at(state, lineStart(state)),
  'line-end': (state) => at(state, lineEnd(state)),
  up: (state) => vertical(state, -1),
  down: (state) => vertical(state, 1),
  'delete-before': (state) => replace(state, before(state), state.cursor, ''),
  'delete-after': (state) => replace(state, state.cursor, after(state), ''),
  'kill-word': (state) => kill(state, wordStart(state), state.cursor),
  'kill-to-start': (state) => kill(state, lineStart(state), state.cursor),
  'kill-to-end': (state) => kill(state, state.cursor, lineEnd(state)),
  yank: (state) => replace(state, state.cursor, state.cursor, state.killed),
  transpose,
};

/** Where the character before the cursor begins. */
function before({ text, cursor }: EditorState): number {
  return cursor - (clusters(text.slice(0, cursor)).at(-1)?.length ?? 0);
}

function after({ text, cursor }: EditorState): number {
  return cursor + (clusters(text.slice(cursor))[0]?.length ?? 0);
}

function wordStart({ text, cursor }: EditorState): number {
  return text.slice(0, cursor).search(/\S*\s*$/u);
}

function wordEnd({ text, cursor }: EditorState): number {
  return cursor + (/^\s*\S*/u.exec(text.slice(cursor))?.[0].length ?? 0);
}

function lineStart({ text, cursor }: EditorState): number {
  return text.lastIndexOf('\n', cursor - 1) + 1;
}

function lineEnd({ text, cursor }: EditorState): number {
  const end = text.indexOf('\n', cursor);
  return end === -1 ? text.length : end;
}

/** The characters around the cursor change places, as everywhere else. */
function transpose(state: EditorState): EditorState {
  const atEnd = state.cursor === lineEnd(state);
  const middle = atEnd ? before(state) : state.cursor;
  const start = before(at(state, middle));
  const end = after(at(state, middle));
  if (start < lineStart(state) || start === middle || middle === end) return state;
  return replace(state, start, end, state.text.slice(middle, end) + state.text.slice(start, middle));
}

/** A line up or down in the text, and beyond its first or last one through the history. */
function vertical(state: EditorState, step: -1 | 1): EditorState {
  const start = lineStart(state);
  const column = clusters(state.text.slice(start, state.cursor)).length;
  const edge = step === -1 ? start - 1 : lineEnd(state);
  if (edge < 0 || edge >= state.text.length) return recall(state, step);
  const target = at(state, step === -1 ? edge : edge + 1);
  const from = lineStart(target);
  const line = clusters(state.text.slice(from, lineEnd(target)));
  return at(state, from + line.slice(0, column).join('').length);
}

function recall(state: EditorState, step: -1 | 1): EditorState {
  const index = state.historyAt + step;
  if (index < 0 || index > state.history.length) return state;
  const draft = state.historyAt === state.history.length ? state.text : state.draft;
  const text = index === state.history.length ? draft : state.history[index]!;
  return { ...state, text, cursor: text.length, historyAt: index, draft };
}
