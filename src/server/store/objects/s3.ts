/** Objects in any S3: Amazon's, Ceph, MinIO, Garage, R2, … */
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createS3Client, type S3Credentials } from '../../../objects/client.ts';
import { isAccessDenied, isNotFound, s3Fault } from '../../../objects/faults.ts';
import { assertObjectKey, contentDisposition, contentTypeOf, isObjectKey } from '../../../objects/key.ts';
import type { S3Location } from '../../../objects/location.ts';
import { discard } from './body.ts';
import { cutRange } from './range.ts';
import { upload } from './s3-upload.ts';
import { assertExpiry } from './signed-url.ts';
import type {
  ByteRange,
  ObjectInfo,
  ObjectStore,
  OpenedObject,
  PresignOptions,
  PutOptions,
} from './types.ts';

export class S3ObjectStore implements ObjectStore {
  readonly kind = 's3';
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  private constructor(client: S3Client, { bucket, prefix }: S3Location) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  /** @throws MeetError `storage-failed` when it does not answer, there is no such bucket, or the keys are wrong. */
  static async open(location: S3Location, credentials?: S3Credentials): Promise<S3ObjectStore> {
    const client = createS3Client(location, { credentials });
    try {
      // Unlike HeadBucket this has a body that tells a wrong key from a missing permission.
      await client.send(
        new ListObjectsV2Command({ Bucket: location.bucket, Prefix: location.prefix, MaxKeys: 1 }),
      );
    } catch (error) {
      // Credentials that may write but not list are enough for recordings.
      if (!isAccessDenied(error)) {
        client.destroy();
        throw s3Fault(error, location.bucket);
      }
    }
    return new S3ObjectStore(client, location);
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    const contentType = options.contentType ?? contentTypeOf(key);
    try {
      assertObjectKey(key);
      const target = { Bucket: this.#bucket, Key: this.#prefix + key };
      const { size, etag } = await upload(this.#client, target, body, { ...options, contentType });
      return { key, size, contentType, etag, lastModified: Date.now() };
    } catch (error) {
      discard(body);
      throw options.signal?.aborted ? error : s3Fault(error, this.#bucket, key);
    }
  }

  async get(key: string, range?: ByteRange): Promise<OpenedObject> {
    assertObjectKey(key);
    try {
      // Which bytes a range covers depends on the size, and an empty object has no range at all.
      const before = range && (await this.#head(key));
      const cut = before && cutRange(range, before.size);
      const reply = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: this.#prefix + key,
          ...(cut && { Range: `bytes=${cut.start}-${cut.end}`, IfMatch: `"${before.etag}"` }),
        }),
      );
      const info = before ?? infoOf(key, reply);
      return { info, range: cut ?? cutRange(undefined, info.size), body: reply.Body as Readable };
    } catch (error) {
      throw s3Fault(error, this.#bucket, key);
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    assertObjectKey(key);
    try {
      return await this.#head(key);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw s3Fault(error, this.#bucket, key);
    }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key }));
    } catch (error) {
      if (!isNotFound(error)) throw s3Fault(error, this.#bucket, key);
    }
  }

  async *list(prefix = ''): AsyncIterable<ObjectInfo> {
    let after: string | undefined;
    do {
      const reply = await this.#client
        .send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + prefix,
            ...(after === undefined ? {} : { ContinuationToken: after }),
          }),
        )
        .catch((error: unknown) => {
          throw s3Fault(error, this.#bucket);
        });
      for (const entry of reply.Contents ?? []) {
        const key = entry.Key?.slice(this.#prefix.length) ?? '';
        // What others keep in the bucket may have keys that ours cannot be.
        if (!isObjectKey(key)) continue;
        yield {
          key,
          size: entry.Size ?? 0,
          contentType: contentTypeOf(key),
          etag: unquoted(entry.ETag),
          lastModified: entry.LastModified?.getTime() ?? 0,
        };
      }
      after = reply.NextContinuationToken;
    } while (after !== undefined);
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    assertObjectKey(key);
    assertExpiry(options);
    const { expiresInSeconds, downloadName } = options;
    try {
      const command = new GetObjectCommand({
        Bucket: this.#bucket,
        Key: this.#prefix + key,
        ...(downloadName === undefined
          ? {}
          : { ResponseContentDisposition: contentDisposition(downloadName) }),
      });
      return await getSignedUrl(this.#client, command, { expiresIn: expiresInSeconds });
    } catch (error) {
      throw s3Fault(error, this.#bucket, key);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #head(key: string): Promise<ObjectInfo> {
    const reply = await this.#client.send(
      new HeadObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key }),
    );
    return infoOf(key, reply);
  }
}

interface ObjectHeaders {
  ContentLength?: number | undefined;
  ContentType?: string | undefined;
  ETag?: string | undefined;
  LastModified?: Date | undefined;
}

function infoOf(key: string, headers: ObjectHeaders): ObjectInfo {
  return {
    key,
    size: headers.ContentLength ?? 0,
    contentType: headers.ContentType ?? contentTypeOf(key),
    etag: unquoted(headers.ETag),
    lastModified: headers.LastModified?.getTime() ?? 0,
  };
}

const unquoted = (etag: string | undefined) => etag?.replaceAll('"', '') ?? '';
