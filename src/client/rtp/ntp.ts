/** NTP timestamps as RTCP carries them (RFC 3550 section 4). */

/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_UNIX_OFFSET_S = 2_208_988_800;
const TWO_32 = 2 ** 32;

/** A 64-bit NTP timestamp: unsigned seconds since 1900 and 1/2^32 fractions of one. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** `ms` is milliseconds since the Unix epoch, fractions included. */
export function toNtp(ms: number): NtpTime {
  let seconds = Math.floor(ms / 1000);
  let fraction = Math.round(((ms - seconds * 1000) / 1000) * TWO_32);
  if (fraction >= TWO_32) {
    fraction = 0;
    seconds += 1;
  }
  return { seconds: (seconds + NTP_UNIX_OFFSET_S) % TWO_32, fraction };
}

/** Milliseconds since the Unix epoch; seconds below 2^31 are of the era after 2036 (RFC 4330 section 3). */
export function fromNtp({ seconds, fraction }: NtpTime): number {
  const era = seconds < 2 ** 31 ? TWO_32 : 0;
  return (seconds + era - NTP_UNIX_OFFSET_S) * 1000 + (fraction / TWO_32) * 1000;
}

/** The middle 32 bits, as LSR, LRR and DLSR use them: 16 bits of seconds and 1/65536 fractions. */
export function compactNtp({ seconds, fraction }: NtpTime): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/** Milliseconds of a compact duration (units of 1/65536 s). */
export function compactToMs(compact: number): number {
  return (compact * 1000) / 65_536;
}

/** A duration in units of 1/65536 s, capped to 32 bits. */
export function msToCompact(ms: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round((ms * 65_536) / 1000)));
}

/**
 * Round trip in milliseconds out of a report block or DLRR block (RFC 3550 section 6.4.1): `undefined` where
 * the other side has not heard of us yet, or where the figures cannot be.
 */
export function roundTripMs(nowMs: number, last: number, delay: number): number | undefined {
  if (last === 0) return undefined;
  const elapsed = (compactNtp(toNtp(nowMs)) - last - delay) | 0;
  // The clocks of both ends tick in 1/65536 s, so a round trip on loopback may come out just below zero.
  if (elapsed < -66 || elapsed > 65_536 * 60) return undefined;
  return Math.max(0, compactToMs(elapsed));
}

/** Bytes of abs-capture-time without the estimated offset of the capture clock. */
export const ABS_CAPTURE_TIME_BYTES = 8;

/** Writes abs-capture-time: the NTP time in 32.32 fixed point. */
export function writeAbsCaptureTime(target: Buffer, offset: number, ms: number): void {
  const { seconds, fraction } = toNtp(ms);
  target.writeUInt32BE(seconds, offset);
  target.writeUInt32BE(fraction, offset + 4);
}

/** Milliseconds since the Unix epoch; `undefined` for a value that is too short or zero. */
export function readAbsCaptureTime(value: Buffer): number | undefined {
  if (value.length < ABS_CAPTURE_TIME_BYTES) return undefined;
  const seconds = value.readUInt32BE(0);
  return seconds === 0 ? undefined : fromNtp({ seconds, fraction: value.readUInt32BE(4) });
}

/** abs-send-time: 24 bits, 6 of seconds and 18 of fraction (http://webrtc.org/experiments/rtp-hdrext). */
export function absSendTime(ms: number): number {
  return Math.floor((ms / 1000) * 262_144) % 0x100_0000;
}
