/** Lines that say that something failed, but not what. */
const EMPTY_PHRASES = [
  /^conversion failed/i,
  /^at least one output file must be specified/i,
  /^error (opening|initializing|while (opening|filtering|processing))[^:]*\.?$/i,
  /^last message repeated/i,
  /^terminating demuxer thread/i,
  /^stream mapping/i,
  /^exiting normally/i,
];

/**
 * The last line of ffmpeg's stderr that tells a person something, without ffmpeg's `[muxer @ 0x…]` prefixes,
 * its `file:` URLs and the full stop.
 */
export function lastMeaningfulLine(stderr: string): string | undefined {
  return stderr
    .split(/[\r\n]+/)
    .map((line) =>
      line
        .replace(/^(\[[^\]]* @ 0x[0-9a-f]+\]\s*)+/i, '')
        .replaceAll(/\bfile:(?=\/)/g, '')
        .trim()
        .replace(/\.$/, ''),
    )
    .findLast((line) => line !== '' && !EMPTY_PHRASES.some((phrase) => phrase.test(line)));
}
