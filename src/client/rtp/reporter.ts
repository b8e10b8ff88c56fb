import { compactNtp, msToCompact, roundTripMs, toNtp } from './ntp.ts';
import type { RoundTrip } from './round-trip.ts';
import { MAX_REPORT_BLOCKS } from './rtcp/reports.ts';
import type { ExtendedReport, ReportBlock, RtcpPacket, SenderReport } from './rtcp/types.ts';
import type { Scheduler, Task } from './scheduler.ts';
import type { RtpSender } from './sender.ts';

/** Mean interval; each is half to one and a half of it, so that many sessions do not report in step. */
const INTERVAL_MS = 1000;
/** The first receiver report is soon: it carries the question for the round trip. */
const FIRST_MS = 100;
/** Sender reports in one compound packet, 28 bytes each, and their CNAMEs: below the usual MTU. */
const MAX_SENDERS = 12;

export interface ReporterOptions {
  readonly scheduler: Scheduler;
  readonly localSsrc: number;
  readonly cname: string;
  readonly senders: ReadonlyMap<number, RtpSender>;
  readonly receivers: ReadonlySet<{ reportBlock(nowMs: number): ReportBlock | undefined }>;
  readonly roundTrip: RoundTrip;
  readonly send: (compound: readonly RtcpPacket[]) => void;
}

/** Sends the periodic reports of a session (RFC 3550 section 6.3, RFC 3611 for the round trip of receivers). */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #task: Task;
  /** Reference times of the other side that are to be answered, by its SSRC. */
  readonly #references = new Map<number, { compact: number; atMs: number }>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#task = options.scheduler.task(() => this.#report());
    this.#task.schedule(options.scheduler.now() + FIRST_MS);
  }

  /** Reports right after the packets that are being sent now. */
  soon(): void {
    this.#task.schedule(this.#options.scheduler.now());
  }

  /** Takes questions and answers about the round trip. */
  handleExtendedReport(report: ExtendedReport, nowMs: number): void {
    if (report.referenceTime) {
      // Only the last few askers are kept: an SFU asks from one SSRC a stream.
      if (this.#references.size >= MAX_REPORT_BLOCKS) this.#references.clear();
      this.#references.set(report.ssrc, { compact: compactNtp(report.referenceTime), atMs: nowMs });
    }
    for (const answer of report.answers) {
      const sample = roundTripMs(nowMs, answer.lastReference, answer.delay);
      if (sample !== undefined) this.#options.roundTrip.add(sample);
    }
  }

  #report(): void {
    const { scheduler, senders, receivers, localSsrc, cname, send } = this.#options;
    const now = scheduler.now();
    this.#task.schedule(now + INTERVAL_MS * (0.5 + Math.random()));
    const reports: SenderReport[] = [];
    for (const sender of senders.values()) {
      const report = sender.senderReport(now);
      if (report) reports.push(report);
    }
    const blocks: ReportBlock[] = [];
    let receives = false;
    for (const receiver of receivers) {
      receives = true;
      const block = receiver.reportBlock(now);
      if (block) blocks.push(block);
    }
    const extended = this.#extendedReport(now, reports[0]?.ssrc ?? localSsrc, receives);
    let first = true;
    while (first || reports.length > 0 || blocks.length > 0) {
      const compound: RtcpPacket[] = reports.splice(0, MAX_SENDERS);
      // Blocks go into compound packets of their own where there are sender reports and many blocks.
      if (compound.length === 0 || blocks.length > 0) {
        const ssrc = compound[0]?.type === 'sender-report' ? compound[0].ssrc : localSsrc;
        const room = compound.length > 4 ? 8 : MAX_REPORT_BLOCKS;
        compound.push({ type: 'receiver-report', ssrc, reports: blocks.splice(0, room) });
      }
      const ssrcs = new Set(compound.flatMap((packet) => ('ssrc' in packet ? [packet.ssrc] : [])));
      compound.push({ type: 'source-description', chunks: [...ssrcs].map((ssrc) => ({ ssrc, cname })) });
      if (first && extended) compound.push(extended);
      first = false;
      send(compound);
    }
  }

  #extendedReport(nowMs: number, ssrc: number, receives: boolean): ExtendedReport | undefined {
    const answers = [...this.#references].map(([asker, { compact, atMs }]) => ({
      ssrc: asker,
      lastReference: compact,
      delay: msToCompact(nowMs - atMs),
    }));
    this.#references.clear();
    if (!receives && answers.length === 0) return undefined;
    return { type: 'extended-report', ssrc, ...(receives && { referenceTime: toNtp(nowMs) }), answers };
  }
}
