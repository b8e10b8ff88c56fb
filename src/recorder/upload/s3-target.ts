/** Recordings in any S3. Every request is tried once: who calls repeats it, and knows of it. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createS3Client, type S3ClientOptions } from '../../objects/client.ts';
import { isNotFound, s3Fault } from '../../objects/faults.ts';
import { assertObjectKey, contentTypeOf } from '../../objects/key.ts';
import { formatObjectLocation, objectUrl, type S3Location } from '../../objects/location.ts';
import { MeetError } from '../../protocol/errors.ts';
import { base64Of, compositeEtag, compositeSha256 } from './digests.ts';
import { isSameContent } from './read-back.ts';
import { codeOfFault, isExpired } from './retry.ts';
import type {
  Digests,
  Expected,
  ObjectTraits,
  Part,
  PartsPage,
  StoredPart,
  UploadReference,
  UploadTarget,
  Verification,
} from './types.ts';

/** A server that has never called a part by its MD5, but so many by something else, does it on purpose. */
const OPAQUE_AFTER = 4;
const MD5 = /^[0-9a-f]{32}$/;

export class S3Target implements UploadTarget {
  readonly location: string;
  readonly #s3: S3Location;
  readonly #options: S3ClientOptions;
  readonly traits: ObjectTraits;
  readonly #parameters: object;
  #client: S3Client;
  /** Also those that others follow: their requests may still be under way. */
  readonly #clients: S3Client[] = [];
  /** Whether ETags are MD5s: not under SSE-KMS, nor with some servers. `undefined` before the first. */
  #plainEtags: boolean | undefined;
  #strangeEtags = 0;

  constructor(location: S3Location, options: S3ClientOptions, traits: ObjectTraits = {}) {
    this.location = formatObjectLocation(location);
    this.#s3 = location;
    this.#options = options;
    this.traits = traits;
    this.#parameters = parametersOf(traits);
    if (traits.sse?.startsWith('aws:kms')) this.#plainEtags = false;
    this.#client = this.#connect();
  }

  urlOf(key: string): string {
    return objectUrl(this.#s3, key);
  }

  async begin(key: string): Promise<UploadReference> {
    assertObjectKey(key);
    const input = { ...this.#object(key), ContentType: contentTypeOf(key), ...this.#parameters };
    return await this.#sending(key, async (client) => {
      const reply = await client
        .send(new CreateMultipartUploadCommand({ ...input, ChecksumAlgorithm: 'SHA256' }))
        .catch((error: unknown) => {
          // It takes no checksums, or refuses something else, and says so without them, too.
          if (isUnknownToServer(error)) return client.send(new CreateMultipartUploadCommand(input));
          throw error;
        });
      if (!reply.UploadId)
        throw new MeetError('storage-failed', `The object store began no upload of ${key}.`);
      this.#isPlain(reply);
      return { key, uploadId: reply.UploadId, checksums: reply.ChecksumAlgorithm === 'SHA256' };
    });
  }

  async putPart(upload: UploadReference, part: Part, bytes: Buffer, signal?: AbortSignal): Promise<string> {
    const command = new UploadPartCommand({
      ...this.#object(upload.key),
      UploadId: upload.uploadId,
      PartNumber: part.number,
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: base64Of(part.md5),
      ...(upload.checksums && { ChecksumSHA256: base64Of(part.sha256) }),
    });
    command.middlewareStack.add(hashedBody(part.sha256), { step: 'build', priority: 'low' });
    return await this.#sending(upload.key, async (client) => {
      const reply = await client.send(command, { ...(signal && { abortSignal: signal }) });
      return this.#checkReply(`Part ${part.number} of ${upload.key}`, part, reply);
    });
  }

  async listParts(upload: UploadReference, after?: string): Promise<PartsPage | 'gone' | 'unlisted'> {
    return await this.#sending(upload.key, async (client) => {
      const command = new ListPartsCommand({
        ...this.#object(upload.key),
        UploadId: upload.uploadId,
        ...(after === undefined ? {} : { PartNumberMarker: after }),
      });
      try {
        const { Parts = [], IsTruncated, NextPartNumberMarker } = await client.send(command);
        const parts = Parts.map(({ PartNumber = 0, Size = 0, ETag }) => ({
          number: PartNumber,
          size: Size,
          etag: unquoted(ETag),
        }));
        return { parts, next: IsTruncated ? NextPartNumberMarker : undefined };
      } catch (error) {
        if (codeOfFault(error) === 'NoSuchUpload') return 'gone';
        if (isUnknownToServer(error)) return 'unlisted';
        throw error;
      }
    });
  }

  async complete(upload: UploadReference, parts: readonly StoredPart[]): Promise<Verification> {
    const Parts = parts.map(({ number, etag, sha256 }) => ({
      PartNumber: number,
      ETag: `"${etag}"`,
      ...(upload.checksums && { ChecksumSHA256: base64Of(sha256) }),
    }));
    const command = new CompleteMultipartUploadCommand({
      ...this.#object(upload.key),
      UploadId: upload.uploadId,
      MultipartUpload: { Parts },
    });
    return await this.#sending(upload.key, async (client) => {
      const reply = await client.send(command);
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      return { by: 'reply', size, etag: unquoted(reply.ETag) };
    });
  }

  async abort({ key, uploadId }: UploadReference): Promise<void> {
    await this.#sending(key, async (client) => {
      const command = new AbortMultipartUploadCommand({ ...this.#object(key), UploadId: uploadId });
      await client.send(command).catch((error: unknown) => {
        if (codeOfFault(error) !== 'NoSuchUpload') throw error;
      });
    });
  }

  async put(key: string, bytes: Buffer, digests: Digests, signal?: AbortSignal): Promise<Verification> {
    assertObjectKey(key);
    const send = (client: S3Client, checksum: object) => {
      const command = new PutObjectCommand({
        ...this.#object(key),
        Body: bytes,
        ContentLength: bytes.length,
        ContentType: contentTypeOf(key),
        ContentMD5: base64Of(digests.md5),
        ...this.#parameters,
        ...checksum,
      });
      command.middlewareStack.add(hashedBody(digests.sha256), { step: 'build', priority: 'low' });
      return client.send(command, { ...(signal && { abortSignal: signal }) });
    };
    return await this.#sending(key, async (client) => {
      const checksum = { ChecksumSHA256: base64Of(digests.sha256) };
      const reply = await send(client, checksum).catch((error: unknown) => {
        if (isUnknownToServer(error)) return send(client, {});
        throw error;
      });
      return { by: 'reply', size: bytes.length, etag: this.#checkReply(key, digests, reply) };
    });
  }

  async verify(key: string, expected: Expected): Promise<Verification | undefined> {
    const object = this.#object(key);
    return await this.#sending(key, async (client) => {
      const head = await client
        .send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }))
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
      if (head === undefined) return undefined;
      const { size, parts, multipart } = expected;
      if (head.ContentLength !== size)
        throw damaged(`${key} has ${head.ContentLength} bytes and not the ${size} that were uploaded`);
      const etag = unquoted(head.ETag);
      const one = parts[0];
      const checksum = multipart ? compositeSha256(parts) : one && base64Of(one.sha256);
      if (head.ChecksumSHA256 !== undefined && head.ChecksumSHA256 === checksum)
        return { by: 'checksum', size, etag };
      if (this.#isPlain(head) && etag === (multipart ? compositeEtag(parts) : one?.md5))
        return { by: 'etag', size, etag };
      // What is neither may be the server's own kind of ETag: its bytes decide.
      const { Body } = await client.send(new GetObjectCommand({ ...object, IfMatch: `"${etag}"` }));
      if (!(await isSameContent(Body as AsyncIterable<Uint8Array>, parts)))
        throw damaged(`The content of ${key} is not what was uploaded`);
      return { by: 'content', size, etag };
    });
  }

  async sharesDisk(): Promise<boolean> {
    return false;
  }

  async link(): Promise<undefined> {}

  close(): void {
    for (const client of this.#clients) client.destroy();
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#s3.bucket, Key: this.#s3.prefix + key };
  }

  /** Answers the ETag. @throws MeetError `object-damaged` */
  #checkReply(
    what: string,
    { md5, sha256 }: Digests,
    reply: {
      ETag?: string | undefined;
      ChecksumSHA256?: string | undefined;
      ServerSideEncryption?: string | undefined;
    },
  ): string {
    const etag = unquoted(reply.ETag);
    if (reply.ChecksumSHA256 !== undefined && reply.ChecksumSHA256 !== base64Of(sha256))
      throw damaged(`${what} arrived with another checksum`);
    if (etag === '') throw damaged(`${what} was taken without an ETag`);
    if (etag === md5) this.#plainEtags ??= true;
    else if (this.#isPlain(reply) && MD5.test(etag)) {
      if (this.#plainEtags === undefined && ++this.#strangeEtags >= OPAQUE_AFTER) this.#plainEtags = false;
      throw damaged(`${what} arrived with another ETag`);
    }
    return etag;
  }

  #isPlain({ ServerSideEncryption }: { ServerSideEncryption?: string | undefined }): boolean {
    if (ServerSideEncryption?.startsWith('aws:kms')) this.#plainEtags = false;
    return this.#plainEtags !== false;
  }

  /** Errors as sentences; credentials that have expired are looked up anew for the next request. */
  async #sending<Result>(key: string, task: (client: S3Client) => Promise<Result>): Promise<Result> {
    const client = this.#client;
    try {
      return await task(client);
    } catch (error) {
      if (isExpired(error) && client === this.#client) this.#client = this.#connect();
      throw s3Fault(error, this.#s3.bucket, key);
    }
  }

  #connect(): S3Client {
    const client = createS3Client(this.#s3, { ...this.#options, attempts: 1 });
    this.#clients.push(client);
    return client;
  }
}

/** The signature's hash of the body, which is known already: the SDK would compute it again. */
function hashedBody(sha256: string) {
  return <Arguments extends object, Result>(next: (given: Arguments) => Promise<Result>) =>
    (given: Arguments): Promise<Result> => {
      const { request } = given as { request?: { headers?: Record<string, string> } };
      if (request?.headers) request.headers['x-amz-content-sha256'] = sha256;
      return next(given);
    };
}

function parametersOf({ sse, storageClass, tags = {} }: ObjectTraits): object {
  const [, kms, key] = /^(aws:kms)(?::(.+))?$/.exec(sse ?? '') ?? [];
  return {
    ...(sse !== undefined && { ServerSideEncryption: kms ?? sse }),
    ...(key !== undefined && { SSEKMSKeyId: key }),
    ...(storageClass !== undefined && { StorageClass: storageClass }),
    ...(Object.keys(tags).length > 0 && { Tagging: new URLSearchParams(tags).toString() }),
  };
}

/** The server does not know the request, or a parameter of it. */
function isUnknownToServer(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return (
    status === 501 ||
    status === 405 ||
    (status === 400 &&
      /^(NotImplemented|InvalidArgument|InvalidRequest|MalformedXML|UnexpectedParameter)$/.test(name ?? ''))
  );
}

const damaged = (what: string) => new MeetError('object-damaged', `${what}.`);
const unquoted = (etag: string | undefined) => etag?.replaceAll('"', '') ?? '';
