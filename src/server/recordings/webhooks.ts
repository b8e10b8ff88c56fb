/** Sends events of recordings to somebody's URL: signed, in order of their due time, again and again until they are taken. */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { RecordingWebhook } from '../../protocol/recording.ts';
import type { ServerLogger } from '../config.ts';
import type { Store, StoredWebhook } from '../store/index.ts';

export interface WebhookSenderOptions {
  readonly url: string;
  readonly secret: string;
  readonly store: Store;
  readonly logger: ServerLogger;
  /** Milliseconds until the second try; each wait is twice the one before. */
  readonly firstWaitMs: number;
}

const MAX_WAIT_MS = 3_600_000;
/** With waits of an hour at last this is about three days. */
const MAX_ATTEMPTS = 80;
/** How long the receiver may take. */
const TIMEOUT_MS = 10_000;
/** How long one of several servers has for a call that it took. */
const BUSY_MS = 60_000;
const BATCH = 10;
/** When the next call is due is looked up at least this often: another server may have added one and died. */
const LOOK_MS = 60_000;

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #agent = new Agent({ connect: { timeout: TIMEOUT_MS } });
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  /** Sends what is left of before. */
  start(): void {
    this.#wake();
  }

  /** It is stored when this resolves, and sent then. */
  async add(event: RecordingWebhook): Promise<void> {
    const { id, at } = event;
    await this.#options.store.webhooks.add({ id, body: JSON.stringify(event), createdAt: at });
    this.#wake();
  }

  /** What is not sent yet stays stored. */
  async close(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
    await this.#agent.destroy();
  }

  #wake(): void {
    if (this.#stopping.signal.aborted) return;
    clearTimeout(this.#timer);
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#run()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'Webhook calls could not be read');
        return Date.now() + LOOK_MS;
      })
      .then((nextAt) => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.#wake();
        } else if (!this.#stopping.signal.aborted) {
          const wait = Math.min(LOOK_MS, Math.max(0, (nextAt ?? Infinity) - Date.now()));
          this.#timer = setTimeout(() => this.#wake(), wait).unref();
        }
      });
  }

  /** Answers when the next call is due. */
  async #run(): Promise<number | undefined> {
    const { webhooks } = this.#options.store;
    while (!this.#stopping.signal.aborted) {
      const now = Date.now();
      const due = await webhooks.take({ now, busyUntil: now + BUSY_MS, limit: BATCH });
      if (due.length === 0) break;
      await Promise.all(due.map((call) => this.#send(call)));
    }
    return await webhooks.nextAt();
  }

  async #send(call: StoredWebhook): Promise<void> {
    const { store, logger, firstWaitMs } = this.#options;
    const problem = await this.#post(call);
    if (problem === undefined) {
      await store.webhooks.delete(call.id);
      return;
    }
    if (call.attempts >= MAX_ATTEMPTS) {
      logger.error({ id: call.id, problem }, 'A webhook call is given up');
      await store.webhooks.delete(call.id);
      return;
    }
    const wait = this.#stopping.signal.aborted
      ? 0
      : Math.min(MAX_WAIT_MS, firstWaitMs * 2 ** Math.min(20, call.attempts - 1));
    logger.warn({ id: call.id, problem, attempts: call.attempts }, 'A webhook call was not taken');
    await store.webhooks.later(call.id, Date.now() + wait);
  }

  /** Why it was not taken; `undefined` where it was. */
  async #post({ id, body }: StoredWebhook): Promise<string | undefined> {
    const { url, secret } = this.#options;
    const timestamp = String(Math.floor(Date.now() / 1000));
    try {
      const reply = await request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-meet-id': id,
          'x-meet-timestamp': timestamp,
          'x-meet-signature': `sha256=${signature(secret, timestamp, body)}`,
        },
        body,
        dispatcher: this.#agent,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal: this.#stopping.signal,
      });
      await reply.body.dump();
      return reply.statusCode < 300 ? undefined : `HTTP status ${reply.statusCode}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** HMAC-SHA-256 in hex of the timestamp, a dot, and the body: an old call cannot be sent as a new one. */
function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
