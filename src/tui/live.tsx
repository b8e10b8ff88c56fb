import { Box, render, Static, Text } from 'ink';
import { useEffect, useReducer } from 'react';
import type { MeetingClient } from '../client/meeting.ts';
import { statsLine } from './stats-line.ts';

export interface ShownParticipant {
  readonly name: string;
  readonly client: MeetingClient;
}

export interface LiveView {
  /** Adds a line above the live ones, where it stays. */
  say(text: string): void;
  /** Draws for the last time; resolves when the terminal has it. */
  close(): Promise<void>;
}

const REFRESH_MS = 1_000;

interface Said {
  readonly key: number;
  readonly text: string;
}

interface LiveProps {
  readonly participants: readonly ShownParticipant[];
  readonly said: readonly Said[];
}

/** What has happened, and below it one line for each participant of ours, redrawn every second. */
function Live({ participants, said }: LiveProps) {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  useEffect(() => {
    const timer = setInterval(tick, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <Static items={[...said]}>{({ key, text }) => <Text key={key}>{text}</Text>}</Static>
      <Box flexDirection="column">
        {participants.map(({ name, client }) => (
          <Text key={client.self.id} wrap="truncate">
            {statsLine(name, client)}
          </Text>
        ))}
      </Box>
    </>
  );
}

/** Draws the live lines on a terminal until closed. Ctrl-C stays the command's business. */
export function showMeeting(stdout: NodeJS.WriteStream, participants: readonly ShownParticipant[]): LiveView {
  const said: Said[] = [];
  const view = () => <Live participants={participants} said={[...said]} />;
  const app = render(view(), { stdout, exitOnCtrlC: false, patchConsole: false });
  return {
    say: (text) => {
      said.push({ key: said.length, text });
      app.rerender(view());
    },
    close: async () => {
      app.unmount();
      await app.waitUntilExit();
    },
  };
}
