/**
 * What Amazon's S3 does with multipart uploads and checksums and the package s3rver does not: parts are listed,
 * an unknown upload is refused, ETags of multipart objects are made of those of the parts (under SSE-KMS of nothing that
 * can be computed), and what arrives is compared with Content-MD5 and x-amz-checksum-sha256.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Middleware, S3rver } from './s3.ts';

const require = createRequire(import.meta.url);
const KEPT = ['x-amz-checksum-sha256', 'x-amz-server-side-encryption', 'x-amz-tagging'];

export interface CompletedPart {
  readonly number: number;
  readonly etag: string;
}

const s3Error = (code: string): Error => {
  const S3Error: new (code: string, message: string) => Error = require('@20minutes/s3rver/lib/models/error');
  return new S3Error(code, `${code}, says the test.`);
};

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
const isKms = (headers: IncomingHttpHeaders) =>
  String(headers['x-amz-server-side-encryption']).startsWith('aws:kms');
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Makes the server do it; to be called before it runs. */
export function actLikeAmazon({ store, middleware }: S3rver, uploads: string): void {
  const { ALLOWED_METADATA } = require('@20minutes/s3rver/lib/models/object') as {
    ALLOWED_METADATA: string[];
  };
  for (const name of KEPT) if (!ALLOWED_METADATA.includes(name)) ALLOWED_METADATA.push(name);
  const of = (uploadId: string, name = '') => join(uploads, uploadId, name);
  const headersOf = async (uploadId: string) =>
    JSON.parse(await readFile(of(uploadId, 'metadata'), 'utf8')) as IncomingHttpHeaders;
  const etagOf = (uploadId: string, number: number | string) =>
    readFile(of(uploadId, `${number}.etag`), 'utf8').catch(() => undefined);

  const { putPart, putObjectMultipart } = store;
  store.putPart = async (bucket, uploadId, number, content) => {
    if (!(await exists(of(uploadId)))) throw s3Error('NoSuchUpload');
    const stored = await putPart.call(store, bucket, uploadId, number, content);
    const etag = isKms(await headersOf(uploadId)) ? randomBytes(16).toString('hex') : stored.md5;
    await writeFile(of(uploadId, `${number}.etag`), etag);
    return { ...stored, md5: etag };
  };
  store.putObjectMultipart = async (bucket, uploadId, parts) => {
    if (!(await exists(of(uploadId)))) throw s3Error('NoSuchUpload');
    const headers = await headersOf(uploadId);
    const key = await readFile(of(uploadId, 'key'), 'utf8');
    const md5s: Buffer[] = [];
    const sha256s: Buffer[] = [];
    for (const { number, etag } of parts) {
      if ((await etagOf(uploadId, number)) !== etag) throw s3Error('InvalidPart');
      const bytes = await readFile(of(uploadId, String(number)));
      md5s.push(createHash('md5').update(bytes).digest());
      sha256s.push(createHash('sha256').update(bytes).digest());
    }
    if (headers['x-amz-checksum-algorithm'] === 'SHA256') {
      headers['x-amz-checksum-sha256'] = composite('sha256', 'base64', sha256s);
      await writeFile(of(uploadId, 'metadata'), JSON.stringify(headers));
    }
    const { size } = await putObjectMultipart.call(store, bucket, uploadId, parts);
    const etag = isKms(headers)
      ? `${randomBytes(16).toString('hex')}-${parts.length}`
      : composite('md5', 'hex', md5s);
    await writeFile(`${store.getResourcePath(bucket, key, 'object')}.md5`, etag);
    return { size, md5: etag };
  };

  const replies: Middleware = async (context, next) => {
    const { uploadId, partNumber } = context.query;
    try {
      await next();
    } catch (error) {
      const isRefused = error instanceof Error && 'code' in error && error.code === 'MethodNotAllowed';
      if (!isRefused || context.method !== 'GET' || uploadId === undefined) throw error;
      if (!(await exists(of(uploadId)))) throw s3Error('NoSuchUpload');
      context.body = {
        ListPartsResult: await listed(uploadId, Number(context.query['part-number-marker'] ?? 0)),
      };
      context.status = 200;
      return;
    }
    const { headers } = context;
    if (context.method === 'POST' && 'uploads' in context.query && headers['x-amz-checksum-algorithm'])
      context.set('x-amz-checksum-algorithm', String(headers['x-amz-checksum-algorithm']));
    if (context.method !== 'PUT' || context.path.lastIndexOf('/') === 0 || 'tagging' in context.query) return;
    const [, bucket = '', key = ''] = /^\/([^/]+)\/(.+)$/.exec(decodeURIComponent(context.path)) ?? [];
    const path =
      uploadId === undefined ? store.getResourcePath(bucket, key, 'object') : of(uploadId, partNumber ?? '');
    const stored = await readFile(path);
    const sha256 = createHash('sha256').update(stored).digest('base64');
    const given = headers['x-amz-checksum-sha256'];
    if (
      headers['content-md5'] !== undefined &&
      Buffer.from(String(headers['content-md5']), 'base64').toString('hex') !== md5Of(stored)
    )
      throw s3Error('BadDigest');
    if (given !== undefined && given !== sha256) throw s3Error('BadDigest');
    if (given !== undefined) context.set('x-amz-checksum-sha256', sha256);
    const kms = uploadId === undefined ? isKms(headers) : isKms(await headersOf(uploadId).catch(() => ({})));
    if (kms) context.set('x-amz-server-side-encryption', 'aws:kms');
    if (kms && uploadId === undefined) {
      const etag = randomBytes(16).toString('hex');
      await writeFile(`${path}.md5`, etag);
      context.set('ETag', `"${etag}"`);
    }
  };
  const listed = async (uploadId: string, after: number) => {
    const numbers = (await readdir(of(uploadId)))
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((number) => number > after)
      .sort((a, b) => a - b);
    // A small page, so that there are several.
    const page = numbers.slice(0, 5);
    const Part = [];
    for (const number of page) {
      const { size } = await stat(of(uploadId, String(number)));
      Part.push({ PartNumber: number, Size: size, ETag: `"${await etagOf(uploadId, number)}"` });
    }
    return {
      UploadId: uploadId,
      IsTruncated: numbers.length > page.length,
      NextPartNumberMarker: page.at(-1) ?? after,
      Part,
    };
  };
  // Inside what turns a body of an object into XML.
  middleware.splice(2, 0, replies);
}

/** S3's checksum of a multipart object, from those of its parts. */
function composite(algorithm: string, encoding: 'hex' | 'base64', digests: readonly Buffer[]): string {
  const hash = createHash(algorithm);
  for (const digest of digests) hash.update(digest);
  return `${hash.digest(encoding)}-${digests.length}`;
}
