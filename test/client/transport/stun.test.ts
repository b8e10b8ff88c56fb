import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCredentials } from '../../../src/client/transport/gathering.ts';
import { bindingRequest, readStun } from '../../../src/client/transport/stun.ts';
import { weriftInternals } from '../../../src/client/transport/werift-internals.ts';

const client = createCredentials();
const server = createCredentials();
const from = { address: '192.0.2.1', port: 5000 };
const check = bindingRequest(client, server, { nominate: true, priority: 1 });

/** A peer's answer to our check. */
function answer(messageClass: number, password: string | undefined): Buffer {
  const { Message } = weriftInternals();
  const message = new Message(1, messageClass, Buffer.from(check.transactionId, 'hex'));
  message.setAttribute('XOR-MAPPED-ADDRESS', ['192.0.2.7', 7]);
  if (password !== undefined) message.addMessageIntegrity(Buffer.from(password));
  return message.addFingerprint().bytes;
}

describe('an answer', () => {
  test('counts when it is signed with the password of the peer', () => {
    const { transactionId } = check;
    expect(readStun(answer(0x100, server.password), client, server, from)).toEqual({
      kind: 'success',
      transactionId,
    });
  });

  test.each([
    ['with another password', 'wrong'],
    ['not at all', undefined],
  ])('that is signed %s does not count', (_what, password) => {
    expect(readStun(answer(0x100, password), client, server, from)).toBeUndefined();
  });
});

describe('a request', () => {
  test('for us is answered, and told that we control', () => {
    const request = bindingRequest(server, client, { nominate: false, priority: 77 });
    const read = readStun(request.bytes, client, server, from);
    expect(read).toMatchObject({ kind: 'request', priority: 77 });
    const reply = weriftInternals().parseMessage(
      (read as { answer: Buffer }).answer,
      Buffer.from(client.password),
    );
    expect(reply?.transactionIdHex).toBe(request.transactionId);
    expect(reply?.getAttributeValue('ERROR-CODE')).toEqual([487, 'Role Conflict']);
  });

  test('for somebody else, or with a wrong password, is not answered', () => {
    const stranger = createCredentials();
    const wrong = { ...client, password: 'wrong' };
    for (const target of [stranger, wrong]) {
      const { bytes } = bindingRequest(server, target, { nominate: false, priority: 1 });
      expect(readStun(bytes, client, server, from)).toBeUndefined();
    }
  });
});

test('credentials are long and random enough', () => {
  expect(client.usernameFragment).toMatch(/^[A-Za-z\d+/]{8}$/);
  expect(client.password).toMatch(/^[A-Za-z\d+/]{24}$/);
  expect(server).not.toEqual(client);
});

test('no packet makes the reader throw', () => {
  const magic = [0x21, 0x12, 0xa4, 0x42];
  const noise = fc
    .tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 200 }))
    .map(([type, body]) => {
      const header = Buffer.from([type >> 8, type & 0xff, 0, Math.max(0, body.length - 12), ...magic]);
      return Buffer.concat([header, body]);
    });
  const damaged = fc
    .tuple(fc.nat(check.bytes.length - 1), fc.nat(255))
    .map(([index, value]) => Buffer.from(check.bytes).fill(value, index, index + 1));
  fc.assert(fc.property(fc.oneof(noise, damaged), (packet) => void readStun(packet, server, client, from)));
});
