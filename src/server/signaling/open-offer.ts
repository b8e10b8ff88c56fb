/** The server's offer that waits for its answer: there is one at a time, and it outlives connections. */
import type { ServerMessage } from '../../protocol/signaling.ts';
import type { SubscribeOffer } from '../sfu/index.ts';

export class OpenOffer {
  #open: { readonly id: number; readonly text: string } | undefined;
  #lastId = 0;

  /** The message to send again to a connection that may not have had it. */
  get text(): string | undefined {
    return this.#open?.text;
  }

  /** Gives an offer its id and takes the place of the one before; answers the message. */
  set(offer: SubscribeOffer): string {
    this.#lastId += 1;
    const message: ServerMessage = { type: 'offer', id: this.#lastId, payload: offer };
    this.#open = { id: this.#lastId, text: JSON.stringify(message) };
    return this.#open.text;
  }

  /** Whether the reply of this id belongs to the open offer, which it then ends. */
  settle(id: number): boolean {
    if (this.#open?.id !== id) return false;
    this.#open = undefined;
    return true;
  }

  clear(): void {
    this.#open = undefined;
  }
}
