/** Requests for a bucket's configuration, with the words of a server that refuses them. */

import { createHash } from 'node:crypto';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketReplicationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
  type ReplicationConfiguration,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createS3Client, type S3ClientOptions } from '../../../objects/client.ts';
import { s3Fault } from '../../../objects/faults.ts';
import type { S3Location } from '../../../objects/location.ts';

const ABSENT = /^(NoSuchLifecycleConfiguration|ReplicationConfigurationNotFoundError)$/;

/** The server's words for a configuration that it does not take. */
export interface Refusal {
  readonly refused: string;
}

export class Bucket {
  readonly location: S3Location;
  readonly #client: S3Client;

  constructor(location: S3Location, options: S3ClientOptions) {
    this.location = location;
    this.#client = createS3Client(location, options);
  }

  /** @throws MeetError when there is no such bucket, or it may not be asked */
  async lifecycle(): Promise<readonly LifecycleRule[] | Refusal> {
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.location.bucket });
    return await this.#asking(async () => (await this.#client.send(command)).Rules ?? [], []);
  }

  /** Replaces all rules. @throws MeetError when the server cannot be reached or its credentials are wrong */
  async setLifecycle(rules: readonly LifecycleRule[]): Promise<Refusal | undefined> {
    const command = new PutBucketLifecycleConfigurationCommand({
      Bucket: this.location.bucket,
      LifecycleConfiguration: { Rules: [...rules] },
    });
    command.middlewareStack.add(md5OfBody, { step: 'build', priority: 'low' });
    return await this.#asking(async () => {
      await this.#client.send(command);
      return undefined;
    });
  }

  async replication(): Promise<ReplicationConfiguration | undefined | Refusal> {
    const command = new GetBucketReplicationCommand({ Bucket: this.location.bucket });
    return await this.#asking(async () => (await this.#client.send(command)).ReplicationConfiguration);
  }

  async setReplication(configuration: ReplicationConfiguration): Promise<Refusal | undefined> {
    const command = new PutBucketReplicationCommand({
      Bucket: this.location.bucket,
      ReplicationConfiguration: configuration,
    });
    command.middlewareStack.add(md5OfBody, { step: 'build', priority: 'low' });
    return await this.#asking(async () => {
      await this.#client.send(command);
      return undefined;
    });
  }

  close(): void {
    this.#client.destroy();
  }

  /** A refusal of the configuration is an answer; whatever else is wrong is thrown. */
  async #asking<Result>(task: () => Promise<Result>, absent?: Result): Promise<Result | Refusal> {
    try {
      return await task();
    } catch (error) {
      if (isNamed(error, ABSENT)) return absent as Result;
      const refused = refusalOf(error);
      if (refused !== undefined) return { refused };
      throw s3Fault(error, this.location.bucket);
    }
  }
}

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'object' && answer !== null && 'refused' in answer;
}

/** What a server says that knows the bucket and the caller, and does not take what it is told. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  const isAnswer = status === 400 || status === 405 || status === 409 || status === 501;
  if (!isAnswer && error.name !== 'AccessDenied') return undefined;
  return `${error.name}: ${error.message}`;
}

const isNamed = (error: unknown, names: RegExp) => error instanceof Error && names.test(error.name);

/** Amazon takes other checksums for these requests too; older Ceph and MinIO want the MD5. */
function md5OfBody<Arguments extends object, Result>(next: (given: Arguments) => Promise<Result>) {
  return (given: Arguments): Promise<Result> => {
    const { request } = given as { request?: { body?: unknown; headers?: Record<string, string> } };
    if (request?.headers)
      request.headers['content-md5'] = createHash('md5').update(String(request.body)).digest('base64');
    return next(given);
  };
}
