/** Processes the recording of its first argument with the ffmpeg of its second and the OpenAI server of its third. */
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { processRecording } from '../../../src/recorder/after/process.ts';
import { openTranscriber } from '../../../src/recorder/after/transcript/providers/open.ts';

const [path = '', ffmpeg = '', url] = process.argv.slice(2);
const transcriber = url === undefined ? undefined : await openTranscriber({ kind: 'openai', url });
await processRecording(path, { ffmpeg: await findFfmpeg({ path: ffmpeg }), transcriber });
