import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type HandshakeFragment,
  type HandshakeMessage,
  HandshakeOrder,
} from '../../../src/client/transport/handshake-order.ts';

const message = (seq: number, text: string): HandshakeMessage => ({
  type: seq,
  seq,
  body: Buffer.from(text),
});

function fragmentsOf({ type, seq, body }: HandshakeMessage, size: number): HandshakeFragment[] {
  const count = Math.max(1, Math.ceil(body.length / size));
  return Array.from({ length: count }, (_, index) => ({
    type,
    seq,
    length: body.length,
    offset: index * size,
    data: body.subarray(index * size, (index + 1) * size),
  }));
}

function collect(fragments: readonly HandshakeFragment[]): {
  delivered: HandshakeMessage[];
  repeated: number[];
} {
  const delivered: HandshakeMessage[] = [];
  const repeated: number[] = [];
  const order = new HandshakeOrder((each, again) => {
    if (again) repeated.push(each.seq);
    else delivered.push(each);
  });
  for (const fragment of fragments) order.add(fragment);
  return { delivered, repeated };
}

test('messages come once, whole and in order, however their fragments arrive', () => {
  const scenario = fc
    .record({
      texts: fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 8 }),
      size: fc.integer({ min: 1, max: 50 }),
    })
    .chain(({ texts, size }) => {
      const messages = texts.map((text, seq) => message(seq, text));
      const fragments = messages.flatMap((each) => fragmentsOf(each, size));
      const twice = [...fragments, ...fragments];
      return fc.record({
        messages: fc.constant(messages),
        fragments: fc.shuffledSubarray(twice, { minLength: twice.length }),
      });
    });
  fc.assert(
    fc.property(scenario, ({ messages, fragments }) => {
      expect(collect(fragments).delivered).toEqual(messages);
    }),
  );
});

test('only the latest message is delivered again when the peer repeats it', () => {
  const [first, second] = [message(0, 'hello'), message(1, 'done')];
  const fragments = [first, second, first, second].flatMap((each) => fragmentsOf(each, 100));
  expect(collect(fragments).repeated).toEqual([1]);
  expect(collect([...fragmentsOf(first, 100), ...fragmentsOf(message(0, 'jello'), 100)]).repeated).toEqual(
    [],
  );
});

test('fragments that cannot be true are dropped', () => {
  const whole = { type: 1, seq: 0, length: 4, offset: 0, data: Buffer.from('good') };
  const bad = [
    { ...whole, length: 3 },
    { ...whole, offset: 1 },
    { ...whole, length: 1_000_000 },
    { ...whole, seq: 1000 },
  ];
  expect(collect([...bad, whole]).delivered.map(({ body }) => body.toString())).toEqual(['good']);
});
