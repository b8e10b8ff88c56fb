import { createHash } from 'node:crypto';
import type { Part } from './types.ts';

/** Whether a stream has exactly the bytes of the parts, in their order; one that has not is not read to its end. */
export async function isSameContent(
  body: AsyncIterable<Uint8Array>,
  parts: readonly Pick<Part, 'size' | 'sha256'>[],
): Promise<boolean> {
  const waiting = [...parts];
  let hash = createHash('sha256');
  let left = waiting[0]?.size ?? 0;
  for await (const chunk of body) {
    for (let rest = chunk; rest.length > 0; ) {
      const part = waiting[0];
      if (part === undefined) return false;
      const piece = rest.subarray(0, left);
      hash.update(piece);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      if (left > 0) continue;
      if (hash.digest('hex') !== part.sha256) return false;
      waiting.shift();
      hash = createHash('sha256');
      left = waiting[0]?.size ?? 0;
    }
  }
  return waiting.every(({ size }) => size === 0);
}
