/** Transcribes the WAV file of its first argument by pocketsphinx, and prints what whisper servers do. */
import { execFileSync } from 'node:child_process';

const [wav = ''] = process.argv.slice(2);
const lines = execFileSync(
  'pocketsphinx_continuous',
  ['-infile', wav, '-time', 'yes', '-logfn', '/dev/null'],
  {
    encoding: 'utf8',
  },
).split('\n');
const words = lines.flatMap((line) => {
  // `word(variant) start end probability`; silence and noise are in angle or square brackets.
  const [, word, start, end] = /^([^<[\s(]+)(?:\(\d+\))? ([\d.]+) ([\d.]+) [\d.]+$/.exec(line) ?? [];
  return word === undefined ? [] : [{ word, start: Number(start), end: Number(end) }];
});
const segments =
  words.length === 0
    ? []
    : [{ start: words[0]!.start, end: words.at(-1)!.end, text: words.map(({ word }) => word).join(' ') }];
process.stdout.write(JSON.stringify({ segments, words }));
