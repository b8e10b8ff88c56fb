import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { FileInfo, FileLink } from '../../../protocol/chat.ts';
import { MeetError } from '../../../protocol/errors.ts';
import { FileParams, MeetingParams } from '../../../protocol/rest.ts';
import type { ServerConfig } from '../../config.ts';
import type { Files } from '../../files/files.ts';
import { tooLarge } from '../../files/spool.ts';
import type { MeetingService } from '../../meetings/service.ts';
import { actorOf } from '../authorization.ts';
import { baseUrlOf } from '../base-url.ts';
import { errorReplies, withToken } from '../openapi.ts';

/** What comes in a form besides the file itself: boundaries, headers, the file's name. */
const FORM_OVERHEAD_BYTES = 64 * 1024;

export interface FileRoutesOptions {
  readonly config: ServerConfig;
  readonly meetings: MeetingService;
  readonly files: Files;
  readonly baseUrl: () => string;
}

export const fileRoutes: FastifyPluginAsyncTypebox<FileRoutesOptions> = async (app, options) => {
  const { config, meetings, files } = options;
  await app.register(multipart, {
    // One byte more shows that there is too much.
    limits: { files: 1, fields: 0, parts: 1, fileSize: files.maxSize + 1, headerPairs: 20 },
  });

  app.post(
    '/meetings/:meetingId/files',
    {
      bodyLimit: files.maxSize + FORM_OVERHEAD_BYTES,
      schema: {
        summary: 'Uploads a file for the chat',
        description: 'One file of a `multipart/form-data` form. A message with its id shows it to others.',
        tags: ['chat'],
        security: withToken,
        consumes: ['multipart/form-data'],
        params: MeetingParams,
        response: { 201: FileInfo, ...errorReplies },
      },
      // What is refused is still read, or the client never gets to the answer.
      onError: async (request) => void request.raw.resume(),
    },
    async (request, reply) => {
      const { meetingId } = request.params;
      const actor = await actorOf(request, meetingId, meetings);
      const senderId = await meetings.requests.sender(actor, 'send-file');
      if (Number(request.headers['content-length']) > files.maxSize + FORM_OVERHEAD_BYTES) {
        throw tooLarge(files.maxSize);
      }
      const part = await onlyFile(request);
      const { filename: name, mimetype: type, file: stream } = part;
      return reply.code(201).send(await files.receive({ meetingId, senderId, name, type, stream }));
    },
  );

  app.get(
    '/meetings/:meetingId/files/:fileId',
    {
      schema: {
        summary: 'Gives a link to a file of the chat',
        description: 'For those who can see a message with it. The link is good for some minutes.',
        tags: ['chat'],
        security: withToken,
        params: FileParams,
        response: { 200: FileLink, ...errorReplies },
      },
    },
    async (request) => {
      const { meetingId, fileId } = request.params;
      const actor = await actorOf(request, meetingId, meetings);
      await meetings.requests.authorizeReading(actor, 'fetch-file');
      const baseUrl = baseUrlOf(request, config.publicUrl, options.baseUrl());
      return await files.link(meetingId, fileId, { viewer: actor.participantId, baseUrl });
    },
  );
};

async function onlyFile(request: FastifyRequest) {
  if (!request.isMultipart()) {
    throw new MeetError('bad-request', 'A file comes as multipart/form-data.', {
      hint: 'Send a form with one file.',
    });
  }
  const part = await request.file().catch((cause: unknown) => {
    throw new MeetError('bad-request', 'The form cannot be read.', { cause });
  });
  if (part === undefined) throw new MeetError('bad-request', 'There is no file in the form.');
  return part;
}
