import type { Action } from '../protocol/actions.ts';
import type { MediaSource } from '../protocol/model.ts';

/**
 * What a host does. Each resolves when the server has done it and rejects with `forbidden` where this participant may not,
 * `not-found` where there is no such participant.
 */
export class HostControls {
  readonly #act: (action: Action) => Promise<void>;

  constructor(act: (action: Action) => Promise<void>) {
    this.#act = act;
  }

  /** Lets somebody in who waits. */
  admit(participantId: string): Promise<void> {
    return this.#act({ action: 'admit', participantId });
  }

  admitAll(): Promise<void> {
    return this.#act({ action: 'admit-all' });
  }

  /** Sends somebody away who waits. */
  deny(participantId: string): Promise<void> {
    return this.#act({ action: 'deny', participantId });
  }

  /** Lets nobody else in, or does again. */
  setLocked(locked: boolean): Promise<void> {
    return this.#act({ action: locked ? 'lock' : 'unlock' });
  }

  /** Sends somebody out; with `block` for good. */
  remove(participantId: string, { block = false }: { block?: boolean } = {}): Promise<void> {
    return this.#act({ action: 'remove', participantId, ...(block ? { block } : {}) });
  }

  /** Takes back the block of one who was removed, or all. */
  unblock(participantId?: string): Promise<void> {
    return this.#act({ action: 'unblock', ...(participantId === undefined ? {} : { participantId }) });
  }

  /** The server stops forwarding what they send at once. */
  mute(participantId: string, source: MediaSource = 'microphone'): Promise<void> {
    return this.#act({ action: 'mute', participantId, source });
  }

  /** Mutes all microphones but one's own. */
  muteAll({ exceptHosts = false }: { exceptHosts?: boolean } = {}): Promise<void> {
    return this.#act({ action: 'mute-all', exceptHosts });
  }

  /** They get `unmute-request`. */
  askToUnmute(participantId: string, source: MediaSource = 'microphone'): Promise<void> {
    return this.#act({ action: 'ask-unmute', participantId, source });
  }

  /** Whether participants may unmute themselves. */
  setUnmuting(allowed: boolean): Promise<void> {
    return this.#act({ action: 'unmuting', allowed });
  }

  /** Whether participants may share their screens. */
  setScreenSharing(allowed: boolean): Promise<void> {
    return this.#act({ action: 'screen-sharing', allowed });
  }

  /** Whether several may share at the same time. */
  setSeveralScreens(allowed: boolean): Promise<void> {
    return this.#act({ action: 'several-screens', allowed });
  }

  /** Ends the sharing of a participant's screen at once; they get `share-stopped`. */
  stopShare(participantId: string): Promise<void> {
    return this.#act({ action: 'stop-share', participantId });
  }

  /** Of one, or of all. */
  lowerHand(participantId?: string): Promise<void> {
    return this.#act({ action: 'lower-hand', ...(participantId === undefined ? {} : { participantId }) });
  }

  /** Makes a participant a co-host. */
  promote(participantId: string): Promise<void> {
    return this.#act({ action: 'promote', participantId });
  }

  /** Makes a co-host a participant. */
  demote(participantId: string): Promise<void> {
    return this.#act({ action: 'demote', participantId });
  }

  /** Makes somebody else the host and oneself a co-host. */
  handOver(participantId: string): Promise<void> {
    return this.#act({ action: 'hand-over', participantId });
  }

  /** Makes oneself the host again, as the meeting's creator. */
  reclaim(): Promise<void> {
    return this.#act({ action: 'reclaim' });
  }

  /** Ends the meeting for everybody. */
  end(): Promise<void> {
    return this.#act({ action: 'end' });
  }
}
