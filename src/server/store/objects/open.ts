import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeetError } from '../../../protocol/errors.ts';
import { FolderObjectStore } from './folder.ts';
import { assertObjectKey } from './key.ts';
import type { ObjectStore } from './types.ts';

export interface ObjectStoreOptions {
  /** Signs the links of a folder's objects; at least 16 characters. S3 signs with its own credentials. */
  secret: string;
  /** For S3; without them the AWS SDK looks where it always does (environment, profile, instance role). */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

/**
 * Opens a folder (a path or a `file:` URL; made when it is not there) or
 * `s3://bucket/prefix?endpoint=https://…&region=…&pathStyle=1`, and makes sure that it answers.
 * @throws MeetError `bad-config`, `no-permission`, `disk-full`, `storage-failed`
 */
export async function openObjectStore(
  url: string,
  options: ObjectStoreOptions,
): Promise<ObjectStore | FolderObjectStore> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return FolderObjectStore.open(resolve(url), options);
  if (scheme === 'file') return FolderObjectStore.open(fileURLToPath(url), options);
  if (scheme !== 's3') {
    throw new MeetError('bad-config', `Objects cannot be stored at a ${scheme}: URL.`, {
      hint: 'Give a folder, or s3://bucket/prefix?endpoint=…&region=…',
    });
  }
  const location = parseS3Url(url);
  // The SDK takes longer to load than all the rest of the server: only those who use it wait for it.
  const { S3ObjectStore } = await import('./s3.ts');
  return S3ObjectStore.open(location, options.credentials);
}

/** Where in which S3 the objects are. */
export interface S3Location {
  bucket: string;
  /** Empty, or ending in `/`. */
  prefix: string;
  endpoint?: string;
  region?: string;
  /** Puts the bucket into the path instead of the host name, as servers without wildcard DNS need it. */
  pathStyle: boolean;
}

function parseS3Url(text: string): S3Location {
  const refused = (what: string) =>
    new MeetError('bad-config', `The S3 URL ${what}.`, {
      hint: 'Write it as s3://bucket/prefix?endpoint=https://host&region=name&pathStyle=1',
    });
  const url = URL.parse(text);
  if (!url || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw refused('names no valid bucket');
  if (url.username || url.password) throw refused('holds credentials; give them to the AWS SDK instead');
  const { endpoint, region, pathStyle, ...others } = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw refused(`has an unknown parameter ${JSON.stringify(unknown)}`);
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw refused('has an endpoint that is not an http: or https: URL');
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (prefix) assertObjectKey(prefix);
  return {
    bucket: url.hostname,
    prefix: prefix && `${prefix}/`,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    pathStyle: pathStyle === '1' || pathStyle === 'true',
  };
}
