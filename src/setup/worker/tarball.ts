import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const inflate = promisify(gunzip);
const BLOCK = 512;

/**
 * The regular file `name` (its last path segment) out of a gzipped tar archive. mediasoup's release tarball
 * holds one plain entry, so the POSIX ustar header is all that needs to be read.
 * @throws Error when the archive is damaged or has no such file.
 */
export async function extractFile(archive: Buffer, name: string): Promise<Buffer> {
  const tar = await inflate(archive);
  let at = 0;
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const path = text(tar, at, 100);
    const size = Number.parseInt(text(tar, at + 124, 12).trim(), 8);
    const type = text(tar, at + 156, 1);
    if (!Number.isFinite(size)) throw new Error('The archive has a damaged header.');
    const body = at + BLOCK;
    if (path.split('/').pop() === name && (type === '' || type === '0')) {
      if (body + size > tar.length) throw new Error('The archive ends inside a file.');
      return tar.subarray(body, body + size);
    }
    at = body + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(`The archive has no file ${name}.`);
}

function text(buffer: Buffer, start: number, length: number): string {
  const end = buffer.indexOf(0, start);
  return buffer.toString('latin1', start, end >= 0 && end < start + length ? end : start + length);
}
