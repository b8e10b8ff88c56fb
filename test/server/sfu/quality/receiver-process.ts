/** A receiver in a process of its own, for tests with network namespaces; says in JSON lines what it gets. */
import { joinMeeting } from '../../../../src/client/join.ts';

const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const client = await joinMeeting({ meeting: process.argv[2]!, displayName: 'Receiver' });
let height: number | undefined;
client.on('track', (track) => {
  track.on('frame', (frame) => {
    if (frame.height === undefined || frame.height === height) return;
    height = frame.height;
    say({ height });
  });
});
client.on('audio-only', (audioOnly) => {
  if (audioOnly) height = undefined;
  const audio = client.stats().received.find(({ kind }) => kind === 'audio');
  say({ audioOnly, audioPackets: audio?.packets, audioLost: audio?.lost });
});
