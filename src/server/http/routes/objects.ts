import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { MeetError } from '../../../protocol/errors.ts';
import { type ByteRange, contentDisposition, type ObjectLinks } from '../../store/objects/index.ts';
import { errorReplies } from '../openapi.ts';

/**
 * Files come from strangers and are shown under the server's origin: nothing in them runs, submits or loads anything
 * (as raw.githubusercontent.com has it), but a picture, sound or film shows itself.
 */
const CONTENT_SECURITY_POLICY =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/** A link is for those who have it, and as long as it is valid. */
const CACHE_CONTROL = 'private, max-age=3600';

/** `GET /objects/*`: stored files by signed links. */
export const objectRoutes: FastifyPluginAsyncTypebox<{ links: ObjectLinks }> = async (app, { links }) => {
  const schema = {
    summary: 'Reads a stored file by a signed URL',
    description:
      'The URL itself is the permission. One byte range is taken (RFC 9110 section 14.2). Files in an S3 are there: the reply is a redirection.',
    tags: ['objects'],
    response: {
      200: Type.Unknown({ description: 'The file, or with 206 the range of it' }),
      302: Type.Null({ description: 'Where the file is' }),
      ...errorReplies,
    },
  };
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const range = await wantedRange(request, links);
    const object = await links.open(request.url, range).catch(async (error: unknown) => {
      if (error instanceof MeetError && error.code === 'range-not-satisfiable') {
        const info = await links.head(request.url);
        reply.header('content-range', `bytes */${info?.size ?? '*'}`);
      }
      throw error;
    });
    if ('redirect' in object) return reply.redirect(object.redirect);
    const { info, body, downloadName } = object;
    const { start, end } = object.range;
    reply.headers({
      'content-type': info.contentType,
      'content-length': String(end - start + 1),
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'content-disposition': downloadName === undefined ? 'inline' : contentDisposition(downloadName),
      'accept-ranges': 'bytes',
      etag: `"${info.etag}"`,
      'last-modified': new Date(info.lastModified).toUTCString(),
      'cache-control': CACHE_CONTROL,
    });
    if (range !== undefined) {
      reply.code(206).header('content-range', `bytes ${start}-${end}/${info.size}`);
    }
    if (request.method !== 'HEAD') return reply.send(body);
    body.destroy();
    return reply.send();
  };
  // Fastify's own HEAD route reads the whole file to its end.
  app.get('/objects/*', { schema, exposeHeadRoute: false }, handler);
  app.head('/objects/*', { schema: { hide: true } }, handler);
};

/** The range that the request asks for, unless it asks for one of an object that has changed since (RFC 9110 section 13.1.5). */
async function wantedRange(request: FastifyRequest, links: ObjectLinks): Promise<ByteRange | undefined> {
  const range = byteRange(request.headers.range);
  const ifRange = request.headers['if-range'];
  if (range === undefined || ifRange === undefined) return range;
  const info = await links.head(request.url);
  return info !== undefined && ifRange === `"${info.etag}"` ? range : undefined;
}

/** One range with a start; anything else is answered with the whole object, as RFC 9110 section 14.2 allows. */
function byteRange(header: string | undefined): ByteRange | undefined {
  const match = header?.match(/^bytes=(\d{1,15})-(\d{1,15})?$/);
  if (!match) return undefined;
  const start = Number(match[1]);
  if (match[2] === undefined) return { start };
  const end = Number(match[2]);
  return end >= start ? { start, end } : undefined;
}
