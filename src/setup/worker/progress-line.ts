import type { WorkerProgress } from './types.ts';

const BAR_WIDTH = 24;

/**
 * The progress as one line of text without a line end, for instance
 * `building the SFU worker ━━━━━━━━━━━━━━━━────────  38/57 · 12 s left`.
 */
export function formatWorkerProgress(progress: WorkerProgress): string {
  const { message, done, total, etaSeconds, phase } = progress;
  if (total === 0) return message;
  const filled = Math.round((Math.min(done, total) / total) * BAR_WIDTH);
  const bar = '━'.repeat(filled) + '─'.repeat(BAR_WIDTH - filled);
  const count =
    phase === 'download' ? `${(done / 1e6).toFixed(1)}/${(total / 1e6).toFixed(1)} MB` : `${done}/${total}`;
  const left = etaSeconds === undefined ? '' : ` · ${Math.ceil(etaSeconds)} s left`;
  return `${message} ${bar} ${count}${left}`;
}
