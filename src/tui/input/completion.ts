/** Tab completion: what a word that is being typed may become. */
import { type EditorState, replace } from './editor.ts';

/** What can be completed at the cursor. */
export interface Completion {
  /** Where the word begins that is replaced. */
  readonly start: number;
  /** What it may become, in the order in which Tab offers it. */
  readonly candidates: readonly string[];
}

/** Knows the words that fit; gives `undefined` where nothing can be completed. */
export type Completer = (beforeCursor: string) => Completion | undefined;

/** A completion under way: the next Tab puts the next candidate in its place. */
export interface CompletionCycle extends Completion {
  readonly index: number;
  /** The text as the last Tab left it: anything else typed ends the cycle. */
  readonly text: string;
  readonly cursor: number;
}

/**
 * Completes the word before the cursor, or goes on to the next candidate.
 *
 * @param step 1 for Tab, −1 for Shift-Tab
 */
export function complete(
  editor: EditorState,
  completer: Completer,
  cycle: CompletionCycle | undefined,
  step: 1 | -1,
): { readonly editor: EditorState; readonly cycle: CompletionCycle | undefined } {
  const goesOn = cycle !== undefined && cycle.text === editor.text && cycle.cursor === editor.cursor;
  const completion = goesOn ? cycle : completer(editor.text.slice(0, editor.cursor));
  if (completion === undefined || completion.candidates.length === 0) return { editor, cycle: undefined };
  const { start, candidates } = completion;
  const first = step === 1 ? 0 : candidates.length - 1;
  const index = goesOn ? (cycle.index + step + candidates.length) % candidates.length : first;
  const next = replace(editor, start, editor.cursor, candidates[index]!);
  return { editor: next, cycle: { start, candidates, index, text: next.text, cursor: next.cursor } };
}
