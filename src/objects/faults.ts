import { MeetError } from '../protocol/errors.ts';

/** The parts of the SDK's errors that tell them apart; `name` is the code of S3's error body. */
interface S3Error extends Error {
  $metadata?: { httpStatusCode?: number };
  code?: string;
}

const statusOf = (error: unknown) =>
  error instanceof Error ? (error as S3Error).$metadata?.httpStatusCode : undefined;

export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404 && error instanceof Error && error.name !== 'NoSuchBucket';
}

export function isAccessDenied(error: unknown): boolean {
  return error instanceof Error && error.name === 'AccessDenied';
}

/** What a user is told about an error of the object store; the original stays in `cause`. */
export function s3Fault(error: unknown, bucket: string, key?: string): MeetError {
  if (error instanceof MeetError) return error;
  const failed = (what: string, hint?: string) =>
    new MeetError('storage-failed', what, { cause: error, ...(hint === undefined ? {} : { hint }) });
  if (!(error instanceof Error)) return failed(`The bucket ${bucket} could not be used: ${String(error)}.`);
  if (error.name === 'NoSuchBucket')
    return failed(`There is no bucket ${bucket}.`, 'Create it, or name another.');
  if (isNotFound(error))
    return new MeetError('not-found', `There is no object ${key ?? bucket}.`, { cause: error });
  if (error.name === 'XMinioStorageFull' || error.name === 'QuotaExceeded' || statusOf(error) === 507) {
    return new MeetError('disk-full', `The object store has no space left for ${key ?? bucket}.`, {
      cause: error,
    });
  }
  const credentialsHint =
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile that may read and write there.';
  if (error.name === 'CredentialsProviderError') {
    return failed(`There are no credentials for the bucket ${bucket}.`, credentialsHint);
  }
  if (statusOf(error) === 403) {
    return failed(
      `The object store refused the credentials for the bucket ${bucket} (${error.name}).`,
      credentialsHint,
    );
  }
  if (statusOf(error) === undefined) {
    const why = (error as S3Error).code ?? error.message;
    return failed(
      `The object store of the bucket ${bucket} cannot be reached (${why}).`,
      'Check its endpoint and region.',
    );
  }
  return failed(`The object store could not do that with ${key ?? bucket}: ${error.message}.`);
}
