/** Fresh tokens for a participant whose connection lasts longer than a token. */
import type { IceServer } from '../../protocol/model.ts';

/** What a participant needs to come back and to get through. */
export interface Credentials {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly iceServers: IceServer[];
}

export interface TokenRefreshOptions {
  readonly issue: () => Promise<Credentials>;
  readonly ttlMs: number;
  readonly onFresh: (credentials: Credentials) => void;
  readonly onError: (error: unknown) => void;
}

/** Makes new credentials at half of the life of those before, for as long as it runs. */
export class TokenRefresh {
  readonly #options: TokenRefreshOptions;
  #timer: NodeJS.Timeout | undefined;
  #run = 0;

  constructor(options: TokenRefreshOptions) {
    this.#options = options;
  }

  /** Begins with a token that ends then, milliseconds since the epoch. */
  start(expiresAt: number): void {
    this.stop();
    const run = this.#run;
    const delay = Math.max(0, expiresAt - Date.now() - this.#options.ttlMs / 2);
    this.#timer = setTimeout(() => {
      this.#refresh(run).catch(this.#options.onError);
    }, delay);
  }

  /** Makes new ones now: what is in them has changed. */
  renew(): void {
    this.stop();
    this.#refresh(this.#run).catch(this.#options.onError);
  }

  stop(): void {
    this.#run += 1;
    clearTimeout(this.#timer);
  }

  async #refresh(run: number): Promise<void> {
    const credentials = await this.#options.issue();
    if (run !== this.#run) return;
    this.#options.onFresh(credentials);
    this.start(credentials.expiresAt);
  }
}
