/** What keys mean, as Ink tells of them. */
import type { EditorAction } from './editor.ts';

/** The part of Ink's key that is looked at. */
export interface PressedKey {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
}

export type KeyMeaning =
  | { readonly do: 'insert'; readonly text: string }
  | { readonly do: 'edit'; readonly action: EditorAction }
  | { readonly do: 'complete'; readonly step: 1 | -1 }
  | { readonly do: 'page'; readonly direction: -1 | 1 }
  | { readonly do: 'people'; readonly direction: -1 | 1 }
  | { readonly do: 'enter' | 'admit' | 'redraw' | 'interrupt' | 'end-of-input' | 'nothing' };

/** Emacs' keys, which shells use too. */
const CONTROL: Readonly<Record<string, EditorAction>> = {
  a: 'line-start',
  e: 'line-end',
  b: 'left',
  f: 'right',
  h: 'delete-before',
  k: 'kill-to-end',
  u: 'kill-to-start',
  w: 'kill-word',
  y: 'yank',
  t: 'transpose',
  p: 'up',
  n: 'down',
};
const META: Readonly<Record<string, EditorAction>> = { b: 'word-left', f: 'word-right' };
const COMMAND_KEYS: Readonly<Record<string, 'admit' | 'redraw' | 'interrupt' | 'end-of-input'>> = {
  g: 'admit',
  l: 'redraw',
  c: 'interrupt',
  d: 'end-of-input',
};

const edit = (action: EditorAction): KeyMeaning => ({ do: 'edit', action });

export function meaningOf(input: string, key: PressedKey): KeyMeaning {
  if (key.return) return key.meta || key.shift ? { do: 'insert', text: '\n' } : { do: 'enter' };
  if (key.tab) return { do: 'complete', step: key.shift ? -1 : 1 };
  if (key.pageUp || key.pageDown) return { do: 'page', direction: key.pageUp ? -1 : 1 };
  if (key.upArrow || key.downArrow) {
    if (key.meta) return { do: 'people', direction: key.upArrow ? -1 : 1 };
    return edit(key.upArrow ? 'up' : 'down');
  }
  if (key.leftArrow) return edit(key.meta || key.ctrl ? 'word-left' : 'left');
  if (key.rightArrow) return edit(key.meta || key.ctrl ? 'word-right' : 'right');
  if (key.home) return edit('line-start');
  if (key.end) return edit('line-end');
  if (key.backspace) return edit(key.meta ? 'kill-word' : 'delete-before');
  if (key.delete) return edit('delete-after');
  if (key.escape) return { do: 'nothing' };
  if (key.ctrl) {
    if (input === 'j') return { do: 'insert', text: '\n' };
    const command = COMMAND_KEYS[input];
    if (command !== undefined) return { do: command };
    const action = CONTROL[input];
    return action === undefined ? { do: 'nothing' } : edit(action);
  }
  if (key.meta) {
    const action = META[input];
    return action === undefined ? { do: 'nothing' } : edit(action);
  }
  return input === '' ? { do: 'nothing' } : { do: 'insert', text: input };
}
