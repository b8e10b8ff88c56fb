/** What participants are called on the screen and in commands: their names, made different where two have the same. */
import { harmless } from '../../client/chat/text.ts';

export interface Named {
  readonly id: string;
  readonly name: string;
  readonly joinedAt: number;
}

/** A label for each id, in the order of joining: `Bob`, then `Bob#2`. */
export function labelsOf(participants: Iterable<Named>): Map<string, string> {
  const labels = new Map<string, string>();
  const taken = new Map<string, number>();
  const inOrder = [...participants].sort((a, b) => a.joinedAt - b.joinedAt || a.id.localeCompare(b.id));
  for (const { id, name } of inOrder) {
    const shown = harmless(name).trim() || '?';
    const key = shown.toLowerCase();
    const count = (taken.get(key) ?? 0) + 1;
    taken.set(key, count);
    labels.set(id, count === 1 ? shown : `${shown}#${count}`);
  }
  return labels;
}

export type Lookup =
  | { readonly id: string; readonly label: string }
  | { readonly problem: 'unknown' | 'ambiguous'; readonly labels: readonly string[] };

/** Finds who is meant: by the whole label, whatever its case, else by how only one begins. */
export function findLabel(labels: ReadonlyMap<string, string>, words: string): Lookup {
  const wanted = words.trim().replace(/^@/, '').toLowerCase();
  const all = [...labels].map(([id, label]) => ({ id, label }));
  const whole = all.filter(({ id, label }) => label.toLowerCase() === wanted || id === words.trim());
  if (whole[0] !== undefined) return whole[0];
  const begun = wanted === '' ? [] : all.filter(({ label }) => label.toLowerCase().startsWith(wanted));
  if (begun.length === 1) return begun[0]!;
  return { problem: begun.length === 0 ? 'unknown' : 'ambiguous', labels: begun.map(({ label }) => label) };
}

/** As a word of a command: in quotes where it has spaces. */
export function quoted(label: string): string {
  return /[\s"]/.test(label) ? `"${label.replaceAll('"', '')}"` : label;
}
