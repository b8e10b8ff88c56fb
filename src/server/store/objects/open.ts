import type { S3Credentials } from '../../../objects/client.ts';
import { parseObjectLocation } from '../../../objects/location.ts';
import { FolderObjectStore } from './folder.ts';
import type { ObjectStore } from './types.ts';

export interface ObjectStoreOptions {
  /** Signs the links of a folder's objects; at least 16 characters. S3 signs with its own credentials. */
  secret: string;
  /** For S3; without them the AWS SDK looks where it always does (environment, profile, instance role). */
  credentials?: S3Credentials;
}

/**
 * Opens a folder (a path or a `file:` URL; made when it is not there) or
 * `s3://bucket/prefix?endpoint=https://…&region=…&path-style=1`, and makes sure that it answers.
 * @throws MeetError `bad-config`, `no-permission`, `disk-full`, `storage-failed`
 */
export async function openObjectStore(
  url: string,
  options: ObjectStoreOptions,
): Promise<ObjectStore | FolderObjectStore> {
  const location = parseObjectLocation(url);
  if (location.kind === 'folder') return FolderObjectStore.open(location.path, options);
  // The SDK takes longer to load than all the rest of the server: only those who use it wait for it.
  const { S3ObjectStore } = await import('./s3.ts');
  return S3ObjectStore.open(location, options.credentials);
}
