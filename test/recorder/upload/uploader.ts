/**
 * Uploads a live file that it reads from stdin, and tells of each part: what a test kills. Arguments: folder, location,
 * access key, secret key.
 */
import { LiveUpload, openUploadTarget } from '../../../src/recorder/upload/index.ts';
import { LiveFile, PART_BYTES, QUICK } from './recordings.ts';

const [folder = '', location = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2);
const target = await openUploadTarget(location, { credentials: { accessKeyId, secretAccessKey } });
const local = new LiveFile(folder);
const live = await LiveUpload.open({
  folder,
  target,
  file: 'live.mp4',
  key: 'meeting/recording.mp4',
  local,
  partBytes: PART_BYTES,
  retry: { ...QUICK, stubborn: true },
});
live.on('part', ({ number }) => process.stdout.write(`part ${number}\n`));
let sequence = 0;
for await (const bytes of process.stdin as AsyncIterable<Buffer>) {
  local.append(bytes);
  if (sequence === 0) live.init(bytes);
  else live.fragment({ sequence, decodeTimeMs: sequence * 1_000, durationMs: 1_000, bytes });
  sequence += 1;
}
process.stdout.write(`${JSON.stringify(await live.close())}\n`);
target.close();
