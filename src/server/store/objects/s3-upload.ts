/**
 * Puts a stream into S3. What fits one part goes as one request; more goes as a multipart upload whose parts are
 * whole buffers, because a request with a stream for a body would be sent as aws-chunked. Nothing is visible
 * under the key before the last request has succeeded.
 */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { MeetError } from '../../../protocol/errors.ts';
import { chunksOf } from './body.ts';
import type { PutOptions } from './types.ts';

/** S3's least is 5 MiB; 8 MiB times {@link MAX_PARTS} is 78 GiB, 50 hours of the best recording. */
const PART_BYTES = 8 * 1024 * 1024;
/** S3's limit on the number of parts. */
const MAX_PARTS = 10_000;
/** Two parts on their way keep the line busy; each costs its size in memory. */
const PARTS_UNDERWAY = 2;

interface Target {
  Bucket: string;
  Key: string;
}

interface Stored {
  size: number;
  etag: string;
}

type UploadOptions = PutOptions & { contentType: string };

export async function upload(
  client: S3Client,
  target: Target,
  body: Readable | Uint8Array,
  options: UploadOptions,
): Promise<Stored> {
  const { size, signal } = options;
  signal?.throwIfAborted();
  const partBytes = Math.max(PART_BYTES, Math.ceil((size ?? 0) / MAX_PARTS));
  const parts = partsOf(body, partBytes, options);
  try {
    const first = await parts.next();
    const second = first.done ? first : await parts.next();
    if (second.done) return await putWhole(client, target, first.value ?? Buffer.alloc(0), options);
    return await putParts(client, target, parts, [first.value as Buffer, second.value], options);
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    // Destroys the source when it was not read to its end.
    await parts.return(undefined).catch(() => {});
  }
}

async function putWhole(
  client: S3Client,
  target: Target,
  body: Buffer,
  { contentType, signal }: UploadOptions,
): Promise<Stored> {
  const command = new PutObjectCommand({
    ...target,
    Body: body,
    ContentLength: body.length,
    ContentType: contentType,
  });
  const reply = await client.send(command, { ...(signal && { abortSignal: signal }) });
  return { size: body.length, etag: reply.ETag?.replaceAll('"', '') ?? '' };
}

async function putParts(
  client: S3Client,
  target: Target,
  rest: AsyncIterable<Buffer>,
  read: Buffer[],
  { contentType, signal }: UploadOptions,
): Promise<Stored> {
  const request = { ...(signal && { abortSignal: signal }) };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ContentType: contentType }),
    request,
  );
  const done: { PartNumber: number; ETag: string | undefined }[] = [];
  const underway = new Set<Promise<void>>();
  let size = 0;
  const send = async (body: Buffer): Promise<void> => {
    const PartNumber = done.push({ PartNumber: done.length + 1, ETag: undefined });
    if (PartNumber > MAX_PARTS) throw new MeetError('too-large', 'The content is larger than S3 takes.');
    size += body.length;
    const command = new UploadPartCommand({
      ...target,
      UploadId,
      PartNumber,
      Body: body,
      ContentLength: body.length,
    });
    const part = client.send(command, request).then((reply) => {
      done[PartNumber - 1] = { PartNumber, ETag: reply.ETag };
      underway.delete(part);
    });
    // Awaited below, but perhaps only after it has failed.
    part.catch(() => {});
    underway.add(part);
    if (underway.size >= PARTS_UNDERWAY) await Promise.race(underway);
  };
  try {
    for (const body of read) await send(body);
    for await (const body of rest) await send(body);
    await Promise.all(underway);
    const reply = await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: done } }),
      request,
    );
    return { size, etag: reply.ETag?.replaceAll('"', '') ?? '' };
  } catch (error) {
    // A part that arrives after the abort would be kept, and paid for, for ever.
    await Promise.allSettled(underway);
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {});
    throw error;
  }
}

/** The body cut into buffers of `bytes`; only the last one is smaller. */
async function* partsOf(
  body: Readable | Uint8Array,
  bytes: number,
  options: PutOptions,
): AsyncGenerator<Buffer, undefined> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(body, options)) {
    let rest = chunk;
    while (length + rest.length >= bytes) {
      const taken = bytes - length;
      yield Buffer.concat([...waiting, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      waiting = [];
      length = 0;
    }
    waiting.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(waiting);
}
