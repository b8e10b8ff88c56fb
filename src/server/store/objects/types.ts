import type { Readable } from 'node:stream';

export interface ObjectInfo {
  key: string;
  size: number;
  contentType: string;
  /** Changes with the content; opaque, without quotes. */
  etag: string;
  /** Milliseconds since the epoch. */
  lastModified: number;
}

export interface PutOptions {
  /** Guessed from the key's extension when absent. */
  contentType?: string;
  /** Bytes the stream will give; a stream that gives more or fewer is refused and nothing is stored. */
  size?: number;
  /** Ends a put that is under way, which then throws the reason of the signal; nothing is stored. */
  signal?: AbortSignal;
}

/** Bytes `start` to `end`, both included, as in RFC 9110 section 14.1.2; without `end` up to the last. */
export interface ByteRange {
  start: number;
  end?: number;
}

export interface OpenedObject {
  /** Of the whole object, also when a range was asked for. */
  info: ObjectInfo;
  /** What `body` gives: the whole object, or the range cut to the object's size. */
  range: { start: number; end: number };
  /** Destroy it when it is not read to its end. */
  body: Readable;
}

export interface PresignOptions {
  /** 1 to 604,800 (a week, the most S3 signs for). */
  expiresInSeconds: number;
  /** Makes browsers save the object under this name instead of showing it. */
  downloadName?: string;
}

/**
 * Where files live: recordings, chat files. A key is `/`-separated segments of letters, digits, `.`, `_` and
 * `-` (`assertObjectKey`). An object appears whole or not at all, and replaces one of the same key.
 *
 * Every function throws MeetError: `bad-request` for a key that cannot be, `range-not-satisfiable`, `not-found`, `disk-full`,
 * `no-permission`, `storage-failed`.
 */
export interface ObjectStore {
  readonly kind: 'folder' | 's3';
  /** A stream is destroyed when the put fails. */
  put(key: string, body: Readable | Uint8Array, options?: PutOptions): Promise<ObjectInfo>;
  get(key: string, range?: ByteRange): Promise<OpenedObject>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Does nothing when there is no such object. */
  delete(key: string): Promise<void>;
  /** Objects whose key begins with the prefix, in no particular order. */
  list(prefix?: string): AsyncIterable<ObjectInfo>;
  /**
   * A URL that anyone may GET until it expires. From S3 it is absolute; from a folder it is a path beginning with
   * `/objects/`, to be resolved against the server's own URL.
   */
  presignGet(key: string, options: PresignOptions): Promise<string>;
  close(): void;
}
