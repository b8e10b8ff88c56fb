/** What turns speech into text. */
export interface SpokenWord {
  /** Milliseconds from the beginning of the piece. */
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

export interface SpokenSegment extends SpokenWord {
  /** Where the provider gives them, cues begin and end with words. */
  readonly words?: readonly SpokenWord[];
}

/** A piece of a track, 16 kHz and mono. */
export interface SpeechFile {
  readonly path: string;
  readonly durationMs: number;
}

/** A provider of transcripts. */
export interface Transcriber {
  /** As a person knows it, with its model. */
  readonly name: string;
  /** Of the file that it wants. */
  readonly audio: 'flac' | 'wav';
  /** Longest piece that it takes, milliseconds. */
  readonly maximumMs: number;
  /** A silence of this length begins a new piece, milliseconds: the provider neither hears nor bills it. */
  readonly pauseMs: number;
  /** How many pieces it is given at once. */
  readonly concurrency: number;
  /** BCP 47, where it was chosen. */
  readonly language?: string | undefined;
  /**
   * @throws MeetError `transcription-failed` when another try may help, `transcription-refused` when none will
   */
  transcribe(speech: SpeechFile, signal?: AbortSignal): Promise<readonly SpokenSegment[]>;
}

/** What a transcriber hears, hertz: speech models are made for it. */
export const SPEECH_RATE = 16_000;
