/** Puts a live meeting together when the first one comes to it, and hands on what other servers say of it. */
import { ChatFeed } from '../chat/feed.ts';
import type { ServerConfig, ServerLogger } from '../config.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { Sfu } from '../sfu/index.ts';
import { openMeeting, type Store } from '../store/index.ts';
import { LiveMeeting, type LiveMeetingOptions } from './live-meeting.ts';
import type { MeetingSignal, MeetingSignals } from './signals.ts';

export interface MeetingOpenerOptions
  extends Pick<LiveMeetingOptions, 'records' | 'waitingRoom' | 'handle' | 'issueCredentials'> {
  readonly config: ServerConfig;
  readonly store: Store;
  readonly sfu: Sfu;
  readonly tokens: { readonly ttlMs: number };
  readonly signals: MeetingSignals;
  readonly recordings: Recordings;
  readonly baseUrl: () => string;
  readonly logger: ServerLogger;
  /** The meeting has ended on another server. */
  readonly closeEnded: (meetingId: string) => void;
}

export class MeetingOpener {
  readonly #options: MeetingOpenerOptions;

  constructor(options: MeetingOpenerOptions) {
    this.#options = options;
  }

  /** @throws MeetError `meeting-not-found`, `meeting-ended` */
  async open(meetingId: string): Promise<LiveMeeting> {
    const { config, store, sfu, tokens, signals, recordings, baseUrl, logger, ...rest } = this.#options;
    const meeting = openMeeting(await store.meetings.get(meetingId), meetingId);
    const room = await sfu.createRoom(meetingId);
    let live: LiveMeeting | undefined;
    const before: MeetingSignal[] = [];
    // Listened to before anything is looked up, so that nothing is missed between the two.
    const unsubscribe = await signals.listen(meetingId, (signal) => {
      if (live === undefined) before.push(signal);
      else this.#apply(live, signal);
    });
    const feed = await ChatFeed.open(meetingId, { store, logger });
    const opened = new LiveMeeting({
      ...rest,
      meeting,
      recording: await recordings.liveOf(meetingId),
      room,
      feed,
      store,
      baseUrl: baseUrl(),
      onClosed: () => {
        unsubscribe().catch((error: unknown) =>
          logger.error({ err: error }, 'A meeting is still listened to'),
        );
      },
      tokenTtlMs: tokens.ttlMs,
      resumeWindowMs: config.timings.resumeWindowMs,
      logger: logger.child({ meetingId }),
    });
    opened.on('occupied', () => recordings.occupied(opened.stored, opened.baseUrl));
    opened.on('deserted', () => recordings.deserted(meetingId));
    live = opened;
    for (const signal of before) this.#apply(live, signal);
    return live;
  }

  #apply(live: LiveMeeting, signal: MeetingSignal): void {
    if (signal.type === 'ended') {
      this.#options.closeEnded(live.id);
    } else if (signal.type === 'updated') {
      this.#reload(live).catch((error: unknown) => {
        this.#options.logger.error({ err: error, meetingId: live.id }, 'A changed meeting was not read');
      });
    } else {
      live.apply(signal);
    }
  }

  async #reload(live: LiveMeeting): Promise<void> {
    const meeting = await this.#options.store.meetings.get(live.id);
    if (meeting !== undefined && !live.closed) live.update(meeting);
  }
}
