import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { WERIFT_VERSION, weriftInternals } from '../../../src/client/transport/werift-internals.ts';

const root = new URL('../../../', import.meta.url);
const version = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

test('the exact version that the adapter was written against is pinned and installed', () => {
  expect(version('package.json')).toMatchObject({ dependencies: { werift: WERIFT_VERSION } });
  expect(version('node_modules/werift/package.json')).toMatchObject({ version: WERIFT_VERSION });
});

test('everything that is taken from it is there', () => {
  for (const each of Object.values(weriftInternals())) expect(each).toBeTypeOf('function');
});

test('nobody else sees the placeholder for @peculiar/x509', () => {
  weriftInternals();
  const require = createRequire(createRequire(import.meta.url).resolve('werift'));
  expect(require('@peculiar/x509')).toHaveProperty('X509CertificateGenerator');
});
