import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Action } from '../../../protocol/actions.ts';
import { AuditQuery, AuditReply } from '../../../protocol/audit.ts';
import { ChatMessage, MessagesQuery, MessagesReply, NewChatMessage } from '../../../protocol/chat.ts';
import { MeetingParams } from '../../../protocol/rest.ts';
import type { MeetingService } from '../../meetings/service.ts';
import { actorOf } from '../authorization.ts';
import { errorReplies, withToken } from '../openapi.ts';

const params = MeetingParams;
const common = { params, security: withToken };

/** Chat, host actions and the audit log: what is done over signaling as well. */
export const chatRoutes: FastifyPluginAsyncTypebox<{ meetings: MeetingService }> = async (
  app,
  { meetings },
) => {
  const { requests } = meetings;

  app.post(
    '/meetings/:meetingId/messages',
    {
      schema: {
        ...common,
        summary: 'Sends a chat message',
        description: 'For participants who are connected. The same `clientId` again gives the first message.',
        tags: ['chat'],
        body: NewChatMessage,
        response: { 201: ChatMessage, ...errorReplies },
      },
    },
    async (request, reply) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      return reply.code(201).send(await requests.say(actor, request.body));
    },
  );

  app.get(
    '/meetings/:meetingId/messages',
    {
      schema: {
        ...common,
        summary: 'Gives chat messages that the bearer may see',
        description: 'After a number, before one, or the last ones.',
        tags: ['chat'],
        querystring: MessagesQuery,
        response: { 200: MessagesReply, ...errorReplies },
      },
    },
    async (request) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      return await requests.messages(actor, request.query);
    },
  );

  app.post(
    '/meetings/:meetingId/actions',
    {
      schema: {
        ...common,
        summary: 'Does what hosts do',
        tags: ['meetings'],
        body: Action,
        response: { 204: Type.Null({ description: 'It is done' }), ...errorReplies },
      },
    },
    async (request, reply) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      await requests.act(actor, request.body);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/meetings/:meetingId/audit',
    {
      schema: {
        ...common,
        summary: 'Gives the audit log',
        description: 'Hosts only.',
        tags: ['meetings'],
        querystring: AuditQuery,
        response: { 200: AuditReply, ...errorReplies },
      },
    },
    async (request) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      return await requests.audit(actor, request.query);
    },
  );
};
