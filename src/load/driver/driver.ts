/** A driver: holds bots, does what the coordinator orders, and reports what they measure once a second. */
import { readFile } from 'node:fs/promises';
import { expectManyMessages } from '../../client/signaling/connection.ts';
import { MediaTransport } from '../../client/transport/werift.ts';
import { CLIPS } from '../../media/clips.ts';
import { MeetError } from '../../protocol/errors.ts';
import { Bot } from '../bot/bot.ts';
import { monotonicMs, RunClock } from '../clock.ts';
import { Tally } from '../measure/tally.ts';
import { type LoadMedia, openLoadSource } from '../media/source.ts';
import { speaks } from '../media/speech.ts';
import type { BotPlan, DriverSetup, Order, ReportChannel, Sample } from './protocol.ts';
import { SelfWatch } from './self-watch.ts';

const SAMPLE_MS = 1_000;
/** Leaving is some ten requests a core and millisecond at best; more at once would only wait for each other. */
const LEAVES_AT_ONCE = 50;

export interface DriverOptions {
  /** Where encoded media is kept on this machine. */
  readonly cacheDir: string;
}

/** Resolves when the run is over or the coordinator is gone, and nothing is left running. */
export function runDriver(channel: ReportChannel, options: DriverOptions): Promise<void> {
  const driver = new Driver(channel, options);
  return driver.done;
}

class Driver {
  readonly #channel: ReportChannel;
  readonly #options: DriverOptions;
  readonly #clock = new RunClock();
  readonly #tally = new Tally();
  readonly #watch = new SelfWatch();
  readonly #bots = new Map<number, Bot>();
  readonly #done = Promise.withResolvers<void>();
  #setup: DriverSetup | undefined;
  #media: LoadMedia | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;

  constructor(channel: ReportChannel, options: DriverOptions) {
    this.#channel = channel;
    this.#options = options;
    channel.onOrder((order) => this.#obey(order));
    channel.onClosed(() => void this.#end(false));
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  #obey(order: Order): void {
    switch (order.type) {
      case 'setup':
        void this.#prepare(order.setup);
        break;
      case 'clock':
        this.#channel.send({ type: 'clock', id: order.id, monotonicMs: monotonicMs() });
        break;
      case 'set-clock':
        this.#clock.set(order.offsetMs);
        break;
      case 'join':
        void this.#join(order.bot);
        break;
      case 'leave':
        void this.#leave(order.id);
        break;
      case 'chat':
        void this.#bots.get(order.id)?.say();
        break;
      case 'sample':
        void this.#sample(order.id);
        break;
      case 'end':
        void this.#end(true);
        break;
    }
  }

  async #prepare(setup: DriverSetup): Promise<void> {
    this.#setup = setup;
    this.#media = { files: CLIPS, ...setup.media, cacheDir: this.#options.cacheDir };
    try {
      MediaTransport.preload();
      expectManyMessages();
      await this.#encode(this.#media);
      this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
      this.#channel.send({ type: 'ready', machine: await machineId() });
    } catch (cause) {
      const { code, message, hint } = MeetError.from(cause);
      this.#channel.send({ type: 'failed', code, message, ...(hint === undefined ? {} : { hint }) });
    }
  }

  /** A clip is encoded before the run, not while it measures. */
  async #encode(media: LoadMedia): Promise<void> {
    if (media.video === 'none' && !media.audio) return;
    for (const index of media.files.keys()) {
      const source = await openLoadSource(media, index, () => true);
      await source.close();
    }
  }

  async #join(plan: BotPlan): Promise<void> {
    const { id } = plan;
    let bot: Bot | undefined;
    try {
      bot = await this.#makeBot(plan);
      if (this.#ending !== undefined) {
        await bot.leave();
        return;
      }
      this.#bots.set(id, bot);
      this.#listen(bot);
      await bot.join();
      this.#channel.send({ type: 'joined', id });
    } catch (cause) {
      const { code, message } = MeetError.from(cause);
      // Who is told to leave meanwhile has not failed.
      if (this.#bots.get(id) !== bot) return;
      this.#bots.delete(id);
      this.#channel.send({ type: 'join-failed', id, code, message });
      if (bot !== undefined) this.#channel.send({ type: 'left', record: bot.record });
    }
  }

  async #makeBot({ publishes, ...plan }: BotPlan): Promise<Bot> {
    const media = this.#media;
    const setup = this.#setup;
    if (media === undefined || setup === undefined)
      throw new MeetError('internal', 'A join before the set-up.');
    const clock = this.#clock;
    const source =
      publishes === undefined
        ? undefined
        : await openLoadSource(media, publishes.index, () =>
            speaks(publishes.speech, publishes.index, clock.now()),
          );
    return new Bot({
      ...plan,
      ...(source === undefined ? {} : { source }),
      checkOneIn: setup.checkOneIn,
      clock,
      tally: this.#tally,
    });
  }

  #listen(bot: Bot): void {
    const { id } = bot;
    bot.on('first-media', () => this.#channel.send({ type: 'first-media', id }));
    bot.on('down', (reason) => this.#channel.send({ type: 'down', id, reason }));
    bot.on('up', (ms) => this.#channel.send({ type: 'up', id, ms }));
    bot.on('dropped', () => {
      this.#bots.delete(id);
      this.#channel.send({ type: 'dropped', record: bot.record });
    });
  }

  async #leave(id: number): Promise<void> {
    const bot = this.#bots.get(id);
    if (bot === undefined) return;
    this.#bots.delete(id);
    this.#channel.send({ type: 'left', record: await bot.leave() });
  }

  async #sample(id?: number): Promise<void> {
    const sample = await this.#takeSample();
    this.#channel.send({ type: 'sample', sample, ...(id === undefined ? {} : { id }) });
  }

  async #takeSample(last = false): Promise<Sample> {
    for (const bot of this.#bots.values()) bot.sample();
    const health = await this.#watch.take(last);
    const counters = { ...this.#tally.counters };
    return { atMs: this.#clock.now(), counters, durations: this.#tally.takeDurations(), health };
  }

  #end(report: boolean): Promise<void> {
    this.#ending ??= this.#close(report).then(this.#done.resolve, this.#done.reject);
    return this.#ending;
  }

  async #close(report: boolean): Promise<void> {
    clearInterval(this.#timer);
    // What leaving does to the figures is no part of the run.
    const sample = report ? await this.#takeSample(true) : undefined;
    const ids = [...this.#bots.keys()];
    const leaveNext = async (): Promise<void> => {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) await this.#leave(id);
    };
    await Promise.all(Array.from({ length: LEAVES_AT_ONCE }, leaveNext));
    this.#watch.close();
    if (sample !== undefined) this.#channel.send({ type: 'ended', sample });
  }
}

/** The same for all processes that have the same monotonic clock: those of one boot of one kernel. */
async function machineId(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  return boot?.trim() ?? `process ${process.pid}`;
}
