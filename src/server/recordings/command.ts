/** How recorders are called. */
import type { Recording } from '../store/index.ts';
import type { RecordingConfig } from './config.ts';

export interface RecorderCall {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The command that records; started again, it goes on in the recording's folder. */
export function recordCall(
  recording: Recording,
  config: RecordingConfig,
  { meetingUrl, token, uploadTo }: { meetingUrl: string; token: string; uploadTo: string | undefined },
): RecorderCall {
  const { id, layout, format, wanted, recorder } = recording;
  const { size = config.size, fps, bitrate, clock, tracksOnly } = recorder?.options ?? {};
  const option = (name: string, value: string | number | null | undefined) =>
    value === undefined || value === null ? [] : [`--${name}`, String(value)];
  return {
    args: [
      ...['record', meetingUrl, '--json'],
      ...option('dir', config.dir),
      ...option('id', id),
      ...option('layout', layout),
      ...option('pin', wanted.pin),
      ...option('size', size),
      ...option('fps', fps),
      ...option('bitrate', bitrate),
      ...option('format', format),
      ...option('s3', uploadTo),
      ...(clock ? ['--clock'] : []),
      ...(tracksOnly ? ['--tracks-only'] : []),
    ],
    // Arguments can be read by every user of the machine.
    env: { ...config.env, MEET_HOST_TOKEN: token },
  };
}

/** The command that makes of a recording what is made after the meeting. */
export function processCall({ id }: Recording, config: RecordingConfig): RecorderCall {
  return { args: ['recordings', 'process', id, '--dir', config.dir, '--json'], env: config.env };
}
