import type { MeetingClient } from '../../client/meeting.ts';
import type { VideoLayout } from '../../tui/chat/commands/index.ts';
import { ChatSession } from '../../tui/chat/session.ts';
import { showChat } from '../../tui/chat-screen.tsx';
import { askTerminal, type TerminalAbility } from '../../tui/terminal/ability.ts';
import { VideoStage } from '../../tui/video/stage.ts';
import type { ChatCommandOptions } from '../commands/chat.ts';
import type { CliContext } from '../context.ts';
import type { Front } from './front.ts';

/** Asks the terminal what it can do, before the meeting is joined. */
export async function prepareScreen(
  context: CliContext,
  options: ChatCommandOptions,
): Promise<(client: MeetingClient) => Front> {
  const ability = await askTerminal(context, context.env);
  return (client) => openScreen(context, options, client, ability);
}

function openScreen(
  context: CliContext,
  options: ChatCommandOptions,
  client: MeetingClient,
  ability: TerminalAbility,
): Front {
  const layout: VideoLayout = options.video ? options.layout : 'off';
  const stage: VideoStage = new VideoStage(client, {
    layout,
    labelOf: (id) => session.labels.get(id) ?? '',
    ...(options.ffmpeg === undefined ? {} : { ffmpegPath: options.ffmpeg }),
  });
  const session: ChatSession = new ChatSession({ client, home: context.env.HOME, video: stage });
  stage.on('failed', ({ message }) => session.notice(message, 'bad'));
  const screen = showChat({
    session,
    stage,
    ability,
    stdin: context.stdin,
    stdout: context.stdout as NodeJS.WriteStream,
  });
  return {
    session,
    left: screen.left,
    close: async () => {
      session.close();
      await screen.close();
      await stage.close();
    },
  };
}
