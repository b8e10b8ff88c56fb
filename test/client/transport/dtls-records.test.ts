import { describe, expect, test } from 'vitest';
import { DtlsRecordSender } from '../../../src/client/transport/dtls-records.ts';

/** A handshake record with this many bytes of content. */
function record(epoch: number, sequenceNumber: number, bytes = 20, fill = 0): Buffer {
  const packet = Buffer.alloc(13 + bytes, fill);
  packet.writeUInt8(22, 0);
  packet.writeUInt16BE(0xfefd, 1);
  packet.writeUInt16BE(epoch, 3);
  packet.writeUIntBE(sequenceNumber, 5, 6);
  packet.writeUInt16BE(bytes, 11);
  return packet;
}

/** Epoch and number of each record of a datagram. */
function numbersOf(datagram: Buffer): string[] {
  const numbers: string[] = [];
  for (let offset = 0; offset < datagram.length; offset += 13 + datagram.readUInt16BE(offset + 11))
    numbers.push(`${datagram.readUInt16BE(offset + 3)}:${datagram.readUIntBE(offset + 5, 6)}`);
  return numbers;
}

function sender(
  sealAgain = (sequenceNumber: number) => ({ record: record(1, sequenceNumber, 20, 9), sequenceNumber }),
) {
  const datagrams: Buffer[] = [];
  const records = new DtlsRecordSender({ send: (datagram) => datagrams.push(datagram), sealAgain });
  return { records, sent: () => datagrams.map(numbersOf), datagrams };
}

describe('records of a handshake', () => {
  test('that are sent in one turn share a datagram, in order', async () => {
    const { records, sent } = sender();
    records.add(record(0, 1));
    records.add(Buffer.concat([record(0, 2), record(0, 3)]));
    records.add(record(1, 4));
    await Promise.resolve();
    records.add(record(0, 5));
    await Promise.resolve();
    expect(sent()).toEqual([['0:1', '0:2', '0:3', '1:4'], ['0:5']]);
  });

  test('fill datagrams that every path carries', async () => {
    const { records, datagrams } = sender();
    for (let number = 0; number < 5; number += 1) records.add(record(0, number, 500));
    await Promise.resolve();
    expect(datagrams.map(({ length }) => length)).toEqual([1026, 1026, 513]);
  });

  test('get numbers of their own when they are sent again', async () => {
    const { records, sent, datagrams } = sender();
    const flight = [record(0, 4, 20, 7), record(0, 4), record(1, 6)];
    for (const each of flight) records.add(each);
    await Promise.resolve();
    for (const each of flight) records.add(each);
    records.add(record(0, 5));
    await Promise.resolve();
    expect(sent()).toEqual([
      ['0:4', '0:5', '1:6'],
      ['0:6', '0:7', '1:7', '0:8'],
    ]);
    // Renumbered where it was in the clear, and the content untouched; sealed anew where it was not.
    expect(datagrams[1]!.subarray(13, 33)).toEqual(Buffer.alloc(20, 7));
    expect(datagrams[1]!.subarray(2 * 33 + 13, 3 * 33)).toEqual(Buffer.alloc(20, 9));
    expect(flight[0]).toEqual(record(0, 4, 20, 7));
  });
});
