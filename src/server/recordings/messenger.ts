/** Tells of recordings outside of the state of the meeting: hosts privately in the chat, others by a webhook. */
import { MeetError } from '../../protocol/errors.ts';
import type { RecordingWebhook } from '../../protocol/recording.ts';
import type { ChatLog } from '../chat/chat-log.ts';
import type { ServerLogger } from '../config.ts';
import { runsMeeting } from '../meetings/policy.ts';
import type { Recording, Store } from '../store/index.ts';
import { recordingInfo } from './info.ts';
import type { RecordingNews } from './progress.ts';
import type { WebhookSender } from './webhooks.ts';

/** How long the link is good for that hosts get in the chat, seconds. */
const LINK_SECONDS = 24 * 3600;

const WEBHOOK_TYPES: Partial<Record<RecordingNews, RecordingWebhook['type']>> = {
  started: 'recording.started',
  stopped: 'recording.stopped',
  ready: 'recording.ready',
  failed: 'recording.failed',
};

export interface MessengerOptions {
  readonly store: Store;
  readonly log: ChatLog;
  /** `undefined` where the server has no webhook. */
  readonly webhooks: WebhookSender | undefined;
  /** Path and query of a link to the recording; `undefined` where it has no file. */
  readonly sign: (recording: Recording, expiresInSeconds: number) => Promise<string | undefined>;
  readonly baseUrl: () => string;
  readonly logger: ServerLogger;
}

export class Messenger {
  readonly #options: MessengerOptions;
  readonly #baseUrls = new Map<string, string>();

  constructor(options: MessengerOptions) {
    this.#options = options;
  }

  /** Links in the chat of this meeting begin with the URL by which its participants reach the server. */
  reachedBy(meetingId: string, baseUrl: string): void {
    this.#baseUrls.set(meetingId, baseUrl);
  }

  async tell(recording: Recording, news: readonly RecordingNews[]): Promise<void> {
    const { webhooks, baseUrl, logger } = this.#options;
    for (const one of news) {
      const type = WEBHOOK_TYPES[one];
      if (type !== undefined && webhooks !== undefined) {
        const info = recordingInfo(recording, { manages: true, baseUrl: baseUrl() });
        await webhooks.add({ id: `${recording.id}.${type}`, type, at: Date.now(), recording: info });
      }
      await this.#tellHosts(recording, one).catch((error: unknown) => {
        // Those of a meeting that has ended cannot be told in its chat.
        if (MeetError.from(error).code === 'meeting-ended') return;
        logger.error({ err: error, recordingId: recording.id }, 'Hosts were not told of a recording');
      });
    }
  }

  async #tellHosts(recording: Recording, news: RecordingNews): Promise<void> {
    const { store, log } = this.#options;
    const { id, meetingId, recorder } = recording;
    const content = await this.#sentence(recording, news);
    if (content === undefined) return;
    // Without a recorder that has been in the meeting there is nobody to say it.
    const sender = await store.participants.lastRecorder(id);
    if (sender === undefined) return;
    const present = await store.participants.listPresent(meetingId);
    for (const host of present.filter((one) => runsMeeting(one.role) && one.recorder === null)) {
      // Told once, also when a server dies after it.
      const clientId = `${news}-${id}-${recorder?.starts ?? 0}-${host.id}`.slice(0, 128);
      await log.append({ meetingId, senderId: sender.id, recipientId: host.id, content, clientId });
    }
  }

  async #sentence(recording: Recording, news: RecordingNews): Promise<string | undefined> {
    const { id, meetingId, error } = recording;
    switch (news) {
      case 'ready': {
        const path = await this.#options.sign(recording, LINK_SECONDS);
        if (path === undefined) return `The recording ${id} is ready; it has no file to watch.`;
        const url = new URL(path, this.#baseUrls.get(meetingId) ?? this.#options.baseUrl()).href;
        return `The recording is ready: ${url} (for a day; meet recordings url ${id} gives another link).`;
      }
      case 'restarted':
        return 'The recorder died and was started again; a few seconds may be missing.';
      case 'disk-full':
        return 'There is no space left for the recording: what there is stays, and nothing is added until there is space.';
      case 'failed':
        return `The recording has failed: ${error ?? 'the recorder died.'}`;
      default:
        return undefined;
    }
  }
}
