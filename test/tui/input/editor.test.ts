import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EditorAction,
  type EditorState,
  EMPTY_EDITOR,
  edit,
  enter,
  insert,
} from '../../../src/tui/input/editor.ts';
import { clusters } from '../../../src/tui/text/width.ts';

/** The text with `|` at the cursor. */
const shown = ({ text, cursor }: EditorState) => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

function typed(text: string, ...actions: EditorAction[]): EditorState {
  const at = text.indexOf('|');
  const state = insert(EMPTY_EDITOR, text.replace('|', ''));
  return actions.reduce(edit, at === -1 ? state : { ...state, cursor: at });
}

test.each<[string, EditorAction[], string]>([
  ['ab日', ['left'], 'ab|日'],
  ['a👨‍👩‍👧', ['left'], 'a|👨‍👩‍👧'],
  ['|👨‍👩‍👧b', ['right'], '👨‍👩‍👧|b'],
  ['a👨‍👩‍👧|b', ['delete-before'], 'a|b'],
  ['a|👨‍👩‍👧b', ['delete-after'], 'a|b'],
  ['e\u0301', ['delete-before'], '|'],
  ['one two|', ['word-left'], 'one |two'],
  ['|one two', ['word-right', 'word-right'], 'one two|'],
  ['one two|', ['kill-word'], 'one |'],
  ['one |two', ['kill-to-end'], 'one |'],
  ['one |two', ['kill-to-start'], '|two'],
  ['one |two', ['kill-to-end', 'line-start', 'yank'], 'two|one '],
  ['ab|', ['transpose'], 'ba|'],
  ['a|b', ['transpose'], 'ba|'],
  ['|ab', ['transpose'], '|ab'],
  ['a\nb|c', ['line-start'], 'a\n|bc'],
  ['a|b\nc', ['line-end'], 'ab|\nc'],
  ['abc\nde|', ['up'], 'ab|c\nde'],
  ['abc|\nd', ['down'], 'abc\nd|'],
  ['日本\nab|', ['up'], '日本|\nab'],
  ['|', ['left', 'delete-before', 'delete-after', 'kill-word', 'up', 'down', 'right'], '|'],
])('%j by %j is %j', (text, actions, expected) => {
  expect(shown(typed(text, ...actions))).toBe(expected);
});

test('a paste of several lines is text, without what a terminal would act on', () => {
  expect(insert(EMPTY_EDITOR, 'a\r\nb\tc\u001b[31m\rd').text).toBe('a\nb    c[31m\nd');
});

describe('the history', () => {
  const said = ['one', 'two'].reduce((state, text) => enter(insert(state, text)).state, EMPTY_EDITOR);

  test('goes back and forth, and keeps the line that was begun', () => {
    const begun = insert(said, 'thr');
    const back = edit(edit(begun, 'up'), 'up');
    expect(shown(back)).toBe('one|');
    expect(shown(edit(back, 'up'))).toBe('one|');
    const forth = edit(edit(back, 'down'), 'down');
    expect(shown(forth)).toBe('thr|');
    expect(shown(edit(forth, 'down'))).toBe('thr|');
  });

  test('does not keep empty lines, nor the same one twice in a row', () => {
    const again = ['two', '  ', ''].reduce((state, text) => enter(insert(state, text)).state, said);
    expect(again.history).toEqual(['one', 'two']);
    expect(enter(insert(said, ' x ')).text).toBe(' x ');
  });
});

test('whatever the keys, the cursor stands between two characters of the text', () => {
  const actions = fc.constantFrom<EditorAction>(
    ...(['left', 'right', 'word-left', 'word-right', 'line-start', 'line-end', 'up', 'down'] as const),
    ...([
      'delete-before',
      'delete-after',
      'kill-word',
      'kill-to-start',
      'kill-to-end',
      'yank',
      'transpose',
    ] as const),
  );
  const keys = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => ({ text })),
      actions,
    ),
  );
  fc.assert(
    fc.property(keys, (list) => {
      let state = EMPTY_EDITOR;
      for (const key of list) {
        state = typeof key === 'string' ? edit(state, key) : insert(state, key.text);
        const { text, cursor } = state;
        expect(cursor).toBeGreaterThanOrEqual(0);
        expect(cursor).toBeLessThanOrEqual(text.length);
        // No half of a surrogate pair.
        expect(text.slice(0, cursor).isWellFormed()).toBe(true);
      }
      expect(clusters(state.text).join('')).toBe(state.text);
    }),
  );
});
