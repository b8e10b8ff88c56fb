/** The coordinator's end of the line to one driver. */
import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import { type ClockSample, clockOffset, monotonicMs } from '../clock.ts';
import type { DriverSetup, Order, Report, Sample } from './protocol.ts';

/** What carries orders and reports, whatever it is made of. */
export interface DriverLine {
  /** Where the driver runs, for people. */
  readonly name: string;
  /** The same for all drivers of one machine. */
  readonly host: string;
  send(order: Order): void;
  onReport(listener: (report: Report) => void): void;
  /** Comes once, with what is known of the reason. */
  onClosed(listener: (reason: string) => void): void;
  /** Ends the driver's process. */
  close(): Promise<void>;
}

interface LinkEvents {
  report: [report: Report];
  closed: [reason: string];
}

/** Exchanges of times whose shortest round trip counts. */
const CLOCK_EXCHANGES = 20;
/** A clip may have to be encoded first. */
const SETUP_PATIENCE_MS = 10 * 60_000;

export class DriverLink extends EventEmitter<LinkEvents> {
  readonly #line: DriverLine;
  readonly #clocks = new Map<number, (remoteMs: number) => void>();
  readonly #samples = new Map<number, (sample: Sample | undefined) => void>();
  readonly #ready = Promise.withResolvers<string>();
  #nextId = 0;
  /** By how much its clock may be off, milliseconds; 0 for a driver on this machine. */
  clockErrorMs = 0;
  #closed = false;

  constructor(line: DriverLine) {
    super();
    this.#line = line;
    this.#ready.promise.catch(() => {});
    line.onReport((report) => this.#take(report));
    line.onClosed((reason) => {
      if (this.#closed) return;
      this.#closed = true;
      for (const answer of this.#clocks.values()) answer(Number.NaN);
      for (const answer of this.#samples.values()) answer(undefined);
      this.#ready.reject(new MeetError('server-unreachable', `The driver ${line.name} ended: ${reason}.`));
      this.emit('closed', reason);
    });
  }

  /** The machine that it is on. */
  get host(): string {
    return this.#line.host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get name(): string {
    return this.#line.name;
  }

  send(order: Order): void {
    if (!this.#closed) this.#line.send(order);
  }

  #take(report: Report): void {
    if (report.type === 'clock') {
      this.#clocks.get(report.id)?.(report.monotonicMs);
      this.#clocks.delete(report.id);
    } else if (report.type === 'ready') this.#ready.resolve(report.machine);
    else if (report.type === 'failed') {
      const { code, message, hint } = report;
      this.#ready.reject(new MeetError(code, message, hint === undefined ? {} : { hint }));
    } else {
      this.emit('report', report);
      if (report.type !== 'sample' || report.id === undefined) return;
      this.#samples.get(report.id)?.(report.sample);
      this.#samples.delete(report.id);
    }
  }

  /** Asks for the figures of now; resolves when they have been reported, or the driver is gone. */
  async sample(): Promise<void> {
    if (this.#closed) return;
    const id = this.#nextId++;
    await new Promise((resolve) => {
      this.#samples.set(id, resolve);
      this.send({ type: 'sample', id });
    });
  }

  /**
   * Prepares the driver and sets its clock.
   *
   * @param machine this machine's id: a driver on it has the same clock already
   * @param epochMs the run's time minus this machine's monotonic clock
   * @throws MeetError what the driver failed with
   */
  async prepare(setup: DriverSetup, machine: string, epochMs: number): Promise<void> {
    this.send({ type: 'setup', setup });
    const patience = setTimeout(
      () =>
        this.#ready.reject(new MeetError('server-unreachable', `The driver ${this.name} does not answer.`)),
      SETUP_PATIENCE_MS,
    );
    try {
      const its = await this.#ready.promise;
      if (its === machine) this.send({ type: 'set-clock', offsetMs: epochMs });
      else await this.alignClock(epochMs);
    } finally {
      clearTimeout(patience);
    }
  }

  /** Measures the driver's clock against ours and sets it. Crystals drift by some ms a minute, so it is repeated. */
  async alignClock(epochMs: number): Promise<void> {
    const samples: ClockSample[] = [];
    for (let exchange = 0; exchange < CLOCK_EXCHANGES && !this.#closed; exchange += 1) {
      const id = this.#nextId++;
      const sentMs = monotonicMs();
      const remoteMs = await new Promise<number>((resolve) => {
        this.#clocks.set(id, resolve);
        this.send({ type: 'clock', id });
      });
      if (Number.isNaN(remoteMs)) return;
      samples.push({ sentMs, remoteMs, receivedMs: monotonicMs() });
    }
    const { offsetMs, errorMs } = clockOffset(samples);
    this.clockErrorMs = errorMs;
    this.send({ type: 'set-clock', offsetMs: epochMs - offsetMs });
  }

  async close(): Promise<void> {
    await this.#line.close();
  }
}
