/** What a participant may send: what hosts muted stays muted, whatever its client does. */
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { Peer, PublishRule } from '../sfu/index.ts';
import type { ScreenFloor } from './screen-floor.ts';

const SCREEN_SOURCES: ReadonlySet<MediaSource> = new Set(['screen', 'screen-audio']);

export interface MediaSettings {
  /** Participants may unmute their microphones. */
  readonly unmuting: boolean;
  /** Participants may share their screens. */
  readonly screenSharing: boolean;
}

export interface MediaRightsOptions {
  readonly participantId: string;
  readonly floor: ScreenFloor;
  /** A host or co-host. */
  readonly isHost: () => boolean;
  readonly settings: () => MediaSettings;
  /** What a host has ended the sharing of: `null` for one who is not in the meeting, or the settings. */
  readonly onShareStopped: (by: string | null) => void;
}

const notAllowed = () => new MeetError('forbidden', 'Only hosts may share their screen in this meeting now.');

export class MediaRights {
  readonly #options: MediaRightsOptions;
  /** Sources that a host muted and the participant has not unmuted since. */
  readonly #muted = new Set<MediaSource>();
  /** Sources that a host asked to be unmuted, or that were not muted when unmuting was forbidden. */
  readonly #granted = new Set<MediaSource>();
  #peer: Peer | undefined;

  constructor(options: MediaRightsOptions) {
    this.#options = options;
  }

  readonly rule: PublishRule = (source) => {
    if (SCREEN_SOURCES.has(source)) {
      const refusal = this.#mayShare() ? this.#claim() : notAllowed();
      if (refusal) return refusal;
    }
    return this.#muted.has(source) || !this.#mayUnmute(source) ? 'mute' : 'send';
  };

  /** What the participant sends from now on. */
  govern(peer: Peer): void {
    this.#peer = peer;
    // A track may have been on its way when a host muted it.
    peer.on('tracks', (tracks) => {
      this.#enforce();
      if (!tracks.some(({ source }) => SCREEN_SOURCES.has(source))) this.#release();
    });
  }

  /** A host ends the sharing of the screen. */
  stopShare(by: string | null): void {
    const shared = this.#peer?.tracks.some(({ source }) => SCREEN_SOURCES.has(source));
    this.#peer?.endTracks(SCREEN_SOURCES);
    this.#release();
    if (shared) this.#options.onShareStopped(by);
  }

  /** A host mutes a source: nothing of it is forwarded until the participant itself unmutes it. */
  mute(source: MediaSource): void {
    this.#muted.add(source);
    this.#granted.delete(source);
    this.#enforce();
  }

  /** A host lets it be sent unmuted, also where participants may not unmute themselves. */
  grant(source: MediaSource): void {
    this.#granted.add(source);
  }

  /** The participant unmutes a track of its own. @throws MeetError `forbidden` */
  unmute(trackId: string): void {
    const track = this.#peer?.tracks.find(({ id }) => id === trackId);
    if (track === undefined) return;
    if (!this.#mayUnmute(track.source)) {
      throw new MeetError('forbidden', 'A host has to let you unmute.', { hint: 'Raise your hand.' });
    }
    this.#muted.delete(track.source);
  }

  /** The meeting's settings changed: what may not be sent any more ends, who is not muted may stay so. */
  settingsChanged(before: MediaSettings): void {
    const tracks = this.#peer?.tracks ?? [];
    if (before.unmuting && !this.#options.settings().unmuting) {
      for (const { source, muted } of tracks) if (!muted) this.grant(source);
    }
    if (!this.#mayShare()) this.stopShare(null);
  }

  #mayShare(): boolean {
    return this.#options.settings().screenSharing || this.#options.isHost();
  }

  #claim(): MeetError | undefined {
    return this.#options.floor.claim(this.#options.participantId);
  }

  #release(): void {
    this.#options.floor.release(this.#options.participantId);
  }

  #enforce(): void {
    for (const { id, source, muted } of this.#peer?.tracks ?? []) {
      // A track that has ended meanwhile is as good as muted.
      if (!muted && this.#muted.has(source)) this.#peer?.setMuted(id, true).catch(() => {});
    }
  }

  #mayUnmute(source: MediaSource): boolean {
    const { isHost, settings } = this.#options;
    return source !== 'microphone' || settings().unmuting || this.#granted.has(source) || isHost();
  }
}
