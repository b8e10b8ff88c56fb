/** Joins the meeting of its first argument with a clip, waits for media, leaves, and prints what it saw as JSON. */
import { joinMeeting } from '../../src/client/join.ts';
import { openTestPattern } from '../../src/media/file/test-pattern.ts';
import { MeetError } from '../../src/protocol/errors.ts';
import { mediaCacheDir } from './media-cache.ts';

const [meeting = '', displayName = 'Child'] = process.argv.slice(2);
try {
  const source = await openTestPattern({ cacheDir: mediaCacheDir() });
  const client = await joinMeeting({ meeting, displayName, source });
  await client.whenConnected();
  const { id } = client.self;
  await client.leave();
  console.log(JSON.stringify({ participantId: id }));
} catch (error) {
  const { code, message } = MeetError.from(error);
  console.log(JSON.stringify({ error: { code, message } }));
}
