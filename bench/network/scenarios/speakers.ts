/** One after the other speaks in a large meeting: what a change costs, and when it is heard and known. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, spread } from '../../harness/figure.ts';
import { BenchMeeting } from '../meeting.ts';
import type { Recording } from '../recording.ts';
import type { Scenario } from '../scenario.ts';

const SIZES = [30, 300];
/** Everybody of the smaller meeting receives; in the larger one as many, and the others only send. */
const RECEIVERS = 30;
/** Speaking for so long makes an active speaker of somebody, after two seconds. */
const TURN_MS = 5_000;
const TURNS = 10;
const QUICK_TURNS = 4;
/** Without an offer for so long, the meeting is complete for everybody. */
const QUIET_MS = 2_000;
const QUIET_TIMEOUT_MS = 60_000;
const POLL_MS = 200;

export const speakers: Scenario = {
  name: 'speakers',
  title: `changes of the speaker with ${SIZES.join(' and ')} participants with audio, the silent ones on DTX`,
  run: async (options) => {
    const figures: Figure[] = [];
    for (const size of SIZES) {
      figures.push(...(await BenchMeeting.run((meeting) => withParticipants(meeting, size, options))));
    }
    return figures;
  },
};

async function withParticipants(
  meeting: BenchMeeting,
  size: number,
  { quick, say, keep }: Parameters<Scenario['run']>[0],
): Promise<Figure[]> {
  const everybody = meeting.on(await meeting.hosts.addWired());
  const listeners = meeting.on(await meeting.hosts.addWired());
  say(`${size} participants join`);
  const source = 'speech';
  const id = await listeners.watch({ name: 'Listener', source, receive: 'audio' });
  const ids = await everybody.join({ name: 'Receiver', count: RECEIVERS - 1, source, receive: 'audio' });
  const rest = size - RECEIVERS;
  if (rest > 0) ids.push(...(await everybody.join({ name: 'Sender', count: rest, source, receive: 'none' })));
  const offers = async () => {
    const all = await Promise.all([everybody, listeners].map(({ program }) => program.ask('offers')));
    return all.flat();
  };
  const joining = await untilQuiet(offers);
  const turns: { readonly at: number; readonly id: string }[] = [];
  for (let turn = 0; turn < (quick ? QUICK_TURNS : TURNS); turn += 1) {
    say(`${size} participants, speaker ${turn + 1}`);
    const speaker = ids[(turn * 7) % ids.length]!;
    turns.push({ at: await everybody.program.ask('speak', { ids: [speaker] }), id: speaker });
    await delay(TURN_MS);
  }
  const changing = (await offers()).length - joining;
  const recording = await listeners.recording(id);
  await keep(`speakers-${size}`, recording);
  return figuresOf(`${size} participants`, recording, turns, { joining, changing });
}

/** Waits until no more offers come; gives how many came so far. */
async function untilQuiet(offers: () => Promise<number[]>): Promise<number> {
  const deadline = performance.now() + QUIET_TIMEOUT_MS;
  let count = -1;
  let since = performance.now();
  for (;;) {
    const { length } = await offers();
    if (length !== count) since = performance.now();
    count = length;
    if (performance.now() - since >= QUIET_MS) return count;
    if (performance.now() > deadline) throw new Error('Offers do not cease to come');
    await delay(POLL_MS);
  }
}

function figuresOf(
  name: string,
  recording: Recording,
  turns: readonly { readonly at: number; readonly id: string }[],
  { joining, changing }: { readonly joining: number; readonly changing: number },
): Figure[] {
  const heard = turns.flatMap(({ at, id }, index) => {
    const until = turns[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const taken = recording.slots.find(
      (slot) => slot.at >= at && slot.at < until && slot.participantId === id,
    );
    return taken ? [taken.at - at] : [];
  });
  const known = turns.flatMap(({ at, id }, index) => {
    const until = turns[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const said = recording.speakers.find((each) => each.at >= at && each.at < until && each.ids[0] === id);
    return said ? [said.at - at] : [];
  });
  const audio = recording.samples.at(-1)?.tracks.filter(({ kind }) => kind === 'audio') ?? [];
  return [
    { name: `${name}: audio streams received`, value: audio.length, unit: '', target: 4 },
    { name: `${name}: offers while joining`, value: joining, unit: '' },
    {
      name: `${name}: offers for ${turns.length} changes of the speaker`,
      value: changing,
      unit: '',
      target: 0,
    },
    { name: `${name}: speakers that got no slot`, value: turns.length - heard.length, unit: '', target: 0 },
    ...(heard.length > 0 ? spread(`${name}: slot taken after`, 'ms', heard, 'max') : []),
    {
      name: `${name}: speakers not named as the active one`,
      value: turns.length - known.length,
      unit: '',
      target: 0,
    },
    ...(known.length > 0 ? spread(`${name}: named as the active speaker after`, 'ms', known, 'max') : []),
    {
      name: `${name}: packets lost in the slots`,
      value: audio.reduce((sum, { lost }) => sum + lost, 0),
      unit: '',
      target: 0,
    },
  ];
}
