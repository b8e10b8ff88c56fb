import type { VideoRequest } from '../../protocol/signaling.ts';
import { arrange } from '../layout/arrange.ts';
import type { Size } from '../layout/rect.ts';
import type { Scene } from '../layout/types.ts';

/** A layer may be so much higher than its tile before the next lower one is taken: made larger, that one would blur. */
const LARGER = 1.35;
/** Layers are of these heights by habit; asking for more is asking for nothing. */
const MAX_HEIGHT = 2_160;

/**
 * The videos that a scene needs, no larger than they are shown, the largest first. Who has no camera on gets a request
 * too, so that the picture is there without another one when there is a camera.
 */
export function wantedVideos(scene: Scene, size: Size): VideoRequest[] {
  return arrange(scene, size)
    .toSorted((a, b) => b.rect.height - a.rect.height)
    .map(({ participantId, kind, rect }) => ({
      participantId,
      source: kind === 'screen' ? ('screen' as const) : ('camera' as const),
      // A screen has to be read: it is taken as large as it comes.
      ...(kind === 'screen' ? {} : { maxHeight: Math.min(MAX_HEIGHT, Math.ceil(rect.height * LARGER)) }),
    }));
}
