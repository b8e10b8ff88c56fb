/** Lifecycle, replication and versioning of a bucket, which the package s3rver knows only by name. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Middleware } from './s3.ts';

const require = createRequire(import.meta.url);

export interface BucketConfigOptions {
  /** S3's code and sentence for a configuration that is not taken; `undefined` where it is. */
  readonly refuse?:
    | ((kind: string, xml: string) => readonly [code: string, message: string] | undefined)
    | undefined;
}

const ABSENT: Readonly<Record<string, string>> = {
  lifecycle: 'NoSuchLifecycleConfiguration',
  replication: 'ReplicationConfigurationNotFoundError',
};

/** Keeps what is put, as Amazon does, after the server has checked the signature and found that it cannot. */
export function keepBucketConfig(directory: string, { refuse }: BucketConfigOptions): Middleware {
  const S3Error: new (code: string, message: string) => Error = require('@20minutes/s3rver/lib/models/error');
  const statuses = { NoSuchLifecycleConfiguration: 404, ReplicationConfigurationNotFoundError: 404 };
  const failed = (code: string, message: string) =>
    Object.assign(new S3Error(code, message), { status: statuses[code as keyof typeof statuses] ?? 400 });
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      const kind = ['lifecycle', 'replication', 'versioning'].find((name) => name in context.query);
      const isUnknown = error instanceof Error && 'code' in error && error.code === 'NotImplemented';
      if (!isUnknown || kind === undefined) throw error;
      const path = join(directory, `${kind}.xml`);
      if (context.method === 'GET') {
        const xml = await readFile(path, 'utf8').catch(() => undefined);
        if (xml === undefined && kind in ABSENT) throw failed(ABSENT[kind]!, 'There is none.');
        context.body = xml ?? '<VersioningConfiguration/>';
      } else {
        const chunks: Buffer[] = [];
        for await (const chunk of context.req) chunks.push(Buffer.from(chunk));
        const body = Buffer.concat(chunks);
        const md5 = createHash('md5').update(body).digest('base64');
        if (context.headers['content-md5'] !== md5) throw failed('InvalidRequest', 'Missing Content-MD5.');
        const refused = refuse?.(kind, body.toString());
        if (refused !== undefined) throw failed(...refused);
        await writeFile(path, body);
        context.body = '';
      }
      context.status = 200;
    }
  };
}
