import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { addressKey, clientAddress } from '../../../src/server/http/address.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:db8:1:2::', '2001:db8:1:2::'],
  ['2001:db8:1:3::1', '2001:db8:1:3::'],
  ['unknown', 'unknown'],
  ['', ''],
])('%j counts as %j', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

const from = (remoteAddress: string, forwarded?: string | string[]) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

test.each([
  [undefined, '10.0.0.1'],
  ['', '10.0.0.1'],
  ['198.51.100.1', '198.51.100.1'],
  ['198.51.100.1, 203.0.113.2', '203.0.113.2'],
  [['198.51.100.1', '203.0.113.2'], '203.0.113.2'],
])('behind a proxy that says %j it is %s', (forwarded, address) => {
  expect(clientAddress(from('10.0.0.1', forwarded), true)).toBe(address);
  expect(clientAddress(from('10.0.0.1', forwarded), false)).toBe('10.0.0.1');
});
