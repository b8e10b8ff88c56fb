import type { MeetingClient } from '../client/meeting.ts';
import type { RemoteTrack } from '../client/peer/remote-track.ts';
import { TrackDecoder } from '../client/peer/track-decoder.ts';
import { OPUS_RATE } from '../media/opus/index.ts';
import { AudioMixer } from '../media/playback/audio-mixer.ts';
import { AudioPlayer } from '../media/playback/audio-player.ts';
import type { MeetError } from '../protocol/errors.ts';

const CHANNELS = 2;
const BLOCK_MS = 20;
const BLOCK_SAMPLES = (OPUS_RATE * BLOCK_MS) / 1000;
/** After a longer pause of this process the sound goes on from now. */
const MAX_BEHIND_MS = 200;

/** Plays what is said in the meeting, mixed. */
export class MeetingSound {
  readonly #client: MeetingClient;
  readonly #player: AudioPlayer;
  readonly #mixer = new AudioMixer();
  readonly #decoders = new Set<TrackDecoder>();
  readonly #timer: NodeJS.Timeout;
  readonly #onTrack = (track: RemoteTrack) => void this.#add(track);
  #playedUntilMs = performance.now();
  #closed = false;

  private constructor(client: MeetingClient, player: AudioPlayer, onFailed: (error: MeetError) => void) {
    this.#client = client;
    this.#player = player;
    player.on('failed', (error) => {
      void this.close();
      onFailed(error);
    });
    client.on('track', this.#onTrack);
    for (const track of client.tracks) this.#onTrack(track);
    this.#timer = setInterval(() => this.#play(), BLOCK_MS);
  }

  /**
   * Plays until closed, or until the device fails, which may be at once.
   *
   * @throws MeetError `device-unusable` when no program that plays sound is installed
   */
  static async open(client: MeetingClient, onFailed: (error: MeetError) => void): Promise<MeetingSound> {
    return new MeetingSound(client, await AudioPlayer.open(), onFailed);
  }

  async #add(track: RemoteTrack): Promise<void> {
    if (track.kind !== 'audio' || track.codec !== 'opus') return;
    const decoder = await TrackDecoder.open(track, CHANNELS);
    if (this.#closed || track.ended) {
      decoder.close();
      return;
    }
    const input = this.#mixer.add();
    this.#decoders.add(decoder);
    decoder.on('pcm', ({ pcm }) => input.push(pcm));
    track.once('ended', () => {
      this.#mixer.remove(input);
      this.#decoders.delete(decoder);
    });
  }

  #play(): void {
    const now = performance.now();
    if (now - this.#playedUntilMs > MAX_BEHIND_MS) this.#playedUntilMs = now - BLOCK_MS;
    for (; this.#playedUntilMs + BLOCK_MS <= now; this.#playedUntilMs += BLOCK_MS)
      this.#player.write(this.#mixer.mix(BLOCK_SAMPLES));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#client.off('track', this.#onTrack);
    for (const decoder of this.#decoders) decoder.close();
    await this.#player.close();
  }
}
