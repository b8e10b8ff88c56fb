import type { MeetingClient } from '../../client/meeting.ts';
import { ChatSession } from '../../tui/chat/session.ts';
import { PlainChat } from '../../tui/plain.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import type { Front } from './front.ts';

/** The meeting in lines, or with `--json` in objects. */
export function openPlain({
  context,
  output,
  client,
}: {
  readonly context: CliContext;
  readonly output: Output;
  readonly client: MeetingClient;
}): Front {
  output.event('joined', {
    meetingId: client.meeting.id,
    participantId: client.self.id,
    waiting: client.waiting,
  });
  const session = new ChatSession({ client, home: context.env.HOME });
  const chat = new PlainChat({
    session,
    stdin: context.stdin,
    output: {
      message: (message, lines) => {
        output.event('message', { ...message });
        // Messages are what the command is for: they are also said with --quiet.
        if (!output.json) context.stdout.write(`${lines.join('\n')}\n`);
      },
      notice: (lines) => {
        output.event('notice', { text: lines.join('\n') });
        output.line(lines.join('\n'));
      },
    },
  });
  return {
    session,
    left: chat.left.then(() => 'quit' as const),
    close: async () => {
      chat.close();
      session.close();
    },
  };
}
