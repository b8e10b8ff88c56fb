import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ScannerUnreachable, scan } from '../../../src/server/files/clamd.ts';
import { clamdMissing, EICAR, startClamd } from '../../support/clamd.ts';

async function* content(...chunks: string[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** A scanner that answers everything with this. */
async function answering(reply: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(reply));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test.skipIf(clamdMissing() !== undefined)(
  'finds what there is, and takes no more than it is made for',
  async () => {
    const clamd = await startClamd({ streamMaxLength: '1M' });
    onTestFinished(() => clamd.stop());
    const { hostname: host, port } = new URL(clamd.url);
    const scanner = { host, port: Number(port) };
    expect(await scan(scanner, content('hello', ' ', 'world'))).toBeUndefined();
    // Found also where it comes in pieces.
    expect(await scan(scanner, content(EICAR.slice(0, 30), EICAR.slice(30)))).toMatch(/^Eicar-Test/);
    // Its word may be lost with the connection, which it resets: the file is refused in any case.
    const large = Array<string>(64).fill('x'.repeat(64 * 1024));
    await expect(scan(scanner, content(...large))).rejects.toMatchObject({
      code: expect.stringMatching(/^(too-large|scanner-unavailable)$/),
    });
  },
);

test.each(['', 'UNKNOWN COMMAND\0', 'stream: Broken engine ERROR\0'])(
  'an answer that is none (%j) is no leave to keep the file',
  async (reply) => {
    const refused = scan(await answering(reply), content('hello'));
    await expect(refused).rejects.toMatchObject({ code: 'scanner-unavailable' });
    // Nor where files are taken that no scanner has seen: this may be what broke it.
    await expect(refused).rejects.not.toBeInstanceOf(ScannerUnreachable);
  },
);

test('more than the scanner takes is too large', async () => {
  const scanner = await answering('INSTREAM size limit exceeded. ERROR\0');
  await expect(scan(scanner, content('hello'))).rejects.toMatchObject({ code: 'too-large' });
});

test('a scanner that is not there is not waited for', async () => {
  const unreachable = scan({ host: '127.0.0.1', port: 1 }, content('x'));
  await expect(unreachable).rejects.toMatchObject({ code: 'scanner-unavailable' });
  await expect(unreachable).rejects.toBeInstanceOf(ScannerUnreachable);
  await expect(scan({ path: '/nowhere/clamd.sock' }, content('x'))).rejects.toMatchObject({
    code: 'scanner-unavailable',
  });
});
