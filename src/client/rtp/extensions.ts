/** The header extensions that the client understands. */
import type { HeaderExtension } from './packet.ts';

/** The ids that were negotiated (`a=extmap`); what is absent is neither sent nor read. */
export interface ExtensionIds {
  /** RFC 9143. */
  readonly mid?: number;
  /** `rtp-stream-id`, RFC 8852. */
  readonly rid?: number;
  /** `repaired-rtp-stream-id`, RFC 8852: on RTX packets only. */
  readonly repairedRid?: number;
  /** draft-holmer-rmcat-transport-wide-cc-extensions-01. */
  readonly transportCc?: number;
  readonly absSendTime?: number;
  /** `abs-capture-time` (http://www.webrtc.org/experiments/rtp-hdrext): on the first packet of a frame. */
  readonly absCaptureTime?: number;
  /** RFC 6464, client to mixer. */
  readonly audioLevel?: number;
}

/** RFC 6464: voice-activity flag and the level in −dBov (0 loudest, 127 silence) in one byte. */
export interface AudioLevel {
  readonly voice: boolean;
  readonly level: number;
}

export function readAudioLevel(value: Buffer): AudioLevel | undefined {
  const byte = value[0];
  return byte === undefined ? undefined : { voice: (byte & 0x80) !== 0, level: byte & 0x7f };
}

/**
 * −dBov above which an Opus frame counts as voice. Comfort noise and room tone lie under −60 dBov; mixers only
 * take the flag as a hint.
 */
const VOICE_LEVEL = 60;

export function audioLevelByte(level: number): number {
  const clamped = Math.min(127, Math.max(0, Math.round(level)));
  return (clamped <= VOICE_LEVEL ? 0x80 : 0) | clamped;
}

/** The extensions that name a stream; the others are filled in for each packet. */
export function streamExtensions(
  ids: ExtensionIds,
  stream: { readonly mid?: string; readonly rid?: string; readonly repairedRid?: string },
): HeaderExtension[] {
  const extensions: HeaderExtension[] = [];
  for (const name of ['mid', 'rid', 'repairedRid'] as const) {
    const id = ids[name];
    const value = stream[name];
    if (id !== undefined && value) extensions.push({ id, data: Buffer.from(value, 'ascii') });
  }
  return extensions;
}
