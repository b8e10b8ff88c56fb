/** The bots of a run: who is in which meeting on which driver, and what became of them. */
import { EventEmitter } from 'node:events';
import type { BotRecord } from '../bot/figures.ts';
import type { DriverLink } from '../driver/link.ts';
import type { BotPlan, Report } from '../driver/protocol.ts';
import type { Scenario } from '../scenario/types.ts';
import { seededRandom } from '../seeded.ts';

/** Lines of the pictures that are sent: receivers ask for no higher ones. */
const HEIGHTS: Readonly<Record<Scenario['video'], number | undefined>> = {
  '720p': 720,
  '360p': 360,
  '180p': 180,
  simulcast: undefined,
  none: undefined,
};

type State = 'joining' | 'in' | 'leaving';

interface Member {
  readonly id: number;
  readonly driver: DriverLink;
  readonly meeting: number;
  readonly publishes: boolean;
  state: State;
  down: boolean;
}

export interface CrowdError {
  readonly code: string;
  readonly message: string;
  count: number;
}

interface CrowdEvents {
  /** A bot has joined, failed, left or was dropped. */
  settled: [];
}

export interface CrowdOptions {
  readonly scenario: Scenario;
  readonly meetings: readonly string[];
  readonly password?: string;
  readonly drivers: readonly DriverLink[];
}

export class Crowd extends EventEmitter<CrowdEvents> {
  readonly #options: CrowdOptions;
  readonly #members = new Map<number, Member>();
  readonly #random: () => number;
  readonly #errors = new Map<string, CrowdError>();
  /** Of all bots that are over. */
  readonly records: BotRecord[] = [];
  #next = 0;
  #receivers = 0;

  constructor(options: CrowdOptions) {
    super();
    this.#options = options;
    this.#random = seededRandom(options.scenario.seed);
    for (const driver of options.drivers) {
      driver.on('report', (report) => this.#take(report));
      driver.on('closed', () => this.#lose(driver));
    }
  }

  /** Bots that are in a meeting. */
  get size(): number {
    return this.#count(({ state }) => state === 'in');
  }

  get joining(): number {
    return this.#count(({ state }) => state === 'joining');
  }

  /** Bots whose connection is broken at the moment. */
  get down(): number {
    return this.#count(({ down }) => down);
  }

  get errors(): CrowdError[] {
    return [...this.#errors.values()].sort((a, b) => b.count - a.count);
  }

  #count(matches: (member: Member) => boolean): number {
    let count = 0;
    for (const member of this.#members.values()) if (matches(member)) count += 1;
    return count;
  }

  /** Sends one publisher into a meeting; `index` is its number there. */
  addPublisher(meeting: number, index: number): void {
    const { publishers, speakers, seed } = this.#options.scenario;
    const speech = { publishers, speakers, seed: seed + meeting };
    this.#add(meeting, `Publisher ${index + 1}`, { index, speech });
  }

  /** Sends one more receiver into the meetings in turn, or into a given one. */
  addReceiver(meeting = this.#receivers % this.#options.meetings.length): void {
    this.#receivers += 1;
    this.#add(meeting, `Bot ${this.#receivers}`);
  }

  #add(meeting: number, name: string, publishes?: BotPlan['publishes']): void {
    const { scenario, meetings, password, drivers } = this.#options;
    const id = this.#next++;
    const driver = drivers[id % drivers.length]!;
    const { video, audio, layout } = scenario;
    const maxHeight = scenario.maxHeight ?? HEIGHTS[video];
    this.#members.set(id, {
      id,
      driver,
      meeting,
      publishes: publishes !== undefined,
      state: 'joining',
      down: false,
    });
    driver.send({
      type: 'join',
      bot: {
        id,
        name,
        meeting: meetings[meeting]!,
        ...(password === undefined ? {} : { password }),
        view: {
          // Publishers only send: what they would receive is what the receivers measure.
          audio: audio && publishes === undefined,
          video: video !== 'none' && publishes === undefined,
          ...(layout === undefined ? {} : { layout }),
          ...(maxHeight === undefined ? {} : { maxHeight }),
        },
        ...(publishes === undefined ? {} : { publishes }),
      },
    });
  }

  /** Has a receiver leave that the seed chooses; gives the meeting that it was in. */
  removeReceiver(): number | undefined {
    const candidates = [...this.#members.values()].filter(
      ({ state, publishes }) => state === 'in' && !publishes,
    );
    const chosen = candidates[Math.floor(this.#random() * candidates.length)];
    if (chosen === undefined) return undefined;
    chosen.state = 'leaving';
    chosen.driver.send({ type: 'leave', id: chosen.id });
    return chosen.meeting;
  }

  /** Has somebody write a message, whom the seed chooses. */
  chat(): void {
    const candidates = [...this.#members.values()].filter(({ state }) => state === 'in');
    const chosen = candidates[Math.floor(this.#random() * candidates.length)];
    chosen?.driver.send({ type: 'chat', id: chosen.id });
  }

  /** Resolves when nobody is joining any more. */
  async settled(signal: AbortSignal): Promise<void> {
    while (this.joining > 0 && !signal.aborted)
      await EventEmitter.once(this, 'settled', { signal }).catch(() => {});
  }

  #take(report: Report): void {
    switch (report.type) {
      case 'joined': {
        const member = this.#members.get(report.id);
        if (member?.state === 'joining') member.state = 'in';
        this.emit('settled');
        break;
      }
      case 'join-failed':
        this.#note(report.code, report.message);
        this.#members.delete(report.id);
        this.emit('settled');
        break;
      case 'left':
      case 'dropped':
        if (report.type === 'dropped') this.#note('dropped', report.record.error ?? 'The bot was dropped.');
        this.#members.delete(report.record.id);
        this.records.push(report.record);
        this.emit('settled');
        break;
      case 'down':
      case 'up': {
        const member = this.#members.get(report.id);
        if (member) member.down = report.type === 'down';
        if (report.type === 'down') this.#note('disconnected', report.reason);
        break;
      }
      default:
    }
  }

  #note(code: string, message: string): void {
    const key = `${code} ${message}`;
    const known = this.#errors.get(key);
    if (known) known.count += 1;
    else this.#errors.set(key, { code, message, count: 1 });
  }

  #lose(driver: DriverLink): void {
    for (const [id, member] of this.#members) if (member.driver === driver) this.#members.delete(id);
    this.emit('settled');
  }
}
