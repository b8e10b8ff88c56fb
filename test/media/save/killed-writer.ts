/** Writes a track at the speed of its pictures until it is killed. Arguments: folder, IVF file. */
import { readFileSync } from 'node:fs';
import { parseVp8FrameHeader } from '../../../src/media/rtp/vp8-frame.ts';
import { TrackFile } from '../../../src/media/save/index.ts';
import { ivfFrames } from '../rtp/encoded.ts';

const [directory, ivf] = process.argv.slice(2);
const frames = ivfFrames(readFileSync(ivf!));
const file = await TrackFile.open({
  directory: directory!,
  participantName: 'killed',
  source: 'camera',
  trackId: 'track',
  codec: 'vp8',
});
let count = 0;
setInterval(() => {
  const data = frames[count]!;
  const now = Date.now();
  file.write({ data, ...parseVp8FrameHeader(data)!, mediaTimeMs: count * 33, receivedAtMs: now });
  count++;
  process.stdout.write(`${count}\n`);
}, 33);
