import { Option } from 'commander';
import type { ScenarioFile } from '../../load/scenario/types.ts';
import type { OutputOptions } from '../context.ts';
import { parseCount, parseList, parseRate, parseTimeText } from '../parse.ts';
import type { Registry } from '../program.ts';

/** Options that stand for fields of a scenario, by the same name. */
export interface LoadCommandOptions extends OutputOptions {
  readonly bots?: number;
  readonly meetings?: number;
  readonly perMeeting?: number;
  readonly publishers?: number;
  readonly video?: NonNullable<ScenarioFile['video']>;
  readonly audio?: boolean;
  readonly speakers?: number;
  readonly layout?: NonNullable<ScenarioFile['layout']>;
  readonly maxHeight?: number;
  readonly media?: readonly string[];
  readonly ramp?: string;
  readonly duration?: string;
  readonly joinLeave?: string;
  readonly chat?: string;
  readonly check?: number | 'all';
  readonly seed?: number;
  readonly maxLag?: string;
  readonly threshold: readonly string[];
  readonly scenario?: string;
  readonly workers?: number;
  readonly hosts?: readonly string[];
  readonly secret?: string;
  readonly password?: string;
  readonly metricsToken?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly ffmpeg?: string;
}

const MOST = 1_000_000;
const collect = (value: string, before: readonly string[]): string[] => [...before, value];

export function registerLoad({ command, action }: Registry): void {
  const json = new Option('--json [file]', 'write the whole result to a file, or NDJSON to stdout');
  const load = command('load', 'send bots into meetings and judge whether the server holds', { json })
    .argument('<url>', "a meeting's URL, or a server's, which then gets meetings for the run")
    .addOption(
      new Option('--scenario <file>', 'read the run from a YAML file or a TypeScript or JavaScript module'),
    )
    .addOption(
      new Option('--bots <n>', 'receivers, all meetings together (default: 10)').argParser(
        parseCount(0, MOST),
      ),
    )
    .addOption(new Option('--meetings <n>', 'meetings to hold').argParser(parseCount(1, 10_000)))
    .addOption(
      new Option('--per-meeting <n>', 'receivers in each meeting')
        .argParser(parseCount(0, MOST))
        .conflicts('bots'),
    )
    .addOption(
      new Option('--publishers <n>', 'more bots in each meeting that send (default: 1)').argParser(
        parseCount(0, MOST),
      ),
    )
    .addOption(
      new Option('--video <choice>', 'picture that they send (default: 360p)').choices([
        '720p',
        '360p',
        '180p',
        'simulcast',
        'none',
      ]),
    )
    .option('--audio', 'they send sound, too')
    .addOption(
      new Option('--speakers <n>', 'how many of them speak at once, in turn (default: all)').argParser(
        parseCount(0, MOST),
      ),
    )
    .addOption(
      new Option('--layout <layout>', 'receive what such a view shows; else all').choices([
        'gallery',
        'speaker',
      ]),
    )
    .addOption(
      new Option('--max-height <lines>', 'receive no picture that is higher').argParser(parseCount(1, 8_640)),
    )
    .addOption(
      new Option('--media <file,…>', 'clips to send in place of those of the package').argParser(parseList),
    )
    .addOption(new Option('--ramp <rate>', 'joins a second, as 20/s (default: 20/s)').argParser(parseRate))
    .addOption(
      new Option('--duration <time>', 'how long to measure after all have joined (default: 30s)').argParser(
        parseTimeText,
      ),
    )
    .addOption(
      new Option('--join-leave <rate>', 'bots that leave, and others that join, as 20/s').argParser(
        parseRate,
      ),
    )
    .addOption(new Option('--chat <rate>', 'messages that are written, as 5/s').argParser(parseRate))
    .addOption(
      new Option('--threshold <condition>', "what has to be reached, as 'loss<0.5%' (may be repeated)")
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--check <n|all>', 'decrypt and check one packet in so many (default: 50)').argParser(
        (text) => (text === 'all' ? text : parseCount(1, MOST)(text)),
      ),
    )
    .addOption(
      new Option('--seed <n>', 'chooses who speaks and who leaves (default: 1)').argParser(
        parseCount(0, 2 ** 32 - 1),
      ),
    )
    .addOption(
      new Option(
        '--max-lag <time>',
        "lateness of the tester's event loop from which a result is invalid (default: 50ms)",
      ).argParser(parseTimeText),
    )
    .addOption(
      new Option('--workers <n>', 'processes that hold the bots (default: one a core)').argParser(
        parseCount(1, 1_024),
      ),
    )
    .addOption(
      new Option(
        '--hosts <host:port,…>',
        'machines that run `meet load-agent`, in place of this one',
      ).argParser(parseList),
    )
    .addOption(new Option('--secret <secret>', "the agents' secret").env('MEET_LOAD_SECRET'))
    .addOption(new Option('--password <text>', "the meeting's password").env('MEET_PASSWORD'))
    .addOption(
      new Option('--metrics-token <token>', "token of the server's /metrics").env('MEET_METRICS_TOKEN'),
    )
    .option('--junit <file>', 'write thresholds and checks as JUnit XML')
    .option('--html <file>', 'write a page with plots')
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg that encodes the clips').env('MEET_FFMPEG'));
  action<LoadCommandOptions>(load, async (deps, options, args) => {
    const [url = ''] = args;
    const { runLoadCommand } = await import('../load/run.ts');
    return await runLoadCommand(deps, url, options);
  });
}
