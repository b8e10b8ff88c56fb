/** An S3 server of one's own for a test file, which checks the signature of every request. */
import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actLikeAmazon, type CompletedPart } from './s3-amazon.ts';
import { type BucketConfigOptions, keepBucketConfig } from './s3-bucket-config.ts';

const require = createRequire(import.meta.url);
/** The only key that the server knows. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const BUCKET = 'recordings';

export interface TestS3 {
  endpoint: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Path of the file that has an object's content. */
  fileOf(key: string): string;
  /** Headers that an object was stored with. */
  metadataOf(key: string): Promise<Record<string, string>>;
  /** Ids of multipart uploads that were neither completed nor aborted. */
  openUploads(): Promise<string[]>;
  /** Where the parts of one are, each in a file of its number. */
  uploadFolder(uploadId: string): string;
  /** Ends it at once, with every connection; what it has stored stays. */
  halt(): Promise<void>;
  /** Starts it again on the same port. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** What is used here of the package, which has no types of its own. */
export interface Context {
  method: string;
  path: string;
  querystring: string;
  query: Record<string, string | undefined>;
  headers: IncomingHttpHeaders;
  status: number;
  body: unknown;
  req: NodeJS.ReadableStream;
  set(header: string, value: string): void;
  remove(header: string): void;
}
export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>;
export interface S3rver {
  middleware: Middleware[];
  store: {
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
    putPart(bucket: string, uploadId: string, number: string, content: unknown): Promise<Stored>;
    putObjectMultipart(bucket: string, uploadId: string, parts: CompletedPart[]): Promise<Stored>;
  };
  httpServer: { closeAllConnections(): void };
  run(): Promise<{ address: string; port: number }>;
  close(): Promise<void>;
}
interface Stored {
  size: number;
  md5: string;
}
interface SignedRequest {
  credential: { date: string; region: string; service: string };
  signedHeaders: string[];
  signatureProvided: string;
  /** Only where the signature is in the query. */
  time?: string;
}
interface SignatureV4 {
  parseHeader(headers: IncomingHttpHeaders): SignedRequest;
  parseQuery(query: Context['query']): SignedRequest;
  getStringToSign(request: object, signed: SignedRequest): string;
  getSigningKey(secret: string, date: string, region: string, service: string): Buffer;
}

export interface S3Options extends BucketConfigOptions {
  /**
   * `amazon` unless given; `plain` is a server that lists no parts, keeps no checksums and has ETags of its own kind,
   * `no-checksums` one that only does the last as Amazon does it.
   */
  readonly kind?: 'amazon' | 'no-checksums' | 'plain';
}

/** Starts it on a free loopback port, with one empty bucket. */
export async function startS3({ refuse, kind = 'amazon' }: S3Options = {}): Promise<TestS3> {
  const Server: new (options: object) => S3rver = require('@20minutes/s3rver');
  const directory = await mkdtemp(join(tmpdir(), 'meet-s3-'));
  const run = async (port: number): Promise<{ server: S3rver; port: number; uploads: string }> => {
    const server = new Server({
      address: '127.0.0.1',
      port,
      silent: true,
      directory,
      configureBuckets: [{ name: BUCKET }],
    });
    const uploads = server.store.getResourcePath(BUCKET, undefined, 'uploads');
    if (kind !== 'plain') actLikeAmazon(server, uploads);
    if (kind !== 'amazon') server.middleware.splice(2, 0, forgetChecksums);
    server.middleware.unshift(signAsSent, abortUploads(uploads), keepBucketConfig(directory, { refuse }));
    return { server, uploads, port: (await server.run()).port };
  };
  let running: Awaited<ReturnType<typeof run>> | undefined = await run(0);
  const { port, uploads, server } = running;
  const pathOf = (key: string, resource: string) => server.store.getResourcePath(BUCKET, key, resource);
  const halt = async () => {
    const closing = running?.server.close();
    running?.server.httpServer.closeAllConnections();
    running = undefined;
    await closing;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    credentials: CREDENTIALS,
    fileOf: (key) => pathOf(key, 'object'),
    metadataOf: async (key) => JSON.parse(await readFile(pathOf(key, 'metadata.json'), 'utf8')),
    openUploads: () => readdir(uploads).catch(() => []),
    uploadFolder: (uploadId) => join(uploads, uploadId),
    halt,
    async resume() {
      running = await run(port);
    },
    async stop() {
      await halt();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const forgetChecksums: Middleware = async (context, next) => {
  await next();
  context.remove('x-amz-checksum-sha256');
  context.remove('x-amz-checksum-algorithm');
};

/**
 * The server computes signatures of another request than the one sent: of `/bucket` where the path is `/bucket/`, and
 * with `!'()*` left as they are in a query. When the signature fits what was sent (as AWS documents it for Signature
 * Version 4), it is replaced by the one that the server computes; else the server finds it wrong, too.
 */
const signAsSent: Middleware = async (context, next) => {
  const inQuery = context.query['X-Amz-Signature'] !== undefined;
  if (inQuery || context.headers.authorization !== undefined) {
    const v4: SignatureV4 = require('@20minutes/s3rver/lib/signature/v4');
    const signed = inQuery ? v4.parseQuery(context.query) : v4.parseHeader(context.headers);
    const { date, region, service } = signed.credential;
    const key = v4.getSigningKey(CREDENTIALS.secretAccessKey, date, region, service);
    const signature = (uri: string, parameters: string[]) => {
      const request = {
        method: context.method,
        uri,
        querystring: parameters
          .filter((parameter) => !parameter.startsWith('X-Amz-Signature='))
          .sort()
          .join('&'),
        headers: context.headers,
        timestamp: signed.time ?? context.headers['x-amz-date'],
      };
      return createHmac('sha256', key).update(v4.getStringToSign(request, signed)).digest('hex');
    };
    if (signature(context.path, context.querystring.split('&')) === signed.signatureProvided) {
      const parameters = Object.entries(context.query).map((pair) =>
        pair.map(String).map(encodeURIComponent).join('='),
      );
      const computed = signature(context.path.replace(/^(\/[^/]+)\/$/, '$1'), parameters);
      if (inQuery) context.query['X-Amz-Signature'] = computed;
      else
        context.headers.authorization = context.headers.authorization?.replace(
          signed.signatureProvided,
          computed,
        );
    }
  }
  await next();
};

/** The server refuses AbortMultipartUpload, after it has checked the signature: this does it then. */
function abortUploads(uploads: string): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      const { uploadId } = context.query;
      const refused = error instanceof Error && 'code' in error && error.code === 'MethodNotAllowed';
      if (!refused || context.method !== 'DELETE' || uploadId === undefined) throw error;
      await rm(join(uploads, uploadId), { recursive: true });
      context.status = 204;
    }
  };
}
