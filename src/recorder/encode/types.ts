/** What the encoder gives, and to whom. */
import type { RecordingFormat } from '../types.ts';

/** Whole boxes or clusters of about a second, playable after the initialisation segment and all before them. */
export interface Fragment {
  /** From 1; as in the fragment's `mfhd`. */
  readonly sequence: number;
  /** Output time of its beginning, milliseconds. */
  readonly decodeTimeMs: number;
  readonly durationMs: number;
  /** Begins with a keyframe; always so without pictures. */
  readonly keyframe: boolean;
  readonly bytes: Buffer;
}

/**
 * Where fragments go. A sink never throws and never makes the encoder wait: what it cannot take at once it keeps within
 * bounds of its own, and what goes wrong it tells by events of its own.
 */
export interface Sink {
  /** What stands before the first fragment; comes once. */
  init(bytes: Buffer): void;
  /** The bytes must not be changed. */
  fragment(fragment: Fragment): void;
  /** Settles when all that can be kept is kept. */
  close(): Promise<unknown>;
}

/** What ffmpeg reads and writes. */
export interface StreamShape {
  readonly format: RecordingFormat;
  /** Absent in a recording of sound alone. */
  readonly video?: { readonly width: number; readonly height: number; readonly fps: number };
}

/** How sound is cut into packets. */
export interface AudioPackets {
  /** Samples of each channel. */
  readonly samples: number;
  /** Packets at the beginning whose samples are of before the first one: the encoder's delay. */
  readonly priming: number;
  /** Packets after a beginning that do not sound right yet without the ones before them. */
  readonly preroll: number;
}

/** Of the native `aac` encoder the first packet is all priming; a decoder needs one before to undo the aliasing. */
export const AAC_PACKETS: AudioPackets = { samples: 1024, priming: 1, preroll: 2 };
/** The delay of Opus (312 samples) is in the header as CodecDelay; 80 ms of pre-roll, RFC 7845 section 4.6. */
export const OPUS_PACKETS: AudioPackets = { samples: 960, priming: 0, preroll: 4 };

export const audioPackets = (format: RecordingFormat): AudioPackets =>
  format === 'webm' ? OPUS_PACKETS : AAC_PACKETS;

/** Samples a second of each channel; there are two, interleaved, of 16 bits. */
export const SOUND_RATE = 48_000;
export const SOUND_CHANNELS = 2;

/** An encoded picture; times are numbers of pictures since the beginning of the output. */
export interface CodedPicture {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** When it is decoded. */
  readonly decode: number;
  /** When it is shown; before `decode` for pictures that refer to later ones. */
  readonly show: number;
}

/** An encoded packet of sound; `at` is its first sample's number since the beginning of the output. */
export interface CodedSound {
  readonly data: Buffer;
  readonly at: number;
}

/** What one ffmpeg says of its streams before the first of them. */
export interface StreamHeader {
  /** Parameters that a decoder needs (avcC, AudioSpecificConfig …), which a second ffmpeg must repeat. */
  readonly video?: Buffer;
  readonly audio: Buffer;
  /** As ffmpeg wrote it; what stands in the file for MP4. */
  readonly bytes: Buffer;
}

/** A packet as ffmpeg gave it, in its order. */
export interface StreamPacket {
  readonly track: 'video' | 'audio';
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** Pictures from the decoding to the showing of this one; the first has 0. */
  readonly showOffset: number;
}

/** Reads what one ffmpeg writes. Throws for what ffmpeg never writes. */
export interface StreamReader {
  push(chunk: Buffer): void;
}

/** Puts packets into fragments. */
export interface FragmentWriter {
  /** The segment before the first fragment. */
  init(header: StreamHeader): Buffer;
  fragment(content: FragmentContent): Buffer;
}

export interface FragmentContent {
  readonly sequence: number;
  readonly pictures: readonly CodedPicture[];
  readonly sounds: readonly CodedSound[];
  /** Where the content ends: numbers of a picture and of a sample. */
  readonly end: { readonly picture: number; readonly sample: number };
}
