/** A real SFU worker to connect to, and SRTP by werift to look into the packets. */
import { createWorker, type types } from 'mediasoup';
import { RtpHeader, SrtpSession } from 'werift';
import type {
  LocalTransportParameters,
  RemoteTransportParameters,
  SrtpKeys,
} from '../../../src/client/transport/types.ts';
import { workerBin } from '../../support/worker.ts';

export interface SfuOptions {
  readonly ip?: string;
  readonly protocols?: readonly ('udp' | 'tcp')[];
}

/** One worker with a WebRtcServer on loopback and a router for Opus. */
export class Sfu {
  readonly worker: types.Worker;
  readonly server: types.WebRtcServer;
  readonly router: types.Router;

  private constructor(worker: types.Worker, server: types.WebRtcServer, router: types.Router) {
    this.worker = worker;
    this.server = server;
    this.router = router;
  }

  static async start({ ip = '127.0.0.1', protocols = ['udp', 'tcp'] }: SfuOptions = {}): Promise<Sfu> {
    const worker = await createWorker({
      workerBin: workerBin(),
      logLevel: 'error',
      logTags: ['ice', 'dtls'],
    });
    const server = await worker.createWebRtcServer({
      listenInfos: protocols.map((protocol) => ({ protocol, ip, port: 0 })),
    });
    const router = await worker.createRouter({
      mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
    });
    return new Sfu(worker, server, router);
  }

  transport(): Promise<types.WebRtcTransport> {
    return this.router.createWebRtcTransport({ webRtcServer: this.server, enableUdp: true, enableTcp: true });
  }

  close(): void {
    this.worker.close();
  }
}

const PAYLOAD_TYPE = 100;
const SSRC = 0x1234_5678;

/** What a client is told of a transport. */
export function remoteOf(
  transport: types.WebRtcTransport,
  dtlsRole: 'client' | 'server' = 'client',
): RemoteTransportParameters {
  const { iceParameters, iceCandidates, dtlsParameters } = transport;
  return {
    ...iceParameters,
    iceLite: true,
    candidates: iceCandidates.map(
      ({ foundation, protocol, priority, address, port, tcpType }) =>
        `${foundation} 1 ${protocol} ${priority} ${address} ${port} typ host${tcpType ? ` tcptype ${tcpType}` : ''}`,
    ),
    fingerprints: dtlsParameters.fingerprints,
    dtlsRole,
  };
}

/** Tells the transport of the client. */
export function accept(
  transport: types.WebRtcTransport,
  local: LocalTransportParameters,
  clientRole: 'client' | 'server' = 'client',
): Promise<void> {
  return transport.connect({
    dtlsParameters: { role: clientRole, fingerprints: [{ algorithm: 'sha-256', value: local.fingerprint }] },
  });
}

/** Takes Opus packets from the client and hands them to `onPayload`. */
export async function receiveFrom(
  sfu: Sfu,
  transport: types.WebRtcTransport,
  onPayload: (payload: string) => void,
): Promise<void> {
  const producer = await transport.produce({
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48_000, channels: 2 }],
      encodings: [{ ssrc: SSRC }],
    },
  });
  const direct = await sfu.router.createDirectTransport();
  const consumer = await direct.consume({
    producerId: producer.id,
    rtpCapabilities: sfu.router.rtpCapabilities,
  });
  consumer.on('rtp', (packet) => onPayload(packet.subarray(12 + extensionBytes(packet)).toString()));
}

/** Sends an Opus track to the client; the result sends one packet. */
export async function sendTo(sfu: Sfu, transport: types.WebRtcTransport): Promise<(payload: string) => void> {
  const direct = await sfu.router.createDirectTransport();
  const producer = await direct.produce({
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48_000, channels: 2 }],
      encodings: [{ ssrc: SSRC }],
    },
  });
  await transport.consume({ producerId: producer.id, rtpCapabilities: sfu.router.rtpCapabilities });
  let sequenceNumber = 0;
  return (payload) => producer.send(rtpPacket(payload, ++sequenceNumber));
}

function rtpPacket(payload: string, sequenceNumber: number): Buffer {
  const header = new RtpHeader({
    payloadType: PAYLOAD_TYPE,
    sequenceNumber,
    timestamp: sequenceNumber * 960,
    ssrc: SSRC,
  });
  return Buffer.concat([header.serialize(header.serializeSize), Buffer.from(payload)]);
}

function extensionBytes(packet: Buffer): number {
  return (packet[0]! & 0x10) === 0 ? 0 : 4 + 4 * packet.readUInt16BE(14);
}

/** SRTP of one client. */
export class Srtp {
  readonly #session: SrtpSession;
  #sequenceNumber = 0;

  constructor({ profile, localKey, localSalt, remoteKey, remoteSalt }: SrtpKeys) {
    this.#session = new SrtpSession({
      profile: profile === 'AEAD_AES_128_GCM' ? 7 : 1,
      keys: {
        localMasterKey: localKey,
        localMasterSalt: localSalt,
        remoteMasterKey: remoteKey,
        remoteMasterSalt: remoteSalt,
      },
    });
  }

  protect(payload: string): Buffer {
    const sequenceNumber = ++this.#sequenceNumber;
    const header = new RtpHeader({
      payloadType: PAYLOAD_TYPE,
      sequenceNumber,
      timestamp: sequenceNumber * 960,
      ssrc: SSRC,
    });
    return this.#session.encrypt(Buffer.from(payload), header);
  }

  /** The payload of an RTP packet; `undefined` for RTCP. */
  open(packet: Buffer): string | undefined {
    if (packet[1]! >= 192 && packet[1]! <= 223) return undefined;
    const plain = this.#session.decrypt(packet);
    return plain.subarray(12 + extensionBytes(plain)).toString();
  }
}
