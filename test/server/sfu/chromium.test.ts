import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Room, Sfu, SubscribeOffer } from '../../../src/server/sfu/index.ts';
import type { Peer } from '../../../src/server/sfu/types.ts';
import {
  chromiumSkipReason,
  launchChromium,
  openPage,
  serveBridge,
  untilInPage,
} from '../../support/chromium.ts';
import { startSfu } from './harness.ts';

/**
 * All that a browser needs to take part; a page without any library. The picture is the smallest of which Chromium makes
 * three layers: two of 720p and their decoders are more than a busy machine encodes, and it then leaves the best one out.
 */
const PAGE = `
  const pub = new RTCPeerConnection();
  const sub = new RTCPeerConnection();
  const received = {};
  sub.ontrack = ({ track, transceiver }) => {
    const element = document.createElement(track.kind);
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    received[transceiver.mid] = { element, kind: track.kind, since: performance.now() };
    element.requestVideoFrameCallback?.((now) => { received[transceiver.mid].firstFrameMs = now - received[transceiver.mid].since; });
  };
  const connected = (pc) => new Promise((resolve) => {
    const check = () => pc.connectionState === 'connected' && resolve();
    pc.addEventListener('connectionstatechange', check);
    check();
  });
  async function negotiate(tracks) {
    await pub.setLocalDescription();
    const reply = await call('publish', { sdp: pub.localDescription.sdp, tracks });
    await pub.setRemoteDescription({ type: 'answer', sdp: reply.sdp });
    return reply;
  }
  async function publish({ data = false, codec } = {}) {
    // Before the media sections, so that the first one of the bundle is refused.
    if (data) pub.createDataChannel('chat');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 960, height: 540, frameRate: 20 } });
    pub.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly', streams: [stream] });
    pub.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream], sendEncodings: [
      { rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150e3 },
      { rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 600e3 },
      { rid: 'r2', maxBitrate: 1500e3 },
    ] });
    if (codec) {
      const all = RTCRtpSender.getCapabilities('video').codecs;
      pub.getTransceivers()[1].setCodecPreferences(all.filter(({ mimeType }) => mimeType === codec || mimeType === 'video/rtx'));
    }
    const reply = await negotiate();
    await connected(pub);
    return reply;
  }
  let screen;
  async function share() {
    const canvas = document.createElement('canvas');
    canvas.width = 480; canvas.height = 480;
    const paint = canvas.getContext('2d');
    setInterval(() => { paint.fillStyle = 'hsl(' + (performance.now() / 10 % 360) + ' 80% 50%)'; paint.fillRect(0, 0, 480, 480); }, 50);
    const [track] = canvas.captureStream(20).getVideoTracks();
    screen = pub.addTransceiver(track, { direction: 'sendonly' });
    await pub.setLocalDescription();
    return negotiate([{ mid: screen.mid, source: 'screen' }]);
  }
  const unshare = () => { screen.stop(); return negotiate(); };
  const restart = async () => { pub.restartIce(); await negotiate(); };
  // Offers come when they come: the page asks for the next one, answers it, and asks again.
  async function follow() {
    for (;;) {
      const offer = await call('nextOffer');
      if (offer === null) return;
      await sub.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await sub.setLocalDescription();
      await call('answer', { sdp: sub.localDescription.sdp });
    }
  }
  async function inbound() {
    const streams = [];
    for (const r of (await sub.getStats()).values()) {
      if (r.type === 'inbound-rtp') streams.push({ mid: r.mid, kind: r.kind, packets: r.packetsReceived, lost: r.packetsLost, frames: r.framesDecoded, width: r.frameWidth, height: r.frameHeight, samples: r.totalSamplesReceived, energy: r.totalAudioEnergy });
    }
    return streams;
  }
`;

/** A participant in a page of its own, bridged to its peer. */
class BrowserPeer {
  readonly page: Page;
  readonly peer: Peer;
  readonly #close: () => void;

  private constructor(page: Page, peer: Peer, close: () => void) {
    this.page = page;
    this.peer = peer;
    this.#close = close;
  }

  static async join(browser: Browser, room: Room, id: string): Promise<BrowserPeer> {
    const peer = room.addPeer(id);
    const offers: SubscribeOffer[] = [];
    let waiting: ((offer: SubscribeOffer | null) => void) | undefined;
    peer.on('offer', (offer) => {
      if (waiting === undefined) offers.push(offer);
      else waiting(offer);
      waiting = undefined;
    });
    const bridge = await serveBridge(PAGE, {
      publish: (body) => peer.publish(body as never),
      answer: (body) => peer.answer((body as { sdp: string }).sdp),
      nextOffer: () =>
        offers.shift() ??
        new Promise((resolve) => {
          waiting = resolve;
        }),
    });
    const page = await openPage(browser, bridge.url);
    return new BrowserPeer(page, peer, () => {
      waiting?.(null);
      bridge.close();
    });
  }

  /** Runs an expression in the page. */
  run<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression) as Promise<T>;
  }

  until(expression: string, timeout?: number): Promise<void> {
    return untilInPage(this.page, expression, { timeout, report: 'await inbound()' });
  }

  async close(): Promise<void> {
    await this.page.context().close();
    this.#close();
  }
}

describe.skipIf(chromiumSkipReason !== undefined)(`Chromium ${chromiumSkipReason ?? ''}`, () => {
  let browser: Browser;
  let sfu: Sfu;
  let room: Room;
  let alice: BrowserPeer;
  let bob: BrowserPeer;

  beforeAll(async () => {
    [browser, sfu] = await Promise.all([launchChromium(), startSfu()]);
    room = await sfu.createRoom('browsers');
    alice = await BrowserPeer.join(browser, room, 'alice');
    bob = await BrowserPeer.join(browser, room, 'bob');
  });

  afterAll(async () => {
    await Promise.all([alice?.close(), bob?.close()]);
    await browser?.close();
    await sfu?.close();
  });

  test('publishes simulcast and receives another participant', async () => {
    await Promise.all([alice.run('publish()'), bob.run('publish()')]);
    expect(alice.peer.tracks).toMatchObject([
      { kind: 'audio', codec: 'opus', source: 'microphone', layers: 1 },
      { kind: 'video', codec: 'vp8', source: 'camera', layers: 3 },
    ]);
    void bob.run('follow()').catch(() => undefined);
    await bob.peer.setSubscription({ audio: true, video: true });
    await bob.until(`(await inbound()).some(({ kind, frames }) => kind === 'video' && frames > 30)`);
    await bob.until(`(await inbound()).some(({ kind, energy }) => kind === 'audio' && energy > 0)`);
    // All three layers arrive at the server, and the best one reaches the other side.
    await bob.until(`(await inbound()).some(({ width, height }) => width === 960 && height === 540)`, 50_000);
    const { publish } = await alice.peer.stats();
    const rids = publish?.streams.filter(({ packets }) => packets > 0).flatMap(({ rid }) => rid ?? []);
    expect(rids?.sort()).toEqual(['r0', 'r1', 'r2']);
  }, 90_000);

  test('adds and removes a screen by renegotiation', async () => {
    const reply = await alice.run<{ tracks: { mid: string; trackId: string }[] }>('share()');
    expect(reply.tracks).toHaveLength(3);
    expect(alice.peer.tracks).toMatchObject([
      { source: 'microphone' },
      { source: 'camera' },
      { source: 'screen' },
    ]);
    await bob.until(`(await inbound()).some(({ height, frames }) => height === 480 && frames > 10)`);

    await alice.run('unshare()');
    expect(alice.peer.tracks).toMatchObject([{ source: 'microphone' }, { source: 'camera' }]);
    await bob.until(
      `sub.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly').length === 2`,
    );

    // The section is used again, on both sides.
    await alice.run('share()');
    await bob.until(
      `sub.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly').length === 3`,
    );
    await bob.until(`(await inbound()).some(({ height, frames }) => height === 480 && frames > 10)`);
    expect(await bob.run('sub.getTransceivers().length')).toBe(3);
  }, 60_000);

  test('goes on over an ICE restart of either connection', async () => {
    const ufrag = (expression: string) => bob.run<string>(`${expression}.sdp.match(/ice-ufrag:(.*)/)[1]`);
    const before = [await ufrag('pub.remoteDescription'), await ufrag('sub.remoteDescription')];
    await bob.run('restart()');
    await bob.peer.restartIce();
    await bob.until(`sub.remoteDescription.sdp.match(/ice-ufrag:(.*)/)[1] !== ${JSON.stringify(before[1])}`);
    expect(await ufrag('pub.remoteDescription')).not.toBe(before[0]);
    await bob.until(`pub.connectionState === 'connected' && sub.connectionState === 'connected'`);
    const frames = `(await inbound()).reduce((sum, { frames }) => sum + (frames ?? 0), 0)`;
    const now = await bob.run<number>(`(async () => ${frames})()`);
    await bob.until(`${frames} > ${now + 30}`);
    const { publish } = await bob.peer.stats();
    expect(publish?.iceState).toBe('completed');
  }, 60_000);

  test.each(['video/VP9', 'video/AV1', 'video/H264'])(
    'takes simulcast of %s alone, beside a data channel',
    async (codec) => {
      const carol = await BrowserPeer.join(browser, room, 'carol');
      await carol.run(`publish({ data: true, codec: ${JSON.stringify(codec)} })`);
      const frames = `(await inbound()).filter(({ kind }) => kind === 'video')[2]?.frames`;
      expect(carol.peer.tracks).toMatchObject([{ kind: 'audio' }, { codec: codec.slice(6).toLowerCase() }]);
      await bob.until(`${frames} > 10`);
      // The page closes its connection: DTLS says so, and its tracks end for the others.
      await carol.run('pub.close()');
      await bob.until(
        `sub.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly').length === 3`,
      );
      expect(carol.peer.tracks).toEqual([]);
      carol.peer.close();
      await carol.close();
    },
    60_000,
  );
});
