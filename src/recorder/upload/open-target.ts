import type { S3ClientOptions } from '../../objects/client.ts';
import { type ObjectLocation, parseObjectLocation } from '../../objects/location.ts';
import { FolderTarget } from './folder-target.ts';
import type { ObjectTraits, UploadTarget } from './types.ts';

export interface TargetOptions extends Pick<S3ClientOptions, 'credentials' | 'idleTimeoutMs'> {
  readonly traits?: ObjectTraits | undefined;
}

/**
 * Opens where recordings go: a folder, which is made when it is not there, or
 * `s3://bucket/prefix?endpoint=…&region=…&path-style=1`, which is first asked when something is uploaded.
 * @throws MeetError `bad-config`, `no-permission`, `disk-full`
 */
export async function openUploadTarget(
  where: string | ObjectLocation,
  options: TargetOptions = {},
): Promise<UploadTarget> {
  const location = typeof where === 'string' ? parseObjectLocation(where) : where;
  if (location.kind === 'folder') return await FolderTarget.open(location.path);
  const { S3Target } = await import('./s3-target.ts');
  return new S3Target(location, options, options.traits);
}
