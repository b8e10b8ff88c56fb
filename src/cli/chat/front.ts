import type { ChatSession } from '../../tui/chat/session.ts';

/** What a person sees of the meeting and types into. */
export interface Front {
  readonly session: ChatSession;
  /** How the user left; never settles when the meeting ended by itself. */
  readonly left: Promise<'quit' | 'interrupt'>;
  /** Gives the terminal back. */
  close(): Promise<void>;
}
