import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { type ByteRange, FolderObjectStore, type ObjectStore } from '../../store/objects/index.ts';
import { errorReplies } from '../openapi.ts';

/** `GET /objects/*`: objects of the folder store by signed URL. S3 serves its own. */
export const objectRoutes: FastifyPluginAsyncTypebox<{ objects: ObjectStore }> = async (app, { objects }) => {
  if (!(objects instanceof FolderObjectStore)) return;
  const schema = {
    summary: 'Reads a stored file by a signed URL',
    description: 'The URL itself is the permission. One byte range is taken (RFC 9110 section 14.2).',
    tags: ['objects'],
    response: {
      200: Type.Unknown({ description: 'The file, or with 206 the range of it' }),
      ...errorReplies,
    },
  };
  app.get('/objects/*', { schema }, async (request, reply) => {
    const range = byteRange(request.headers.range);
    const object = await objects.openSignedGet(request.url, range);
    const { info, body, downloadName } = object;
    const { start, end } = object.range;
    reply
      .code(range === undefined ? 200 : 206)
      .header('content-type', info.contentType)
      .header('content-length', String(end - start + 1))
      .header('accept-ranges', 'bytes')
      .header('etag', `"${info.etag}"`)
      .header('last-modified', new Date(info.lastModified).toUTCString())
      .header('content-disposition', contentDisposition(downloadName))
      .header('cache-control', 'private, max-age=3600');
    if (range !== undefined) reply.header('content-range', `bytes ${start}-${end}/${info.size}`);
    return reply.send(body);
  });
};

/** One range with a start; anything else is answered with the whole object, as RFC 9110 section 14.2 allows. */
function byteRange(header: string | undefined): ByteRange | undefined {
  const match = header?.match(/^bytes=(\d{1,15})-(\d{1,15})?$/);
  if (!match) return undefined;
  const start = Number(match[1]);
  if (match[2] === undefined) return { start };
  const end = Number(match[2]);
  return end >= start ? { start, end } : undefined;
}

/** RFC 6266: the plain name for old clients, the UTF-8 one for all others. */
function contentDisposition(name: string | undefined): string {
  if (name === undefined) return 'inline';
  const plain = name.replace(/[^\w .()-]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
