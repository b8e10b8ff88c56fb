/** The AWS SDK as every S3 takes it. It takes longer to load than all the rest: import this file when it is needed. */
import { S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from './location.ts';

/** A server that takes no connection in this time is not there. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Without a byte for this long a request is tried again; a part of 8 MiB may take its time on a slow line. */
const IDLE_TIMEOUT_MS = 60_000;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3ClientOptions {
  /** Or where to get them; without them the SDK looks where it always does: environment, profile, instance role. */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>) | undefined;
  /** How often a request is tried in all; three times unless given. */
  readonly attempts?: number;
  /** Without a byte for so long a request has failed; a minute unless given. */
  readonly idleTimeoutMs?: number | undefined;
}

/** `destroy` it when it is no longer needed. */
export function createS3Client(
  location: S3Location,
  { credentials, attempts, idleTimeoutMs = IDLE_TIMEOUT_MS }: S3ClientOptions = {},
): S3Client {
  return new S3Client({
    ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
    ...(location.region === undefined ? {} : { region: location.region }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    forcePathStyle: location.pathStyle,
    // The checksums that the SDK adds by itself come as aws-chunked trailers, which Ceph and others refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: idleTimeoutMs },
  });
}
