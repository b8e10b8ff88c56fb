/** Options that say what of the meeting is shown, and so received. */
import { type Command, Option } from 'commander';
import { MAX_PAGE_SIZE, type View } from '../../client/view.ts';
import { parseCount } from '../parse.ts';

export interface ViewOptions {
  readonly layout?: View['layout'];
  readonly maxHeight?: number;
  readonly page?: number;
  readonly pageSize?: number;
  readonly pin?: string;
}

/** Heights that pictures have: 8K is 4320 lines. */
const MAX_HEIGHT = 8_640;
const MAX_PAGES = 10_000;

export function addViewOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--layout <layout>', 'receive what a gallery or a speaker view shows; else all').choices([
        'gallery',
        'speaker',
      ]),
    )
    .addOption(
      new Option('--max-height <lines>', 'receive no picture that is higher').argParser(
        parseCount(1, MAX_HEIGHT),
      ),
    )
    .addOption(new Option('--page <n>', 'page of the view, from 1').argParser(parseCount(1, MAX_PAGES)))
    .addOption(
      new Option('--page-size <n>', `videos on a page, at most ${MAX_PAGE_SIZE}`).argParser(
        parseCount(1, MAX_PAGE_SIZE),
      ),
    )
    .option('--pin <name>', 'keep this participant, by name or id, large on every page');
}

/** The view that the options describe; none of them receives everything. */
export function viewOf(options: ViewOptions): { readonly view?: View } {
  const { layout, maxHeight, page, pageSize, pin } = options;
  if ([layout, maxHeight, page, pageSize, pin].every((option) => option === undefined)) return {};
  return {
    view: {
      layout: layout ?? 'gallery',
      ...(maxHeight === undefined ? {} : { maxHeight }),
      ...(page === undefined ? {} : { page: page - 1 }),
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(pin === undefined ? {} : { pin }),
    },
  };
}
