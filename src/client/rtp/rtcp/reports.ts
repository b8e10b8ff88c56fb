/** Sender, receiver and extended reports (RFC 3550 sections 6.4.1 and 6.4.2, RFC 3611). */
import type { NtpTime } from '../ntp.ts';
import {
  type ExtendedReport,
  packetTypes,
  type ReceiverReport,
  type ReportBlock,
  type RtcpBody,
  type SenderReport,
} from './types.ts';

const BLOCK_BYTES = 24;
/** Report blocks that the five count bits allow. */
export const MAX_REPORT_BLOCKS = 31;
const RECEIVER_REFERENCE_TIME = 4;
const DLRR = 5;

function readBlocks(body: Buffer, offset: number, count: number): ReportBlock[] | undefined {
  if (body.length < offset + count * BLOCK_BYTES) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const at = offset + i * BLOCK_BYTES;
    return {
      ssrc: body.readUInt32BE(at),
      fractionLost: body[at + 4]!,
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequence: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastSenderReport: body.readUInt32BE(at + 16),
      delaySinceLastSenderReport: body.readUInt32BE(at + 20),
    };
  });
}

function writeBlocks(body: Buffer, offset: number, blocks: readonly ReportBlock[]): void {
  blocks.forEach((block, i) => {
    const at = offset + i * BLOCK_BYTES;
    body.writeUInt32BE(block.ssrc, at);
    body[at + 4] = block.fractionLost;
    body.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost)), at + 5, 3);
    body.writeUInt32BE(block.highestSequence, at + 8);
    body.writeUInt32BE(block.jitter, at + 12);
    body.writeUInt32BE(block.lastSenderReport, at + 16);
    body.writeUInt32BE(block.delaySinceLastSenderReport, at + 20);
  });
}

function readNtp(body: Buffer, offset: number): NtpTime {
  return { seconds: body.readUInt32BE(offset), fraction: body.readUInt32BE(offset + 4) };
}

export function parseSenderReport(count: number, body: Buffer): SenderReport | undefined {
  const reports = readBlocks(body, 24, count);
  if (!reports || body.length < 24) return undefined;
  return {
    type: 'sender-report',
    ssrc: body.readUInt32BE(0),
    ntp: readNtp(body, 4),
    rtpTimestamp: body.readUInt32BE(12),
    packetCount: body.readUInt32BE(16),
    octetCount: body.readUInt32BE(20),
    reports,
  };
}

export function serializeSenderReport(report: SenderReport): RtcpBody {
  const body = Buffer.alloc(24 + report.reports.length * BLOCK_BYTES);
  body.writeUInt32BE(report.ssrc, 0);
  body.writeUInt32BE(report.ntp.seconds, 4);
  body.writeUInt32BE(report.ntp.fraction, 8);
  body.writeUInt32BE(report.rtpTimestamp, 12);
  body.writeUInt32BE(report.packetCount, 16);
  body.writeUInt32BE(report.octetCount, 20);
  writeBlocks(body, 24, report.reports);
  return { count: report.reports.length, packetType: packetTypes.senderReport, body };
}

export function parseReceiverReport(count: number, body: Buffer): ReceiverReport | undefined {
  const reports = readBlocks(body, 4, count);
  if (!reports || body.length < 4) return undefined;
  return { type: 'receiver-report', ssrc: body.readUInt32BE(0), reports };
}

export function serializeReceiverReport(report: ReceiverReport): RtcpBody {
  const body = Buffer.alloc(4 + report.reports.length * BLOCK_BYTES);
  body.writeUInt32BE(report.ssrc, 0);
  writeBlocks(body, 4, report.reports);
  return { count: report.reports.length, packetType: packetTypes.receiverReport, body };
}

export function parseExtendedReport(_count: number, body: Buffer): ExtendedReport | undefined {
  if (body.length < 4) return undefined;
  let referenceTime: NtpTime | undefined;
  const answers: { ssrc: number; lastReference: number; delay: number }[] = [];
  let at = 4;
  while (at + 4 <= body.length) {
    const blockType = body[at]!;
    const start = at + 4;
    const end = start + body.readUInt16BE(at + 2) * 4;
    if (end > body.length) return undefined;
    if (blockType === RECEIVER_REFERENCE_TIME && end - start >= 8) referenceTime = readNtp(body, start);
    if (blockType === DLRR) {
      for (let sub = start; sub + 12 <= end; sub += 12) {
        answers.push({
          ssrc: body.readUInt32BE(sub),
          lastReference: body.readUInt32BE(sub + 4),
          delay: body.readUInt32BE(sub + 8),
        });
      }
    }
    at = end;
  }
  return {
    type: 'extended-report',
    ssrc: body.readUInt32BE(0),
    ...(referenceTime && { referenceTime }),
    answers,
  };
}

export function serializeExtendedReport(report: ExtendedReport): RtcpBody {
  const { referenceTime, answers } = report;
  const body = Buffer.alloc(
    4 + (referenceTime ? 12 : 0) + (answers.length > 0 ? 4 + answers.length * 12 : 0),
  );
  body.writeUInt32BE(report.ssrc, 0);
  let at = 4;
  if (referenceTime) {
    body[at] = RECEIVER_REFERENCE_TIME;
    body.writeUInt16BE(2, at + 2);
    body.writeUInt32BE(referenceTime.seconds, at + 4);
    body.writeUInt32BE(referenceTime.fraction, at + 8);
    at += 12;
  }
  if (answers.length > 0) {
    body[at] = DLRR;
    body.writeUInt16BE(answers.length * 3, at + 2);
    at += 4;
    for (const answer of answers) {
      body.writeUInt32BE(answer.ssrc, at);
      body.writeUInt32BE(answer.lastReference, at + 4);
      body.writeUInt32BE(answer.delay, at + 8);
      at += 12;
    }
  }
  return { count: 0, packetType: packetTypes.extendedReport, body };
}
