import { addAbortSignal, Readable } from 'node:stream';
import { MeetError } from '../../../protocol/errors.ts';
import type { PutOptions } from './types.ts';

/**
 * The content of a put, chunk by chunk, ended early by the signal and held to the announced size. A stream that is not
 * read to its end is destroyed.
 * @throws MeetError `bad-request` when the size is another, the signal's reason, or the stream's own error.
 */
export async function* chunksOf(
  body: Readable | Uint8Array,
  { size, signal }: PutOptions,
): AsyncGenerator<Buffer, undefined> {
  signal?.throwIfAborted();
  if (signal && body instanceof Readable) addAbortSignal(signal, body);
  let total = 0;
  try {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      signal?.throwIfAborted();
      const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
      total += buffer.length;
      if (size !== undefined && total > size) break;
      yield buffer;
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  if (size !== undefined && total !== size) {
    throw new MeetError('bad-request', `The content does not have the ${size} bytes that were announced.`);
  }
}

/** Frees what a stream holds when the put fails before its first byte was asked for. */
export function discard(body: Readable | Uint8Array): void {
  if (body instanceof Readable) body.destroy();
}
