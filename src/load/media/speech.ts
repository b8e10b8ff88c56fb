/** Who speaks when, among those who send sound. */
import { seededRandom } from '../seeded.ts';

/** A turn is as long as a sentence or two, milliseconds. */
const TURN_MS = 4_000;

export interface SpeechPlan {
  /** Who sends sound, and how many of them speak at once. */
  readonly publishers: number;
  readonly speakers: number;
  readonly seed: number;
}

/**
 * Whether the publisher speaks at a time of the run. The turn goes round in an order that the seed shuffles: every turn
 * one stops and another begins. The same for all processes, without a word between them.
 */
export function speaks(
  { publishers, speakers, seed }: SpeechPlan,
  publisher: number,
  nowMs: number,
): boolean {
  if (speakers >= publishers) return true;
  const turn = Math.floor(nowMs / TURN_MS) % publishers;
  const place = shuffledPlace(publisher, publishers, seed);
  return (place - turn + publishers) % publishers < speakers;
}

const orders = new Map<string, readonly number[]>();

function shuffledPlace(publisher: number, publishers: number, seed: number): number {
  const key = `${seed} ${publishers}`;
  let places = orders.get(key);
  if (places === undefined) {
    const shuffled = Array.from({ length: publishers }, (_, place) => place);
    const random = seededRandom(seed);
    for (let last = publishers - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    places = shuffled;
    orders.set(key, places);
  }
  return places[publisher % publishers]!;
}
