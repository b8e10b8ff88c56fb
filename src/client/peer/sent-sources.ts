import type { EncodedSource } from '../../media/types.ts';
import type { MediaKind, MediaSource } from '../../protocol/model.ts';

/** What a participant sends: camera and microphone, a screen with its sound, or both. */
export interface SentSources {
  readonly own?: EncodedSource | undefined;
  readonly screen?: EncodedSource | undefined;
}

export type SourceRole = keyof SentSources;

const ROLES: readonly SourceRole[] = ['own', 'screen'];

/** What the tracks of a source are called in the meeting. */
export const MEDIA_SOURCE: Readonly<Record<SourceRole, Readonly<Record<MediaKind, MediaSource>>>> = {
  own: { audio: 'microphone', video: 'camera' },
  screen: { audio: 'screen-audio', video: 'screen' },
};

/** The sources that there are, with what they are. */
export function listSources(
  sources: SentSources,
): { readonly role: SourceRole; readonly source: EncodedSource }[] {
  return ROLES.flatMap((role) => {
    const source = sources[role];
    return source === undefined ? [] : [{ role, source }];
  });
}

/** One simulcast layer of one of the videos. */
export interface SentLayer {
  readonly role: SourceRole;
  readonly layer: number;
  /** Bits a second, in full and the least that it is worth sending with. */
  readonly bitrate: number;
  readonly floor: number;
}

/** What a source that follows its bandwidth can be reduced to before a layer is left out. */
const ADAPTIVE_FLOOR = 0.35;

/**
 * All layers, the most important first: everybody's lowest, as without it nothing is seen; then the screen's others,
 * then the camera's.
 */
export function rankLayers(sources: SentSources): SentLayer[] {
  const layers = listSources(sources).flatMap(({ role, source }) =>
    (source.video?.layers ?? []).map(({ bitrate }, layer) => ({
      role,
      layer,
      bitrate,
      floor: source.setBitrate === undefined ? bitrate : Math.round(bitrate * ADAPTIVE_FLOOR),
    })),
  );
  const rank = ({ role, layer }: SentLayer) => {
    if (layer === 0) return role === 'screen' ? 0 : 1;
    return role === 'screen' ? 2 + layer : 100 + layer;
  };
  return layers.sort((a, b) => rank(a) - rank(b));
}
