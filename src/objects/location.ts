import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeetError } from '../protocol/errors.ts';
import { assertObjectKey } from './key.ts';

/** Where in which S3 the objects are. */
export interface S3Location {
  readonly kind: 's3';
  readonly bucket: string;
  /** Empty, or ending in `/`. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  /** Puts the bucket into the path instead of the host name, as servers without wildcard DNS need it. */
  readonly pathStyle: boolean;
}

export interface FolderLocation {
  readonly kind: 'folder';
  /** Absolute. */
  readonly path: string;
}

export type ObjectLocation = S3Location | FolderLocation;

/**
 * Reads where objects are: a folder (a path or a `file:` URL) or
 * `s3://bucket/prefix?endpoint=https://…&region=…&path-style=1`.
 * @throws MeetError `bad-config`, `bad-request` for a prefix that no key can have
 */
export function parseObjectLocation(text: string): ObjectLocation {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: 'folder', path: resolve(text) };
  if (scheme === 'file') return { kind: 'folder', path: fileURLToPath(text) };
  if (scheme === 's3') return parseS3Url(text);
  throw new MeetError('bad-config', `Objects cannot be stored at a ${scheme}: URL.`, {
    hint: 'Give a folder, or s3://bucket/prefix?endpoint=…&region=…',
  });
}

function parseS3Url(text: string): S3Location {
  const refused = (what: string) =>
    new MeetError('bad-config', `The S3 URL ${what}.`, {
      hint: 'Write it as s3://bucket/prefix?endpoint=https://host&region=name&path-style=1',
    });
  const url = URL.parse(text);
  if (!url || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw refused('names no valid bucket');
  if (url.username || url.password) throw refused('holds credentials; give them to the AWS SDK instead');
  const parameters = Object.fromEntries(url.searchParams);
  const { endpoint, region, pathStyle = '', 'path-style': style = pathStyle, ...others } = parameters;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw refused(`has an unknown parameter ${JSON.stringify(unknown)}`);
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw refused('has an endpoint that is not an http: or https: URL');
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (prefix) assertObjectKey(prefix);
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: prefix && `${prefix}/`,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    pathStyle: style === '1' || style === 'true',
  };
}

/** URL or path of an object there, for people and for `s3://` tools: without the endpoint. */
export function objectUrl(location: ObjectLocation, key: string): string {
  return location.kind === 'folder'
    ? join(location.path, key)
    : `s3://${location.bucket}/${location.prefix}${key}`;
}

/** The location as one text that {@link parseObjectLocation} reads back; it holds no credentials. */
export function formatObjectLocation(location: ObjectLocation): string {
  if (location.kind === 'folder') return location.path;
  const { bucket, prefix, endpoint, region, pathStyle } = location;
  const parameters = new URLSearchParams({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(pathStyle ? { 'path-style': '1' } : {}),
  });
  const query = parameters.size > 0 ? `?${parameters}` : '';
  return `s3://${bucket}/${prefix.slice(0, -1)}${query}`;
}
