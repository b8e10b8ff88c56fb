import type { MeetingClient } from '../../../client/meeting.ts';
import type { Timeline, Tone } from '../timeline.ts';

/** What is asked for after a command's name; Tab knows what fits. */
export type ArgumentKind =
  | 'person'
  | 'guest'
  | 'file'
  | 'folder'
  | 'saved'
  | 'emoji'
  | 'command'
  | readonly string[];

/** How the meeting's pictures are shown. */
export type VideoLayout = 'speaker' | 'gallery' | 'off';

/** What a command can do. */
export interface CommandContext {
  readonly client: MeetingClient;
  readonly timeline: Timeline;
  /** All that there are, for help. */
  readonly commands: readonly Command[];
  /** Labels of those who are in the meeting or wait, by id. */
  readonly labels: ReadonlyMap<string, string>;
  /** Says something to the user. */
  notice(lines: string | readonly string[], tone?: Tone): void;
  /** Shows how far something is until it is done; `undefined` takes it away. */
  progress(text: string | undefined): void;
  /** Changes how pictures are shown; `undefined` where they are not shown at all. */
  readonly video:
    | { setLayout(layout: VideoLayout): void; setPin(participantId: string | undefined): void }
    | undefined;
  /** Shows or hides the figures. */
  toggleStats(): void;
  /** Home of the user, for paths that begin with `~`. */
  readonly home: string | undefined;
  quit(): void;
}

export interface Command {
  readonly name: string;
  /** What follows the name, as help shows it. */
  readonly usage: string;
  readonly about: string;
  readonly takes: readonly ArgumentKind[];
  /** Hosts and co-hosts only: the others are not shown it by Tab. */
  readonly hosts?: boolean;
  /** @throws CommandError, MeetError */
  run(context: CommandContext, text: string): Promise<void> | void;
}

/** The command was used wrongly: one sentence, and what it looks like. */
export class CommandError extends Error {}
