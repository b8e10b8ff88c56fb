/** What happens in a meeting, told to every server that has participants of it. */
import { randomUUID } from 'node:crypto';
import type { ChatMessage } from '../../protocol/chat.ts';
import type { MediaSource, Role } from '../../protocol/model.ts';
import type { LiveRecording } from '../../protocol/recording.ts';
import type { Json, LiveState, Unsubscribe } from '../cluster/index.ts';
import type { ServerLogger } from '../config.ts';

export type MeetingSignal =
  | { readonly type: 'chat'; readonly messages: readonly ChatMessage[] }
  | { readonly type: 'reaction'; readonly participantId: string; readonly reaction: string }
  | { readonly type: 'admit'; readonly participantIds: readonly string[] }
  | { readonly type: 'deny'; readonly participantId: string }
  | { readonly type: 'remove'; readonly participantId: string }
  | {
      readonly type: 'mute';
      /** One, or everybody but these and, with `exceptHosts`, but hosts and co-hosts. */
      readonly participantId: string | null;
      readonly except: readonly string[];
      readonly exceptRoles: readonly Role[];
      readonly source: MediaSource;
    }
  | {
      readonly type: 'ask-unmute';
      readonly participantId: string;
      readonly by: string | null;
      readonly source: MediaSource;
    }
  | { readonly type: 'stop-share'; readonly participantId: string; readonly by: string | null }
  | { readonly type: 'lower-hand'; readonly participantId: string | null }
  | { readonly type: 'roles'; readonly roles: Readonly<Record<string, Role>> }
  /** What everybody is told of the recording. */
  | { readonly type: 'recording'; readonly recording: LiveRecording | null }
  /** The stored meeting changed, or ended. */
  | { readonly type: 'updated' }
  | { readonly type: 'ended' };

type Listener = (signal: MeetingSignal) => void;

const channelOf = (meetingId: string) => `meeting:${meetingId}`;

export class MeetingSignals {
  readonly #live: LiveState;
  readonly #logger: ServerLogger;
  /** Tells this process's own messages from those of others. */
  readonly #origin = randomUUID();
  readonly #listeners = new Map<string, Listener>();

  constructor(options: { live: LiveState; logger: ServerLogger }) {
    this.#live = options.live;
    this.#logger = options.logger;
  }

  /** There is one listener a meeting in a process: the live meeting. */
  async listen(meetingId: string, listener: Listener): Promise<Unsubscribe> {
    const unsubscribe = await this.#live.channels.subscribe(channelOf(meetingId), (message) => {
      const { origin, signal } = message as { origin?: string; signal?: unknown };
      if (origin !== this.#origin) listener(signal as MeetingSignal);
    });
    this.#listeners.set(meetingId, listener);
    return async () => {
      if (this.#listeners.get(meetingId) === listener) this.#listeners.delete(meetingId);
      await unsubscribe();
    };
  }

  /** Here it has happened when this returns; elsewhere it is on its way. */
  send(meetingId: string, signal: MeetingSignal): void {
    this.tellOthers(meetingId, signal);
    this.#listeners.get(meetingId)?.(signal);
  }

  /** For what has been done here already. */
  tellOthers(meetingId: string, signal: MeetingSignal): void {
    const message = { origin: this.#origin, signal } as unknown as Json;
    this.#live.channels.publish(channelOf(meetingId), message).catch((error: unknown) => {
      this.#logger.error({ err: error, meetingId, signal: signal.type }, 'Other servers were not told');
    });
  }
}
