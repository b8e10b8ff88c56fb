import { randomInt } from 'node:crypto';
import type { AudioDescription, VideoDescription } from '../../media/types.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { SdpSection, SdpStream } from '../sdp/index.ts';
import { opusCodecs, publishedExtensions, videoCodecs } from './codecs.ts';
import { listSources, MEDIA_SOURCE, type SentSources, type SourceRole } from './sent-sources.ts';

/** One section to publish, with the RTP streams behind it. */
export interface PublishedSection {
  readonly section: SdpSection;
  readonly role: SourceRole;
  readonly source: MediaSource;
  /** One for audio, one a simulcast layer for video, lowest first. */
  readonly streams: readonly { readonly ssrc: number; readonly rtxSsrc?: number; readonly rid?: string }[];
}

const randomSsrc = (): number => randomInt(1, 0xffff_ffff);

/**
 * The sections that publish sources, the audio of each before its video, each with its own SSRCs. Several video layers
 * go out as simulcast by rid (RFC 8853); their SSRCs then stay out of the description, as browsers do it.
 */
export function publishSections(sources: SentSources, cname: string): PublishedSection[] {
  const sections: PublishedSection[] = [];
  for (const { role, source } of listSources(sources)) {
    const of = (kind: 'audio' | 'video'): Place => ({
      mid: String(sections.length),
      role,
      source: MEDIA_SOURCE[role][kind],
      cname,
    });
    if (source.audio) sections.push(audioSection(source.audio, of('audio')));
    if (source.video) sections.push(videoSection(source.video, of('video')));
  }
  return sections;
}

/** Where a section stands and what it is. */
interface Place {
  readonly mid: string;
  readonly role: SourceRole;
  readonly source: MediaSource;
  readonly cname: string;
}

function audioSection({ channels }: AudioDescription, { mid, role, source, cname }: Place): PublishedSection {
  const stream: SdpStream = { ssrc: randomSsrc() };
  return {
    role,
    source,
    streams: [stream],
    section: {
      mid,
      kind: 'audio',
      direction: 'sendonly',
      rejected: false,
      codecs: opusCodecs(channels),
      extensions: publishedExtensions('audio'),
      streams: [stream],
      cname,
      msid: { streamId: streamIdOf(role, cname), trackId: role === 'screen' ? 'screen-audio' : 'audio' },
    },
  };
}

function videoSection({ codec, layers }: VideoDescription, place: Place): PublishedSection {
  const { mid, role, source, cname } = place;
  const simulcast = layers.length > 1;
  const streams = layers.map((_, layer) => ({
    ssrc: randomSsrc(),
    rtxSsrc: randomSsrc(),
    ...(simulcast ? { rid: `r${layer}` } : {}),
  }));
  return {
    role,
    source,
    streams,
    section: {
      mid,
      kind: 'video',
      direction: 'sendonly',
      rejected: false,
      codecs: videoCodecs(codec),
      extensions: publishedExtensions('video'),
      streams: simulcast ? [] : streams,
      cname,
      msid: { streamId: streamIdOf(role, cname), trackId: role === 'screen' ? 'screen' : 'video' },
      ...(simulcast ? { sendRids: layers.map((_, layer) => `r${layer}`) } : {}),
    },
  };
}

/** Receivers play the tracks of a stream in step, and a screen is another stream than a camera. */
const streamIdOf = (role: SourceRole, cname: string): string =>
  role === 'screen' ? `${cname}-screen` : cname;
