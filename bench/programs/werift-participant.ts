/** A participant made of stock werift, as its documentation shows it: for the comparison with ours. */
import { randomBytes } from 'node:crypto';
import {
  MediaStreamTrack,
  RTCIceGatherer,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RTCRtpHeaderExtensionParameters,
  type RTCRtpSender,
  RtpHeader,
  RtpPacket,
} from 'werift';
import { requestJoin, resolveMeeting } from '../../src/client/api.ts';
import { SignalingClient } from '../../src/client/signaling/client.ts';
import { answer } from '../harness/program.ts';

export interface WeriftCounters {
  readonly packets: number;
  /** CPU time of this process since its start, microseconds. */
  readonly cpuUs: number;
}

export interface WeriftReceiveRequest {
  /** One participant in each. */
  readonly meetings: readonly string[];
  /** Where packets are counted: behind the RTP receiver, or as they come out of SRTP. */
  readonly depth: 'receiver' | 'srtp';
}

export interface WeriftSendRequest {
  /** One participant in each. */
  readonly meetings: readonly string[];
  /** Bursts of packets a second, as pictures make them. */
  readonly rate: number;
  readonly packetsABurst: number;
  /** Bytes of a packet's payload. */
  readonly bytes: number;
}

// werift asks a public STUN server when it is told of none; the benchmarks stay on this machine.
const gather = RTCIceGatherer.prototype.gather;
RTCIceGatherer.prototype.gather = function (this: RTCIceGatherer) {
  Object.assign(this.connection, { stunServer: undefined });
  return gather.call(this);
};

const VP8 = new RTCRtpCodecParameters({
  mimeType: 'video/VP8',
  clockRate: 90_000,
  rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
});
const OPUS = new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });
/** The ones that participants of ours send and answer. */
const EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
].map((uri) => new RTCRtpHeaderExtensionParameters({ uri }));
/** A payload descriptor (RFC 7741 section 4.2) that says "start of a picture", and a keyframe's header. */
const VP8_START = Buffer.from([0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00]);
/** The payload descriptor of the packets that follow. */
const VP8_CONTINUED = 0;

/** A handshake that takes longer hangs: stock werift repeats a lost flight as it was, which OpenSSL drops. */
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECT_ATTEMPTS = 5;

const connections: RTCPeerConnection[] = [];
const timers = new Set<NodeJS.Timeout>();
let packets = 0;
const count = () => {
  packets += 1;
};

function connect(): RTCPeerConnection {
  const connection = new RTCPeerConnection({
    bundlePolicy: 'max-bundle',
    codecs: { audio: [OPUS], video: [VP8] },
    headerExtensions: { audio: EXTENSIONS, video: EXTENSIONS },
    iceServers: [],
  });
  connections.push(connection);
  return connection;
}

function connected(pc: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    pc.connectionStateChange.subscribe((state) => {
      if (state === 'connected') resolve();
      else if (state === 'failed') reject(new Error('werift could not connect'));
    });
  });
}

/** Takes another connection for one that hangs. */
async function attempt<T>(connectOnce: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, CONNECT_TIMEOUT_MS, 'late'));
    const result = await Promise.race([connectOnce(), late]);
    if (result !== 'late') return result;
    if (attempts === CONNECT_ATTEMPTS) throw new Error('werift did not connect');
  }
}

async function signalingFor(meeting: string): Promise<SignalingClient> {
  const reply = await requestJoin(resolveMeeting(meeting), { displayName: 'werift' });
  const { signalingUrl: url, token } = reply;
  const signaling = new SignalingClient({ url, token, reconnectTimeoutMs: 1_000 });
  await signaling.connect();
  return signaling;
}

async function publish(meeting: string): Promise<RTCRtpSender> {
  const signaling = await signalingFor(meeting);
  const pc = connect();
  const track = new MediaStreamTrack({ kind: 'video' });
  const { sender } = pc.addTransceiver(track, { direction: 'sendonly' });
  const up = connected(pc);
  await pc.setLocalDescription(await pc.createOffer());
  const reply = await signaling.request('offer', { sdp: pc.localDescription!.sdp });
  if (reply.type !== 'answer') throw new Error('The server did not answer the offer');
  await pc.setRemoteDescription({ type: 'answer', sdp: reply.payload.sdp });
  await up;
  return sender;
}

/** Sends bursts of packets until the process ends. */
function sendBursts(sender: RTCRtpSender, { rate, packetsABurst, bytes }: WeriftSendRequest): void {
  const start = randomBytes(bytes);
  VP8_START.copy(start);
  const rest = randomBytes(bytes);
  rest[0] = VP8_CONTINUED;
  let sequenceNumber = 0;
  let bursts = 0;
  const originMs = performance.now() + Math.random() * (1000 / rate);
  const tick = () => {
    timers.delete(timer);
    while (originMs + (bursts * 1000) / rate <= performance.now()) {
      bursts += 1;
      const timestamp = Math.round((bursts * 90_000) / rate);
      for (let i = 0; i < packetsABurst; i += 1) {
        sequenceNumber = (sequenceNumber + 1) & 0xffff;
        const header = new RtpHeader({ sequenceNumber, timestamp, marker: i === packetsABurst - 1 });
        count();
        void sender.sendRtp(new RtpPacket(header, i === 0 ? start : rest));
      }
    }
    timer = setTimeout(tick, Math.max(0, originMs + (bursts * 1000) / rate - performance.now()));
    timers.add(timer);
  };
  let timer = setTimeout(tick, Math.max(0, originMs - performance.now()));
  timers.add(timer);
}

async function subscribe(meeting: string, depth: WeriftReceiveRequest['depth']): Promise<void> {
  const signaling = await signalingFor(meeting);
  const pc = connect();
  const up = connected(pc);
  const offered = Promise.withResolvers<void>();
  signaling.on('offer', ({ sdp }, reply) => {
    void (async () => {
      await pc.setRemoteDescription({ type: 'offer', sdp });
      await pc.setLocalDescription(await pc.createAnswer());
      reply(pc.localDescription!.sdp);
    })().then(offered.resolve, offered.reject);
  });
  await signaling.request('subscribe', { audio: true, video: true });
  await offered.promise;
  await up;
  if (depth === 'receiver') {
    // One for each SSRC of the section, of which only one carries media; `onTrack` tells of the first.
    for (const { receiver } of pc.getTransceivers())
      for (const track of receiver.tracks) track.onReceiveRtp.subscribe(count);
    return;
  }
  for (const { onRtp } of pc.dtlsTransports) {
    onRtp.allUnsubscribe();
    onRtp.subscribe(count);
  }
}

const requests = {
  send: async (request: WeriftSendRequest): Promise<void> => {
    for (const meeting of request.meetings) sendBursts(await attempt(() => publish(meeting)), request);
  },

  receive: async ({ meetings, depth }: WeriftReceiveRequest): Promise<void> => {
    // All at once their handshakes, which are JavaScript, would run into each other's timeouts.
    for (const meeting of meetings) await attempt(() => subscribe(meeting, depth));
  },

  counters: (): WeriftCounters => {
    const { user, system } = process.cpuUsage();
    return { packets, cpuUs: user + system };
  },
};

export type WeriftRequests = typeof requests;

answer(requests, async () => {
  for (const timer of timers) clearTimeout(timer);
  await Promise.all(connections.map((connection) => connection.close()));
});
