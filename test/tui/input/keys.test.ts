import { expect, test } from 'vitest';
import { type KeyMeaning, meaningOf, type PressedKey } from '../../../src/tui/input/keys.ts';

const NONE = Object.fromEntries(
  [
    ...['upArrow', 'downArrow', 'leftArrow', 'rightArrow', 'pageUp', 'pageDown', 'home', 'end', 'return'],
    ...['escape', 'ctrl', 'shift', 'meta', 'tab', 'backspace', 'delete'],
  ].map((name) => [name, false]),
) as unknown as PressedKey;

test.each<[string, string, Partial<PressedKey>, KeyMeaning]>([
  ['a letter', 'x', {}, { do: 'insert', text: 'x' }],
  ['a capital', 'X', { shift: true }, { do: 'insert', text: 'X' }],
  ['typed text', '日本', {}, { do: 'insert', text: '日本' }],
  ['Enter', '\r', { return: true }, { do: 'enter' }],
  ['Alt-Enter', '\r', { return: true, meta: true }, { do: 'insert', text: '\n' }],
  ['Ctrl-J', '\n', {}, { do: 'insert', text: '\n' }],
  ['Tab', '', { tab: true }, { do: 'complete', step: 1 }],
  ['Shift-Tab', '', { tab: true, shift: true }, { do: 'complete', step: -1 }],
  ['Up', '', { upArrow: true }, { do: 'edit', action: 'up' }],
  ['Alt-Up', '', { upArrow: true, meta: true }, { do: 'people', direction: -1 }],
  ['PageDown', '', { pageDown: true }, { do: 'page', direction: 1 }],
  ['Ctrl-Left', '', { leftArrow: true, ctrl: true }, { do: 'edit', action: 'word-left' }],
  ['Alt-Backspace', '', { backspace: true, meta: true }, { do: 'edit', action: 'kill-word' }],
  ['Ctrl-W', 'w', { ctrl: true }, { do: 'edit', action: 'kill-word' }],
  ['Alt-B', 'b', { meta: true }, { do: 'edit', action: 'word-left' }],
  ['Ctrl-G', 'g', { ctrl: true }, { do: 'admit' }],
  ['Ctrl-C', 'c', { ctrl: true }, { do: 'interrupt' }],
  ['Ctrl-D', 'd', { ctrl: true }, { do: 'end-of-input' }],
  ['Escape', '', { escape: true }, { do: 'nothing' }],
  ['an unknown key', '', {}, { do: 'nothing' }],
  ['an unknown Ctrl key', 'q', { ctrl: true }, { do: 'nothing' }],
])('%s', (_, input, key, meaning) => {
  expect(meaningOf(input, { ...NONE, ...key })).toEqual(meaning);
});
