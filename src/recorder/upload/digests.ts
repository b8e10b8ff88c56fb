/** Checksums of parts, and what S3 makes of them for the whole. */
import { createHash, type Hash } from 'node:crypto';
import type { Digests } from './types.ts';

/** Takes both checksums of bytes that come piece by piece. */
export class DigestsBuilder {
  readonly #md5: Hash = createHash('md5');
  readonly #sha256: Hash = createHash('sha256');

  update(bytes: Uint8Array): void {
    this.#md5.update(bytes);
    this.#sha256.update(bytes);
  }

  end(): Digests {
    return { md5: this.#md5.digest('hex'), sha256: this.#sha256.digest('hex') };
  }
}

/** ETag of a multipart object: the MD5 of its parts' MD5s, and their number. */
export function compositeEtag(parts: readonly Pick<Digests, 'md5'>[]): string {
  const hash = createHash('md5');
  for (const { md5 } of parts) hash.update(md5, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** `x-amz-checksum-sha256` of a multipart object of type COMPOSITE: the same of SHA-256, in base64. */
export function compositeSha256(parts: readonly Pick<Digests, 'sha256'>[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256, 'hex');
  return `${hash.digest('base64')}-${parts.length}`;
}

export const base64Of = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
