/** Files of a meeting's chat: up with progress, down into a folder. */
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { fetch } from 'undici';
import { createNewFile, sanitizeFileName, saveError } from '../../media/save/index.ts';
import { type ChatMessage, FileInfo, FileLink } from '../../protocol/chat.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { Chat, SendOptions } from '../chat/chat.ts';
import { call, networkFault } from '../rest.ts';
import { multipartBody } from './multipart.ts';

export interface TransferProgress {
  /** Bytes of the file so far, and all of them. */
  readonly done: number;
  readonly total: number;
}

export interface TransferOptions {
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
}

/** A file on this machine, or one that is in memory already. */
export type FileToSend =
  | string
  | { readonly name: string; readonly data: Uint8Array; readonly contentType?: string };

export interface FilesOptions {
  readonly server: string;
  readonly meetingId: string;
  /** The participant's token at this moment. */
  readonly token: () => string;
  readonly chat: Chat;
}

/** A scanner of a large file takes its time before the server answers, milliseconds. */
const ANSWER_TIMEOUT_MS = 300_000;

export class Files {
  readonly #options: FilesOptions;

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /**
   * Uploads a file; nobody sees it before a message with it is sent.
   *
   * @throws MeetError `media-not-found` where there is no such file, `too-large`, `file-infected`, `file-type-refused`,
   *   `scanner-unavailable`, `bad-request` for an empty file, `forbidden`, `server-unreachable`
   */
  async upload(file: FileToSend, options: TransferOptions = {}): Promise<FileInfo> {
    const { server, meetingId, token } = this.#options;
    const opened = await openFile(file);
    const total = opened.size;
    const multipart = multipartBody(opened, (done) => options.onProgress?.({ done, total }));
    return await call(server, {
      method: 'POST',
      path: `/meetings/${meetingId}/files`,
      token: token(),
      stream: { ...multipart, body: Readable.from(multipart.body) },
      timeoutMs: ANSWER_TIMEOUT_MS,
      reply: FileInfo,
      signal: options.signal,
    });
  }

  /** Uploads a file and sends a message with it. */
  async send(
    file: FileToSend,
    content = '',
    options: TransferOptions & Omit<SendOptions, 'fileId'> = {},
  ): Promise<ChatMessage> {
    const { id: fileId } = await this.upload(file, options);
    return await this.#options.chat.send(content, { ...options, fileId });
  }

  /** Where to get a file for some minutes. @throws MeetError `not-found`, `file-expired`, `forbidden` */
  link(fileId: string, signal?: AbortSignal): Promise<FileLink> {
    const { server, meetingId, token } = this.#options;
    const path = `/meetings/${meetingId}/files/${encodeURIComponent(fileId)}`;
    return call(server, { method: 'GET', path, token: token(), reply: FileLink, signal });
  }

  /**
   * Saves a file in the folder under its name, or that with a number where there is one already; gives its path.
   * What could not be fetched whole is not left there.
   *
   * @throws MeetError also `disk-full`, `no-permission`, `bad-config` for a folder that cannot be
   */
  async download(fileId: string, folder: string, options: TransferOptions = {}): Promise<string> {
    const { server } = this.#options;
    const { file, url } = await this.link(fileId, options.signal);
    const reply = await fetch(new URL(url, server), { signal: options.signal ?? null }).catch(
      (cause: unknown) => {
        throw options.signal?.aborted ? cause : networkFault(server, cause);
      },
    );
    if (reply.status !== 200 || reply.body === null) {
      await reply.body?.cancel();
      throw new MeetError('not-found', `The file cannot be fetched (HTTP status ${reply.status}).`);
    }
    const { path, file: handle } = await createNewFile(folder, (attempt) => numbered(file.name, attempt));
    try {
      let done = 0;
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
        await handle.write(chunk).catch((cause: unknown) => {
          throw saveError(path, cause);
        });
        done += chunk.length;
        options.onProgress?.({ done, total: file.size });
      }
      if (done !== file.size) throw new MeetError('server-unreachable', 'The file did not come whole.');
      await handle.close();
      return path;
    } catch (cause) {
      await handle.close();
      await rm(path, { force: true });
      throw cause instanceof MeetError || options.signal?.aborted ? cause : networkFault(server, cause);
    }
  }
}

async function openFile(file: FileToSend) {
  if (typeof file !== 'string') {
    const { name, data, contentType = 'application/octet-stream' } = file;
    return { name, contentType, size: data.length, chunks: Readable.from([data]) };
  }
  const stats = await stat(file).catch((cause: unknown) => {
    throw new MeetError('media-not-found', `There is no file ${file} that can be read.`, { cause });
  });
  if (!stats.isFile()) throw new MeetError('media-not-found', `${file} is not a file.`);
  return {
    name: basename(file),
    contentType: 'application/octet-stream',
    size: stats.size,
    // A file that grows meanwhile is sent as long as it was said to be.
    chunks: stats.size === 0 ? Readable.from([]) : createReadStream(file, { end: stats.size - 1 }),
  };
}

function numbered(name: string, attempt: number): string {
  const extension = sanitizeFileName(extname(name)).slice(0, 20);
  const stem = sanitizeFileName(basename(name, extname(name)));
  const suffix = extname(name) === '' ? '' : `.${extension}`;
  return attempt === 1 ? `${stem}${suffix}` : `${stem}-${attempt}${suffix}`;
}
