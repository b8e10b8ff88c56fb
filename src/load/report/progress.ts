/** How a run stands, in one line. */
import type { Progress } from '../run/run.ts';
import { formatCount, formatMs, formatValue } from './format.ts';

export function progressLine({ phase, elapsedMs, bots, joining, down, away, point }: Progress): string {
  const parts = [`${formatMs(elapsedMs)} ${phase}`, `${bots} bots`];
  if (joining > 0) parts.push(`${joining} joining`);
  if (down > 0) parts.push(`${down} disconnected`);
  if (away) parts.push('SERVER AWAY');
  if (point !== undefined) {
    parts.push(
      `${formatCount(point.packets)} packets/s`,
      `loss ${formatValue(point.loss, 'share')}`,
      `latency p99 ${formatValue(point.latencyP99Ms, 'ms')}`,
      `${point.freezes} freezes`,
    );
  }
  return parts.join(', ');
}
