/** The transcript of a recording: each track on its own, so that who spoke is known and not guessed. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Ffmpeg } from '../../../media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../../media/ffmpeg/process.ts';
import { MeetError } from '../../../protocol/errors.ts';
import { isPaused, outputDurationMs, outputTimeMs, type Recording } from '../../folder/index.ts';
import { replaceFile } from '../../folder/replace-file.ts';
import type { StoredTrack } from '../../tracks/index.ts';
import { isMissing } from '../place.ts';
import { type RetryOptions, withRetries } from '../retry.ts';
import type { VttCue } from '../vtt/write.ts';
import { orderCues, splitSegments } from './cues.ts';
import { piecesOf, type Span, speechSpans } from './speech.ts';
import { TrackAudio } from './track-audio.ts';
import type { SpokenSegment, Transcriber } from './types.ts';

export interface TranscriptJob {
  readonly ffmpeg: Ffmpeg;
  readonly transcriber: Transcriber;
  readonly recording: Pick<Recording, 'startedAt' | 'stoppedAt' | 'pauses'>;
  /** Keeps what is transcribed, so that an interrupted job goes on. */
  readonly partsFolder: string;
  /** For files that are gone with the job. */
  readonly workFolder: string;
  readonly retry?: RetryOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How closely the edges of pauses are kept. */
const PAUSE_STEP_MS = 20;

const Word = { startMs: Type.Number(), endMs: Type.Number(), text: Type.String() };
const Part = Type.Array(Type.Object({ ...Word, words: Type.Optional(Type.Array(Type.Object(Word))) }));

/**
 * Transcribes the tracks one after the other and gives the cues of all, in output time.
 *
 * @throws MeetError `transcription-failed`, `transcription-refused`, `ffmpeg-failed`, `disk-full`; what was transcribed
 *   by then is kept
 */
export async function transcribeTracks(
  tracks: readonly StoredTrack[],
  job: TranscriptJob,
): Promise<VttCue[]> {
  const cues: VttCue[] = [];
  await mkdir(job.partsFolder, { recursive: true });
  for (const track of tracks) {
    for (const { startMs, endMs, text } of await transcribeTrack(track, job)) {
      const from = track.capturedAt(startMs);
      // What a provider heard of a pause's edge is not in the recording.
      if (isPaused(job.recording, from)) continue;
      cues.push({
        startMs: outputTimeMs(job.recording, from),
        endMs: outputTimeMs(job.recording, track.capturedAt(endMs)),
        speaker: track.participantName,
        text,
      });
    }
  }
  return orderCues(cues, outputDurationMs(job.recording, Number.POSITIVE_INFINITY));
}

/** What was said in one track, at times of its file. */
async function transcribeTrack(track: StoredTrack, job: TranscriptJob) {
  const { ffmpeg, transcriber, workFolder, signal } = job;
  const pcm = join(workFolder, 'track.pcm');
  const audio = await TrackAudio.decode(ffmpeg, track.path, pcm, signal);
  try {
    const spans = speechSpans(audio.levels).flatMap((span) => recordedParts(span, track, job.recording));
    const pieces = piecesOf(spans, audio.levels, transcriber);
    const found: (readonly SpokenSegment[])[] = [];
    const waiting = pieces.entries();
    const failure = new AbortController();
    const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
    const work = async () => {
      for (const [index, piece] of waiting) {
        stop.throwIfAborted();
        found[index] = moved(await transcribePiece(track, audio, piece, { ...job, signal: stop }), piece);
      }
    };
    const workers = Array.from({ length: transcriber.concurrency }, () =>
      work().catch((error: unknown) => {
        // The others have no need to go on; the first reason is the one that counts.
        failure.abort(error);
      }),
    );
    await Promise.all(workers);
    stop.throwIfAborted();
    return splitSegments(found.flat());
  } finally {
    await rm(pcm, { force: true });
  }
}

/** The parts of a span that are in the recording: what was said in a pause is given to nobody. */
function recordedParts(span: Span, track: StoredTrack, recording: Pick<Recording, 'pauses'>): Span[] {
  if (recording.pauses.length === 0) return [span];
  const parts: { startMs: number; endMs: number }[] = [];
  for (let at = span.startMs; at < span.endMs; at += PAUSE_STEP_MS) {
    const endMs = Math.min(span.endMs, at + PAUSE_STEP_MS);
    if (isPaused(recording, track.capturedAt(at)) || isPaused(recording, track.capturedAt(endMs))) continue;
    const last = parts.at(-1);
    if (last?.endMs === at) last.endMs = endMs;
    else parts.push({ startMs: at, endMs });
  }
  return parts;
}
async function transcribePiece(track: StoredTrack, audio: TrackAudio, piece: Span, job: TranscriptJob) {
  const { ffmpeg, transcriber, partsFolder, workFolder, retry, signal } = job;
  const name = `${basename(track.path)}-${Math.round(piece.startMs)}-${Math.round(piece.endMs)}`;
  const kept = join(partsFolder, `${name}.json`);
  const known = await readPart(kept);
  if (known) return known;
  const wav = join(workFolder, `${name}.wav`);
  const flac = join(workFolder, `${name}.flac`);
  try {
    await audio.writeWav(piece, wav);
    if (transcriber.audio === 'flac') await encodeFlac(ffmpeg, wav, flac);
    const path = transcriber.audio === 'flac' ? flac : wav;
    const durationMs = piece.endMs - piece.startMs;
    const segments = await withRetries(() => transcriber.transcribe({ path, durationMs }, signal), {
      ...retry,
      signal,
    });
    await replaceFile(kept, JSON.stringify(segments));
    return segments;
  } finally {
    await Promise.all([wav, flac].map((path) => rm(path, { force: true })));
  }
}

async function readPart(path: string): Promise<SpokenSegment[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Value.Check(Part, value) ? value : undefined;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw new MeetError('no-permission', `${path} cannot be read.`, { cause: error });
  }
}

async function encodeFlac(ffmpeg: Ffmpeg, wav: string, flac: string): Promise<void> {
  const args = ['-v', 'error', '-i', `file:${wav}`, '-c:a', 'flac', '-f', 'flac', '-y', `file:${flac}`];
  const child = new FfmpegProcess({ path: ffmpeg.path, args, outputs: 0 });
  const failure = exitFailure(await child.exit, `encoding ${wav}`);
  if (failure) throw failure;
}

/** From the piece's clock to the track's. */
const moved = (segments: readonly SpokenSegment[], { startMs }: Span): SpokenSegment[] =>
  segments.map((segment) => ({
    ...segment,
    startMs: segment.startMs + startMs,
    endMs: segment.endMs + startMs,
    ...(segment.words && {
      words: segment.words.map((word) => ({
        ...word,
        startMs: word.startMs + startMs,
        endMs: word.endMs + startMs,
      })),
    }),
  }));
