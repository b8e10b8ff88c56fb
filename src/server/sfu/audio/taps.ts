/** Brings packets of the room's audio into this process, those of whoever may get a slot. */
import type { Consumer, DirectTransport, RtpCapabilities } from 'mediasoup/types';
import type { Track } from '../route.ts';
import { TapBudget } from './tap-budget.ts';

export class AudioTaps {
  readonly #transport: DirectTransport;
  readonly #capabilities: RtpCapabilities;
  readonly #onPacket: (trackId: string, packet: Buffer) => void;
  readonly #budget = new TapBudget(performance.now());
  /** `undefined` while the consumer is being made. */
  readonly #consumers = new Map<string, Consumer | undefined>();

  /** @param onPacket may change the packet, which is its own. */
  constructor(
    transport: DirectTransport,
    capabilities: RtpCapabilities,
    onPacket: (trackId: string, packet: Buffer) => void,
  ) {
    this.#transport = transport;
    this.#capabilities = capabilities;
    this.#onPacket = onPacket;
  }

  add({ id, producer }: Track): void {
    this.#consumers.set(id, undefined);
    this.#budget.add(id);
    // It fails only when the producer or the worker is gone.
    this.#consume(id, producer.id).catch(() => {});
  }

  remove(id: string): void {
    this.#budget.remove(id);
    this.#consumers.get(id)?.close();
    this.#consumers.delete(id);
  }

  /** It is heard in the worker. */
  wake(id: string): void {
    // A worker that dies meanwhile takes the tap with it.
    if (this.#budget.wake(id))
      this.#consumers
        .get(id)
        ?.resume()
        .catch(() => {});
  }

  /** As {@link TapBudget.review}. */
  review(now: number, rank: (id: string) => number): void {
    for (const id of this.#budget.review(now, rank))
      this.#consumers
        .get(id)
        ?.pause()
        .catch(() => {});
  }

  close(): void {
    for (const id of [...this.#consumers.keys()]) this.remove(id);
  }

  async #consume(id: string, producerId: string): Promise<void> {
    const consumer = await this.#transport.consume({ producerId, rtpCapabilities: this.#capabilities });
    if (!this.#consumers.has(id)) {
      consumer.close();
      return;
    }
    this.#consumers.set(id, consumer);
    consumer.on('rtp', (packet) => {
      if (this.#budget.packet(id)) consumer.pause().catch(() => {});
      this.#onPacket(id, packet);
    });
  }
}
