import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { MeetingInfo } from '../../../protocol/model.ts';
import {
  CreateMeetingBody,
  CreateMeetingReply,
  JoinBody,
  JoinReply,
  MeetingParams,
  ParticipantsReply,
  UpdateMeetingBody,
} from '../../../protocol/rest.ts';
import type { ServerConfig } from '../../config.ts';
import { meetingInfo } from '../../meetings/info.ts';
import type { MeetingService } from '../../meetings/service.ts';
import { addressKey } from '../address.ts';
import { actorOf, optionalClaims } from '../authorization.ts';
import { baseUrlOf, signalingUrl } from '../base-url.ts';
import { errorReplies, withToken, withTokenOrWithout } from '../openapi.ts';

export interface MeetingRoutesOptions {
  readonly config: ServerConfig;
  readonly meetings: MeetingService;
  readonly baseUrl: () => string;
}

const tags = ['meetings'];
const params = MeetingParams;

export const meetingRoutes: FastifyPluginAsyncTypebox<MeetingRoutesOptions> = async (app, options) => {
  const { config, meetings } = options;
  const base = (request: FastifyRequest) => baseUrlOf(request, config.publicUrl, options.baseUrl());

  app.post(
    '/meetings',
    {
      schema: {
        summary: 'Creates a meeting',
        description: 'With a host token of another meeting the same user becomes its host.',
        tags,
        security: withTokenOrWithout,
        body: CreateMeetingBody,
        response: { 201: CreateMeetingReply, ...errorReplies },
      },
    },
    async (request, reply) => {
      const { meeting, hostToken } = await meetings.create(
        request.body,
        optionalClaims(request),
        addressKey(request.ip),
      );
      const info = meetingInfo(meeting, base(request));
      return reply.code(201).header('location', info.url).send({ meeting: info, hostToken });
    },
  );

  app.get(
    '/meetings/:meetingId',
    {
      schema: {
        summary: 'Tells about a meeting',
        tags,
        params,
        response: { 200: MeetingInfo, ...errorReplies },
      },
    },
    async (request) => meetingInfo(await meetings.get(request.params.meetingId), base(request)),
  );

  app.patch(
    '/meetings/:meetingId',
    {
      schema: {
        summary: 'Changes a meeting that has not ended',
        description: 'Hosts only. What is absent stays as it is.',
        tags,
        security: withToken,
        params,
        body: UpdateMeetingBody,
        response: { 200: MeetingInfo, ...errorReplies },
      },
    },
    async (request) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      return meetingInfo(await meetings.update(actor, request.body), base(request));
    },
  );

  app.delete(
    '/meetings/:meetingId',
    {
      schema: {
        summary: 'Ends a meeting for everybody',
        description: 'Hosts only. Its record stays; one that has ended cannot be joined again.',
        tags,
        security: withToken,
        params,
        response: { 204: Type.Null({ description: 'It has ended' }), ...errorReplies },
      },
    },
    async (request, reply) => {
      await meetings.delete(await actorOf(request, request.params.meetingId, meetings));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/meetings/:meetingId/join',
    {
      schema: {
        summary: 'Joins a meeting',
        description: 'A host token makes its bearer a host and needs no password.',
        tags,
        security: withTokenOrWithout,
        params,
        body: JoinBody,
        response: { 200: JoinReply, ...errorReplies },
      },
    },
    async (request) => {
      const { meetingId } = request.params;
      const address = addressKey(request.ip);
      const joined = await meetings.join(meetingId, request.body, optionalClaims(request), address);
      const { meeting, participant, token, expiresAt, iceServers } = joined;
      const baseUrl = base(request);
      return {
        meeting: meetingInfo(meeting, baseUrl),
        participant,
        token,
        tokenExpiresAt: expiresAt,
        signalingUrl: signalingUrl(baseUrl, meetingId),
        iceServers,
      };
    },
  );

  app.get(
    '/meetings/:meetingId/participants',
    {
      schema: {
        summary: 'Lists who is in a meeting now',
        description: 'For anyone with a token of the meeting who has been let in; hosts also see who waits.',
        tags,
        security: withToken,
        params,
        response: { 200: ParticipantsReply, ...errorReplies },
      },
    },
    async (request) => {
      const actor = await actorOf(request, request.params.meetingId, meetings);
      return { participants: await meetings.requests.participants(actor) };
    },
  );
};
