/** How a section of the server's offer is answered. */
import type { Codec } from '../../media/types.ts';
import type { SdpCodec, SdpSection } from '../sdp/index.ts';
import { codecOf, knownExtensions } from './codecs.ts';

/** The codec of a section that is received, `undefined` where the client knows none of them. */
export function primaryCodec(section: SdpSection): { sdp: SdpCodec; codec: Codec } | undefined {
  for (const sdp of section.codecs) {
    const codec = codecOf(sdp.name);
    if (codec !== undefined) return { sdp, codec };
  }
  return undefined;
}

/** Takes every section as offered, less the codecs that the client does not know. */
export function answerSection(offered: SdpSection): SdpSection {
  const codecs = offered.codecs.filter((codec) => isUsable(codec, offered.codecs));
  const known = new Set(Object.values(knownExtensions(offered.extensions)));
  const { mid, kind } = offered;
  return {
    mid,
    kind,
    direction: offered.direction === 'sendonly' || offered.direction === 'sendrecv' ? 'recvonly' : 'inactive',
    rejected: offered.rejected || codecs.length === 0,
    codecs: codecs.length > 0 ? codecs : offered.codecs.slice(0, 1),
    extensions: offered.extensions.filter((extension) => known.has(extension.id)),
    streams: [],
  };
}

function isUsable(codec: SdpCodec, all: readonly SdpCodec[]): boolean {
  if (codec.name !== 'rtx') return codecOf(codec.name) !== undefined;
  return all.some(
    (other) => String(other.payloadType) === codec.parameters.apt && codecOf(other.name) !== undefined,
  );
}
