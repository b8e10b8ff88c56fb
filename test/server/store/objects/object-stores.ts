/** The two kinds of object store that every test of objects runs against. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectLinks, type ObjectStore, openObjectStore } from '../../../../src/server/store/index.ts';
import { startS3 } from '../../../support/s3.ts';
import { serveFolder } from './signed-get-server.ts';

export const SECRET = 'a secret of the test server';

export interface StoreUnderTest {
  store: ObjectStore;
  /** The URL that a client would GET for what `presignGet` answered. */
  absolute(presigned: string): string;
  /** What is left of puts that did not end well. */
  leftovers(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface Kind {
  name: 'folder' | 's3';
  start(): Promise<StoreUnderTest>;
}

export const kinds: Kind[] = [
  {
    name: 'folder',
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'meet-objects-'));
      const store = await openObjectStore(folder, { secret: SECRET });
      const server = await serveFolder(new ObjectLinks(store, { secret: SECRET }));
      return {
        store,
        absolute: (presigned) => new URL(presigned, server.url).href,
        leftovers: () => readdir(join(folder, '.incoming')),
        async stop() {
          await server.stop();
          store.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
  {
    name: 's3',
    async start() {
      const server = await startS3();
      const { endpoint, bucket, credentials } = server;
      const url = `s3://${bucket}/some/prefix?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1&pathStyle=1`;
      const store = await openObjectStore(url, { secret: SECRET, credentials });
      return {
        store,
        absolute: (presigned) => presigned,
        leftovers: server.openUploads,
        async stop() {
          store.close();
          await server.stop();
        },
      };
    },
  },
];
