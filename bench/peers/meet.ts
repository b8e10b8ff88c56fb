/** Our own server, with the same bots as every other. */
import { requestJoin, resolveMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import { SignalingClient } from '../../src/client/signaling/client.ts';
import { childPids } from '../harness/processes.ts';
import { startMeasuredServer } from '../harness/server.ts';
import { publishWith, receiveWith, whenConnected } from './bots.ts';
import type { PeerAdapter, PeerClient } from './types.ts';

const RECONNECT_TIMEOUT_MS = 5_000;

export const meetAdapter: PeerAdapter = {
  name: 'meet',
  missing: () => undefined,
  start: async () => {
    const server = await startMeasuredServer();
    const { pid } = server.program;
    return {
      address: server.url,
      openRoom: () => server.newMeeting(),
      pids: async () => {
        const media = childPids(pid);
        return { all: [pid, ...media], media };
      },
      close: () => server.close(),
    };
  },
  connect: async (): Promise<PeerClient> => ({
    publish: async (room, source) => {
      const { signaling, cname } = await enter(room);
      const joined = await publishWith(cname, source, async (offer) => {
        const reply = await signaling.request('offer', offer);
        if (reply.type !== 'answer') throw new Error('The offer was not answered');
        return reply.payload;
      });
      return {
        close: async () => {
          await joined.close();
          signaling.close();
        },
      };
    },
    receive: async (room, figures) => {
      const { signaling, cname } = await enter(room);
      const connection = await receiveWith(cname, figures);
      const connected = whenConnected(connection);
      signaling.on('offer', (offer, answer) => {
        connection.answer(offer.sdp, offer.tracks).then(
          ({ sdp, start }) => {
            answer(sdp);
            start();
          },
          (error: unknown) => connection.emit('failed', error),
        );
      });
      await signaling.request('subscribe', { audio: true, video: true });
      await connected;
      return {
        connection,
        close: async () => {
          connection.close();
          signaling.close();
        },
      };
    },
    probe: async (room, onFrame) => {
      const client = await joinMeeting({ meeting: room, displayName: 'Probe' });
      client.on('track', (track) => track.on('frame', onFrame));
      for (const track of client.tracks) track.on('frame', onFrame);
      await client.whenConnected();
      return { close: () => client.leave() };
    },
    close: async () => {},
  }),
};

async function enter(room: string): Promise<{ signaling: SignalingClient; cname: string }> {
  const {
    signalingUrl: url,
    token,
    participant,
  } = await requestJoin(resolveMeeting(room), { displayName: 'Bot' });
  const signaling = new SignalingClient({ url, token, reconnectTimeoutMs: RECONNECT_TIMEOUT_MS });
  await signaling.connect();
  return { signaling, cname: participant.id };
}
