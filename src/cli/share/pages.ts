import type { PageFeed } from '../../media/capture/page-feed.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';

/** Keys that turn pages; terminals send arrows and page keys as these sequences. */
const FORWARD = new Set([' ', 'n', '\r', '\x1b[C', '\x1b[B', '\x1b[6~']);
const BACK = new Set(['p', 'b', '\x7f', '\x1b[D', '\x1b[A', '\x1b[5~']);
const FIRST = new Set(['g', '\x1b[H', '\x1b[1~']);
const LAST = new Set(['G', '\x1b[F', '\x1b[4~']);
const CTRL_C = '\x03';

export interface TurnOptions {
  /** Pages turn by themselves after so many milliseconds. */
  readonly pageTime?: number;
  readonly loop?: boolean;
}

/** Turns the pages of a document by keys, by lines on the standard input, and by the clock. Gives what ends that. */
export function turnPages(
  { context, output }: { context: CliContext; output: Output },
  pages: PageFeed,
  { pageTime, loop = false }: TurnOptions,
): () => void {
  const { stdin } = context;
  const show = (page: number) => {
    const wanted = loop ? ((page - 1 + pages.pages) % pages.pages) + 1 : page;
    const before = pages.page;
    void pages.show(wanted).then(() => {
      if (pages.page !== before) output.event('page', { page: pages.page, pages: pages.pages });
    });
  };
  const onKey = (data: Buffer | string) => {
    const key = data.toString();
    if (key === CTRL_C) process.kill(process.pid, 'SIGINT');
    else if (FORWARD.has(key)) show(pages.page + 1);
    else if (BACK.has(key)) show(pages.page - 1);
    else if (FIRST.has(key)) show(1);
    else if (LAST.has(key)) show(pages.pages);
  };
  const onLine = (data: Buffer | string) => {
    for (const line of data.toString().split('\n')) if (/^\d+$/.test(line.trim())) show(Number(line));
  };
  const raw = stdin.isTTY === true && stdin.setRawMode !== undefined;
  if (raw) {
    stdin.setRawMode?.(true);
    output.line(`Page 1 of ${pages.pages}: space and arrows turn pages, Ctrl-C ends.`);
  }
  const listener = raw ? onKey : onLine;
  stdin.on('data', listener);
  const timer = pageTime === undefined ? undefined : setInterval(() => show(pages.page + 1), pageTime);
  output.event('page', { page: pages.page, pages: pages.pages });
  return () => {
    clearInterval(timer);
    stdin.off('data', listener);
    if (raw) stdin.setRawMode?.(false);
    stdin.pause();
  };
}
