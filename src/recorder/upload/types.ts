/** What the parts of the upload share. */
import Type, { type Static } from 'typebox';
import type { MeetError } from '../../protocol/errors.ts';

/** How objects are kept. */
export const ObjectTraits = Type.Object({
  /** `AES256`, `aws:kms` or `aws:kms:KEY`. */
  sse: Type.Optional(Type.String()),
  storageClass: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type ObjectTraits = Static<typeof ObjectTraits>;

/** Checksums of a part or of a whole small object, in lower-case hexadecimal. */
export interface Digests {
  readonly md5: string;
  readonly sha256: string;
}

/** A piece of an object; pieces are numbered from 1 and lie end to end. */
export interface PartRange {
  readonly number: number;
  readonly offset: number;
  readonly size: number;
}

export interface Part extends PartRange, Digests {}

/** A part that the target has; `etag` is what it called it, without quotes. */
export interface StoredPart extends Part {
  readonly etag: string;
}

export interface ListedPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
}

export interface PartsPage {
  readonly parts: readonly ListedPart[];
  /** Asks for the next page; absent on the last. */
  readonly next?: string | undefined;
}

/** A multipart upload that was begun at a target. */
export interface UploadReference {
  readonly key: string;
  readonly uploadId: string;
  /** The target keeps and checks SHA-256 of each part. */
  readonly checksums: boolean;
}

/** What an object must be: its parts, or the one piece in which it was put. */
export interface Expected {
  readonly size: number;
  readonly parts: readonly Part[];
  readonly multipart: boolean;
}

/**
 * How it is known that the target has what was sent: by its ETag, by its checksum, by reading it back, because it is
 * the same file (a hard link), or only by its own reply to the upload, where it may not be asked afterwards. After the
 * last one a local copy stays.
 */
export type VerifiedBy = 'etag' | 'checksum' | 'content' | 'link' | 'reply';

export interface Verification {
  readonly by: VerifiedBy;
  readonly size: number;
  readonly etag: string;
}

/**
 * Where recordings go: an S3 or a folder. An object appears under its key whole or not at all. Functions try once and
 * throw MeetError, with the original in `cause`; `isTransient` says whether another try makes sense.
 */
export interface UploadTarget {
  /** As `parseObjectLocation` reads it; without credentials. */
  readonly location: string;
  /** How objects are kept there. */
  readonly traits: ObjectTraits;
  /** URL or path of the object, as `objectUrl` writes it. */
  urlOf(key: string): string;
  begin(key: string): Promise<UploadReference>;
  /** Answers the part's ETag. @throws MeetError `object-damaged` when the target got something else */
  putPart(upload: UploadReference, part: Part, bytes: Buffer, signal?: AbortSignal): Promise<string>;
  /** A page of what has arrived; `gone` when there is no such upload (any more), `unlisted` where the target cannot say. */
  listParts(upload: UploadReference, after?: string): Promise<PartsPage | 'gone' | 'unlisted'>;
  /** Answers what is known by its reply. @throws MeetError `object-damaged` when parts are not there as they were sent */
  complete(upload: UploadReference, parts: readonly StoredPart[]): Promise<Verification>;
  /** Does nothing when there is no such upload. */
  abort(upload: UploadReference): Promise<void>;
  /** A small object in one piece. */
  put(key: string, bytes: Buffer, digests: Digests, signal?: AbortSignal): Promise<Verification>;
  /**
   * Compares the object with what was sent; `undefined` when there is none.
   * @throws MeetError `object-damaged` when it is another
   */
  verify(key: string, expected: Expected): Promise<Verification | undefined>;
  /** Whether {@link link} would work for a file there. */
  sharesDisk(path: string): Promise<boolean>;
  /** Makes a finished file the object without copying it; `undefined` where that cannot be done. */
  link(path: string, key: string): Promise<Verification | undefined>;
  close(): void;
}

/** Where the bytes of parts come from. */
export interface PartSource {
  /**
   * @param room is used for the bytes where it is large enough: new buffers of this size cost more collection of
   *   garbage than their checksums
   * @throws MeetError `media-unusable` when the bytes are not there (any more)
   */
  read(
    offset: number,
    size: number,
    room?: Buffer,
  ): Promise<{ readonly bytes: Buffer; readonly digests: Digests }>;
  /** Whether everything from the object's beginning can still be read. */
  readonly fromBeginning: boolean;
  /** Nothing before this offset will be asked for again, unless everything is. */
  release(below: number): void;
}

/** A try that failed, and when the next one is made. */
export interface UploadFault {
  readonly key: string;
  readonly error: MeetError;
  /** Failures in a row. */
  readonly attempt: number;
  readonly waitMs: number;
}
