import { EventEmitter } from 'node:events';
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import { TrackFile, type TrackFileSummary } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';

/** Writes every track that is received to a file of its own in one folder. */
export class TrackSaver extends EventEmitter<{ failed: [error: MeetError] }> {
  readonly #directory: string;
  readonly #files = new Set<Promise<TrackFile | undefined>>();
  #closed: Promise<TrackFileSummary[]> | undefined;

  private constructor(directory: string) {
    super();
    this.#directory = directory;
  }

  /**
   * Makes the folder where it is not there, so that a meeting is not joined for nothing.
   *
   * @throws MeetError `no-permission`, `bad-config`, `disk-full`
   */
  static async open(directory: string): Promise<TrackSaver> {
    try {
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK);
    } catch (cause) {
      throw folderError(directory, cause);
    }
    return new TrackSaver(directory);
  }

  /** Saves the track's frames from now on. */
  add(track: RemoteTrack, participantName: string): void {
    const opening = TrackFile.open({
      directory: this.#directory,
      participantName,
      source: track.source,
      trackId: track.id,
      codec: track.codec,
    }).catch((error: unknown) => {
      this.emit('failed', MeetError.from(error));
      return undefined;
    });
    this.#files.add(opening);
    // Frames that come while the file is being made wait for it.
    const waiting: Parameters<TrackFile['write']>[0][] = [];
    let file: TrackFile | undefined;
    track.on('frame', (frame) => {
      if (file) file.write(frame);
      else waiting.push(frame);
    });
    void opening.then((opened) => {
      file = opened;
      opened?.on('failed', (error) => this.emit('failed', error));
      for (const frame of waiting.splice(0)) opened?.write(frame);
      if (track.ended) void opened?.close();
      else track.once('ended', () => void opened?.close());
    });
  }

  /** Finishes every file; resolves with what they hold. */
  close(): Promise<TrackFileSummary[]> {
    this.#closed ??= Promise.all([...this.#files]).then((files) =>
      Promise.all(files.filter((file) => file !== undefined).map((file) => file.close())),
    );
    return this.#closed;
  }
}

function folderError(directory: string, cause: unknown): MeetError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOSPC')
    return new MeetError('disk-full', `There is no space left for ${directory}.`, { cause });
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new MeetError('bad-config', `--save needs a folder, and ${directory} is a file.`, { cause });
  }
  return new MeetError('no-permission', `The folder ${directory} may not be written to.`, { cause });
}
