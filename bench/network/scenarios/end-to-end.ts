/** From the capture of a picture to the decoded picture at a receiver far away, and what each stage takes of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, spread } from '../../harness/figure.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';
import { framesOf, type Interval } from '../analysis.ts';
import { CAPTURE_CLOCK_MS, type EncodedPicture, type EncoderLog } from '../media/live-source.ts';
import type { ReadPicture } from '../media/picture-reader.ts';
import { BenchMeeting } from '../meeting.ts';
import { untilLines } from '../reach.ts';
import type { RecordedFrame, Recording } from '../recording.ts';
import type { Scenario } from '../scenario.ts';

/** One way; 50 ms round trip. */
const DELAY_MS = 25;
const LOSS = 0.01;
const SEED = 1;
const MEASURE_MS = 30_000;
const QUICK_MEASURE_MS = 10_000;
const WARM_UP_MS = 30_000;
const TARGET_MS = 150;
const ON_THEIR_WAY_MS = 1_000;

export const endToEnd: Scenario = {
  name: 'end-to-end',
  title:
    'capture to decoded picture, 720p30 encoded live, 50 ms round trip and 1 % loss between server and receiver',
  run: ({ quick, say, keep }) =>
    BenchMeeting.run(async (meeting) => {
      const sender = meeting.on(await meeting.hosts.addWired());
      const link = await meeting.hosts.addImpaired(SEED);
      await link.change({ delay: DELAY_MS, loss: LOSS });
      const receiver = meeting.on(link);
      const [senderId] = await sender.join({ name: 'Camera', source: 'live', receive: 'none' });
      const id = await receiver.watch({ name: 'Receiver', decode: true });
      say('waiting for 720p');
      await untilLines(720, WARM_UP_MS, [receiver, id]);
      say('measuring');
      const from = sharedClockMs();
      await delay(quick ? QUICK_MEASURE_MS : MEASURE_MS);
      const interval = { from, to: sharedClockMs() };
      const recording = await receiver.recording(id);
      await keep('end-to-end', recording);
      return figuresOf(recording, await sender.program.ask('encoded', { id: senderId! }), interval);
    }),
};

function figuresOf(recording: Recording, encoder: EncoderLog, interval: Interval): Figure[] {
  const pictures = recording.pictures.filter(({ at }) => at >= interval.from && at < interval.to);
  const read = pictures.flatMap((picture) => capturedAt(picture) ?? []);
  const stages = stagesOf(read, framesOf(recording, 'video'), encoder.log);
  const of = (stage: (each: Stages) => number) => stages.map(stage);
  // What was captured at the end is still on its way.
  const captured = encoder.log.filter(
    ({ capturedAt: at }) => at >= interval.from && at < interval.to - ON_THEIR_WAY_MS,
  );
  const known = new Set(read.map((each) => each.captured));
  const missing = captured.filter((each) => !known.has(Math.floor(each.capturedAt)));
  const total = read.map(({ at, captured: since }) => at - since);
  return [
    ...spread('capture to decoded picture', 'ms', total, 'p95', { high: TARGET_MS }),
    ...spread(
      'of it encoding',
      'ms',
      of(({ encoded }) => encoded),
      'p95',
    ),
    ...spread(
      'of it sending, server and network',
      'ms',
      of(({ arrived }) => arrived),
      'p95',
    ),
    ...spread(
      'of it waiting for pictures before it',
      'ms',
      of(({ ordered }) => ordered),
      'p95',
    ),
    ...spread(
      'of it decoding',
      'ms',
      of(({ decoded }) => decoded),
      'p95',
    ),
    {
      name: 'captured pictures that were not shown',
      value: (100 * missing.length) / captured.length,
      unit: '%',
    },
    { name: 'pictures that the encoder had no time for', value: encoder.dropped, unit: '' },
    { name: 'corrupt pictures', value: pictures.length - read.length, unit: '', target: 0 },
    { name: 'pictures whose stages are known', value: (100 * stages.length) / read.length, unit: '%' },
  ];
}

interface Shown {
  readonly index: number;
  /** Whole milliseconds of the shared clock. */
  readonly captured: number;
  readonly at: number;
}

/** The counter is the time of capture modulo its range, in whole milliseconds. */
function capturedAt({ index, counter, at }: ReadPicture): Shown | undefined {
  if (counter === undefined) return undefined;
  return {
    index,
    at,
    captured: Math.round(at - ((((at - counter) % CAPTURE_CLOCK_MS) + CAPTURE_CLOCK_MS) % CAPTURE_CLOCK_MS)),
  };
}

/** Milliseconds each. */
interface Stages {
  readonly encoded: number;
  /** From the encoder to the last packet at the receiver. */
  readonly arrived: number;
  /** In the jitter buffer, whole. */
  readonly ordered: number;
  readonly decoded: number;
}

function stagesOf(
  shown: readonly Shown[],
  frames: readonly RecordedFrame[],
  log: readonly EncodedPicture[],
): Stages[] {
  const encodedBy = new Map(log.map((each) => [Math.floor(each.capturedAt), each]));
  const frameOf = new Map(frames.map((frame) => [frame.decodedAs, frame]));
  return shown.flatMap(({ captured, at, index }) => {
    const encoded = encodedBy.get(captured);
    const frame = frameOf.get(index);
    if (encoded === undefined || frame === undefined) return [];
    return [
      {
        encoded: encoded.encodedAt - encoded.capturedAt,
        arrived: frame.arrivedAt - encoded.encodedAt,
        ordered: frame.at - frame.arrivedAt,
        decoded: at - frame.at,
      },
    ];
  });
}
