import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Action } from '../../../protocol/actions.ts';
import {
  ChangeRecording,
  LiveRecordingReply,
  RecordingFileQuery,
  RecordingInfo,
  RecordingParams,
  RecordingQuery,
  RecordingsReply,
  RecordingUrlReply,
  StartRecording,
  UpdateRecordingBody,
} from '../../../protocol/recording.ts';
import { MeetingParams } from '../../../protocol/rest.ts';
import { noToken } from '../../auth/bearer.ts';
import { requireMeeting } from '../../auth/tokens.ts';
import type { ServerConfig } from '../../config.ts';
import type { MeetingService } from '../../meetings/service.ts';
import type { RecordingLibrary, RecordingRequest } from '../../recordings/library.ts';
import type { Recordings } from '../../recordings/recordings.ts';
import { actorOf, optionalClaims } from '../authorization.ts';
import { baseUrlOf } from '../base-url.ts';
import { errorReplies, withToken, withTokenOrWithout } from '../openapi.ts';

export interface RecordingRoutesOptions {
  readonly config: ServerConfig;
  readonly meetings: MeetingService;
  readonly recordings: Recordings;
  readonly library: RecordingLibrary;
  readonly baseUrl: () => string;
}

const tags = ['recordings'];
const ofMeeting = { params: MeetingParams, security: withToken, tags };
const ofOne = { params: RecordingParams, security: withTokenOrWithout, tags };
const live = { 200: LiveRecordingReply, ...errorReplies };

/** The recording of a meeting, and those that were made. */
export const recordingRoutes: FastifyPluginAsyncTypebox<RecordingRoutesOptions> = async (app, options) => {
  const { config, meetings, recordings, library } = options;
  const base = (request: FastifyRequest) => baseUrlOf(request, config.publicUrl, options.baseUrl());
  const about = (request: FastifyRequest, id: string, link: string | undefined): RecordingRequest => ({
    id,
    caller: { claims: optionalClaims(request), link },
    baseUrl: base(request),
  });
  const act = async (request: FastifyRequest, meetingId: string, action: Action) => {
    await meetings.requests.act(await actorOf(request, meetingId, meetings), action);
    return { recording: await recordings.liveOf(meetingId) };
  };

  app.post(
    '/meetings/:meetingId/recording',
    {
      schema: {
        ...ofMeeting,
        summary: 'Starts the recording of a meeting',
        description: 'Hosts and co-hosts. `recording-running` where one runs; the body may be left out.',
        body: Type.Union([StartRecording, Type.Null()]),
        response: { 201: LiveRecordingReply, ...errorReplies },
      },
    },
    async (request, reply) => {
      const { meetingId } = request.params;
      const started = await act(request, meetingId, { action: 'start-recording', ...request.body });
      return reply.code(201).send(started);
    },
  );

  app.get(
    '/meetings/:meetingId/recording',
    {
      schema: {
        ...ofMeeting,
        summary: 'Tells about the recording that runs',
        description: 'For everyone who has been let in; `null` when none runs.',
        response: live,
      },
    },
    async (request) => {
      const { meetingId } = request.params;
      await meetings.requests.authorizeReading(await actorOf(request, meetingId, meetings), 'read-recording');
      return { recording: await recordings.liveOf(meetingId) };
    },
  );

  app.patch(
    '/meetings/:meetingId/recording',
    {
      schema: {
        ...ofMeeting,
        summary: 'Pauses the recording, goes on with it, or gives it another layout',
        description: 'Hosts and co-hosts.',
        body: ChangeRecording,
        response: live,
      },
    },
    (request) => act(request, request.params.meetingId, { action: 'change-recording', ...request.body }),
  );

  app.delete(
    '/meetings/:meetingId/recording',
    {
      schema: {
        ...ofMeeting,
        summary: 'Stops the recording',
        description: 'Hosts and co-hosts. It has stopped when `recording` is `null`.',
        response: live,
      },
    },
    (request) => act(request, request.params.meetingId, { action: 'stop-recording' }),
  );

  app.get(
    '/meetings/:meetingId/recordings',
    {
      schema: {
        ...ofMeeting,
        summary: 'Lists the recordings of a meeting that the bearer may see',
        response: { 200: RecordingsReply, ...errorReplies },
      },
    },
    async (request) => {
      const { meetingId } = request.params;
      const claims = optionalClaims(request);
      if (claims === undefined) throw noToken();
      await meetings.get(meetingId);
      requireMeeting(claims, meetingId);
      return { recordings: await library.list(meetingId, { claims, link: undefined }, base(request)) };
    },
  );

  app.get(
    '/recordings/:recordingId',
    {
      schema: {
        ...ofOne,
        summary: 'Tells about a recording',
        description: 'For who may see it: by a token, or with the secret of its link.',
        querystring: RecordingQuery,
        response: { 200: RecordingInfo, ...errorReplies },
      },
    },
    (request) => library.get(about(request, request.params.recordingId, request.query.link)),
  );

  app.get(
    '/recordings/:recordingId/url',
    {
      schema: {
        ...ofOne,
        summary: 'Gives a URL of a file of a recording that is good for some time',
        querystring: RecordingFileQuery,
        response: { 200: RecordingUrlReply, ...errorReplies },
      },
    },
    (request) => library.url(about(request, request.params.recordingId, request.query.link), request.query),
  );

  app.get(
    '/recordings/:recordingId/watch',
    {
      schema: {
        ...ofOne,
        summary: 'Leads to a file of a recording',
        description: 'As `url`, for people who follow the link of a recording.',
        querystring: RecordingFileQuery,
        response: { 302: Type.Null({ description: 'Where the file is' }), ...errorReplies },
      },
    },
    async (request, reply) => {
      const { recordingId } = request.params;
      const { url } = await library.url(about(request, recordingId, request.query.link), request.query);
      return reply.redirect(url);
    },
  );

  app.patch(
    '/recordings/:recordingId',
    {
      schema: {
        ...ofOne,
        summary: 'Says who may see a recording',
        description: 'Hosts only.',
        body: UpdateRecordingBody,
        response: { 200: RecordingInfo, ...errorReplies },
      },
    },
    (request) => library.update(about(request, request.params.recordingId, undefined), request.body),
  );

  app.delete(
    '/recordings/:recordingId',
    {
      schema: {
        ...ofOne,
        summary: 'Deletes a recording with all its files',
        description: 'Hosts only.',
        response: { 204: Type.Null({ description: 'It is gone' }), ...errorReplies },
      },
    },
    async (request, reply) => {
      await library.delete(about(request, request.params.recordingId, undefined));
      return reply.code(204).send(null);
    },
  );
};
