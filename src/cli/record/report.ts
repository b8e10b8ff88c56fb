import { harmless } from '../../client/chat/text.ts';
import { ERRORS, EXIT, MeetError } from '../../protocol/errors.ts';
import type { RecorderEvent } from '../../protocol/recorder.ts';
import type { VideoEncoding } from '../../recorder/encode/settings.ts';
import type { LiveRecording } from '../../recorder/live/live-recording.ts';
import type { LiveOutputs } from '../../recorder/live/open-live.ts';
import type { Ending } from '../../recorder/session/end-watch.ts';
import type { RecorderSession } from '../../recorder/session/session.ts';
import type { Output } from '../output.ts';

/** Why a recording is over, for people. */
const WORDS: Readonly<Record<string, string>> = {
  stopped: 'The recording was stopped.',
  interrupted: 'The recording was interrupted.',
  duration: 'The time to record is over.',
  empty: 'Nobody is there any more.',
  ended: 'The meeting has ended.',
  removed: 'A host removed the recorder.',
};

type EventName = RecorderEvent['event'];
type EventData<N extends EventName> = Omit<Extract<RecorderEvent, { event: N }>, 'event' | 'at'>;

/** Turns what a recorder does into events and lines. */
export class RecordReporter {
  readonly #output: Output;

  /** Without a session for a recording that was over before. */
  constructor({ session, output }: { session?: RecorderSession; output: Output }) {
    this.#output = output;
    if (session !== undefined) this.#listen(session);
  }

  /** Tells of the picture, the file and the upload too. */
  watch(live: LiveRecording, { file, upload }: LiveOutputs): void {
    live.on('restarted', ({ error }) => this.#trouble('encoder-restarted', error));
    live.on('decoder-failed', (error) => this.#trouble('decoder-restarted', error));
    live.on('failed', (error) => this.#trouble('encoder-failed', error));
    live.on('slow', ({ from, to }) => {
      this.#output.event('slow', { from: nameOf(from), ...(to === undefined ? {} : { to: nameOf(to) }) });
      this.#output.note(
        to === undefined
          ? `This machine is too slow to encode all pictures, even with ${nameOf(from)}.`
          : `This machine is too slow for ${nameOf(from)}; going on with ${nameOf(to)}.`,
      );
    });
    file.on('lost', (fragments) => {
      this.#output.event('live-lost', { fragments });
      this.#output.note(`The disk was full for too long: ${fragments} s are missing in the file.`);
    });
    upload?.on('fault', ({ error, attempt }) => {
      this.#output.event('upload-fault', { code: error.code, message: error.message, attempt });
      if (attempt === 1) this.#output.note(`Uploading again: ${harmless(error.message)}`);
    });
    upload?.on('stopped', (error) => this.#trouble('upload-stopped', error));
  }

  /** Says that nothing more is recorded, and why. */
  stopped({ reason }: Ending): void {
    this.#event('stopped', { reason });
    this.#output.line(WORDS[reason] ?? `The recording is over (${reason}).`);
  }

  /** Says what went wrong. */
  failed(error: MeetError): void {
    this.#output.error(error);
  }

  /** Says where the recording is. */
  uploaded(location: string): void {
    this.#event('uploaded', { location });
    this.#output.line(`Uploaded to ${harmless(location)}.`);
  }

  /** Says that all is there. */
  finished(result: EventData<'finished'>): void {
    this.#event('finished', result);
    this.#output.line(`Recorded ${(result.durationMs / 1000).toFixed(1)} s, ${result.sizeBytes} bytes.`);
  }

  #listen(session: RecorderSession): void {
    const { client, folder } = session;
    const output = this.#output;
    output.event('joined', {
      meetingId: client.meeting.id,
      participantId: client.self.id,
      folder: folder.path,
    });
    output.line(`Recording ${client.meeting.id} into ${harmless(folder.path)}.`);
    if (session.startedAt === undefined) output.line('Waiting for somebody to come …');
    else this.#started(session.startedAt);
    session.on('started', (startedAt) => this.#started(startedAt));
    session.on('paused', () => this.#state(session));
    session.on('layout', () => this.#state(session));
    session.on('disk-full', (error) => {
      this.#event('disk-full', {});
      output.note(`${harmless(error.message)} What is recorded stays; it goes on when there is room.`);
    });
    session.on('disk-ok', () => {
      this.#event('disk-free', {});
      output.note('There is room on the disk again; recording goes on.');
    });
    client.on('reconnecting', ({ reason, attempt }) => {
      output.event('reconnecting', { reason, attempt });
      if (attempt === 1) output.note(`Reconnecting: ${harmless(reason)} …`);
    });
    client.on('reconnected', ({ ms }) => {
      output.event('reconnected', { ms });
      output.note(`Back after ${(ms / 1000).toFixed(1)} s.`);
    });
  }

  #started(startedAt: number): void {
    this.#event('recording-started', { startedAt });
    this.#output.line('Recording.');
  }

  #state({ paused, layout, pin }: RecorderSession): void {
    const pinned = pin === undefined ? {} : { pin };
    this.#event('recording-state', { state: paused ? 'paused' : 'recording', layout, ...pinned });
    this.#output.line(paused ? 'Paused.' : `Recording, layout ${layout}.`);
  }

  #trouble(event: string, error: MeetError): void {
    this.#output.event(event, { code: error.code, message: error.message });
    this.#output.note(harmless(error.message));
  }

  #event<N extends EventName>(name: N, data: EventData<N>): void {
    this.#output.event(name, data);
  }
}

function nameOf({ encoder, step }: VideoEncoding): string {
  return step === '' ? encoder : `${encoder} (${step})`;
}

/** The error that an ending is, or nothing where it is none. */
export function errorOf({ reason, error }: Ending): MeetError | undefined {
  if (error !== undefined) return error;
  if (reason === 'server-unreachable' || reason === 'connection-failed' || reason === 'token-expired')
    return new MeetError(reason, ERRORS[reason].about);
  if (reason === 'removed' || reason === 'replaced') return new MeetError(reason, ERRORS[reason].about);
  if (reason === 'failed') return new MeetError('internal', 'The recording ended after a failure.');
  return undefined;
}

/** Exit code of an ending: what was recorded until a signal came is a recording all the same. */
export function exitCodeOf(ending: Ending): number {
  const error = errorOf(ending);
  if (error !== undefined) return error.exitCode;
  return ending.reason === 'interrupted' ? EXIT.interrupted : EXIT.done;
}
