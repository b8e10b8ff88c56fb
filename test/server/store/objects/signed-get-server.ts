import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { MeetError } from '../../../../src/protocol/errors.ts';
import { contentDisposition, type ObjectLinks } from '../../../../src/server/store/index.ts';

/** Answers signed GETs of a folder's objects, as the server's own route does. */
export async function serveFolder(links: ObjectLinks): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = async () => {
      try {
        const object = await links.open(request.url ?? '');
        if ('redirect' in object) throw new Error('not a folder');
        const { info, body, downloadName } = object;
        response.writeHead(200, {
          'content-type': info.contentType,
          'content-length': info.size,
          ...(downloadName !== undefined && { 'content-disposition': contentDisposition(downloadName) }),
        });
        await pipeline(body, response);
      } catch (error) {
        response.writeHead(MeetError.from(error).status).end();
      }
    };
    void answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
