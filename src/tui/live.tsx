import { Box, render, Text } from 'ink';
import { useEffect, useState } from 'react';
import type { MeetingClient } from '../client/meeting.ts';
import { statsLine } from './stats-line.ts';

export interface ShownParticipant {
  readonly name: string;
  readonly client: MeetingClient;
}

const REFRESH_MS = 1_000;

/** One line for each participant of ours, redrawn every second. */
function Live({ participants }: { readonly participants: readonly ShownParticipant[] }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Box flexDirection="column">
      {participants.map(({ name, client }) => (
        <Text key={client.self.id} wrap="truncate">
          {statsLine(name, client)}
        </Text>
      ))}
    </Box>
  );
}

/** Draws the live lines on a terminal until closed. Ctrl-C stays the command's business. */
export function showMeeting(
  stdout: NodeJS.WriteStream,
  participants: readonly ShownParticipant[],
): { close(): void } {
  const app = render(<Live participants={participants} />, {
    stdout,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  return { close: () => app.unmount() };
}
