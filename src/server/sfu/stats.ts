/** The worker's statistics in our words. */
import type {
  Consumer,
  Producer,
  RtpStreamRecvStats,
  RtpStreamSendStats,
  WebRtcTransport,
} from 'mediasoup/types';
import type { ConnectionStats, StreamStats } from './types.ts';

export interface TrackedStream {
  readonly trackId: string;
  readonly stream: Producer | Consumer;
}

/** `undefined` when the connection is closed or its worker dies meanwhile. */
export async function connectionStats(
  transport: WebRtcTransport,
  tracked: readonly TrackedStream[],
): Promise<ConnectionStats | undefined> {
  if (transport.closed) return undefined;
  try {
    const [[own], streams] = await Promise.all([
      transport.getStats(),
      Promise.all(tracked.filter(({ stream }) => !stream.closed).map(streamStats)),
    ]);
    if (own === undefined) return undefined;
    const protocol = own.iceSelectedTuple?.protocol;
    return {
      iceState: own.iceState,
      dtlsState: own.dtlsState,
      ...(protocol === undefined ? {} : { protocol }),
      bytesReceived: own.bytesReceived,
      bytesSent: own.bytesSent,
      ...(own.availableOutgoingBitrate === undefined
        ? {}
        : { availableOutgoingBitrate: own.availableOutgoingBitrate }),
      streams: streams.flat(),
    };
  } catch (error) {
    if (transport.closed) return undefined;
    throw error;
  }
}

type RtpStats = RtpStreamRecvStats | RtpStreamSendStats;

async function streamStats({ trackId, stream }: TrackedStream): Promise<StreamStats[]> {
  const all = (await stream.getStats()) as RtpStats[];
  // A consumer also reports the producer's stream, as `inbound-rtp`.
  const type = 'producerId' in stream ? 'outbound-rtp' : 'inbound-rtp';
  const clockRate = stream.rtpParameters.codecs[0]?.clockRate ?? 90_000;
  return all
    .filter((stats) => stats.type === type)
    .map((stats) => ({
      trackId,
      kind: stream.kind,
      ...(stats.rid === undefined ? {} : { rid: stats.rid }),
      packets: stats.packetCount,
      bytes: stats.byteCount,
      bitrate: stats.bitrate,
      packetsLost: stats.packetsLost,
      jitterMs: (stats.jitter * 1000) / clockRate,
      ...(stats.roundTripTime === undefined ? {} : { rttMs: stats.roundTripTime }),
      score: stats.score,
    }));
}
