import { randomInt } from 'node:crypto';
import type { EncodedSource } from '../../media/types.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { SdpSection, SdpStream } from '../sdp/index.ts';
import { opusCodecs, publishedExtensions, videoCodecs } from './codecs.ts';

/** One section to publish, with the RTP streams behind it. */
export interface PublishedSection {
  readonly section: SdpSection;
  readonly source: MediaSource;
  /** One for audio, one a simulcast layer for video, lowest first. */
  readonly streams: readonly { readonly ssrc: number; readonly rtxSsrc?: number; readonly rid?: string }[];
}

const randomSsrc = (): number => randomInt(1, 0xffff_ffff);

/**
 * The sections that publish a source: audio first, then video, each with its own SSRCs. Several video layers
 * go out as simulcast by rid (RFC 8853); their SSRCs then stay out of the description, as browsers do it.
 */
export function publishSections(source: EncodedSource, cname: string): PublishedSection[] {
  const streamId = cname;
  const sections: PublishedSection[] = [];
  if (source.audio) {
    const stream: SdpStream = { ssrc: randomSsrc() };
    sections.push({
      source: 'microphone',
      streams: [stream],
      section: {
        mid: String(sections.length),
        kind: 'audio',
        direction: 'sendonly',
        rejected: false,
        codecs: opusCodecs(source.audio.channels),
        extensions: publishedExtensions('audio'),
        streams: [stream],
        cname,
        msid: { streamId, trackId: 'audio' },
      },
    });
  }
  if (source.video) {
    const { codec, layers } = source.video;
    const simulcast = layers.length > 1;
    const streams = layers.map((_, layer) => ({
      ssrc: randomSsrc(),
      rtxSsrc: randomSsrc(),
      ...(simulcast ? { rid: `r${layer}` } : {}),
    }));
    sections.push({
      source: 'camera',
      streams,
      section: {
        mid: String(sections.length),
        kind: 'video',
        direction: 'sendonly',
        rejected: false,
        codecs: videoCodecs(codec),
        extensions: publishedExtensions('video'),
        streams: simulcast ? [] : streams,
        cname,
        msid: { streamId, trackId: 'video' },
        ...(simulcast ? { sendRids: layers.map((_, layer) => `r${layer}`) } : {}),
      },
    });
  }
  return sections;
}
