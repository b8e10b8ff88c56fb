/** Chromium sends VP9 with spatial layers in one stream, and another receives the layer that fits. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer, Room, Sfu, SubscribeOffer } from '../../../../src/server/sfu/index.ts';
import {
  chromiumSkipReason,
  launchChromium,
  openPage,
  serveBridge,
  untilInPage,
} from '../../../support/chromium.ts';
import { startSfu } from '../harness.ts';

const PAGE = `
  const pub = new RTCPeerConnection();
  const sub = new RTCPeerConnection();
  let video;
  sub.ontrack = ({ track }) => {
    video = document.createElement('video');
    video.muted = video.autoplay = true;
    video.srcObject = new MediaStream([track]);
    document.body.append(video);
  };
  // Chromium leaves out spatial layers that would be lower than 135 lines.
  async function publish(layers) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 960, height: 540, frameRate: 15 } });
    pub.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', sendEncodings: [{ scalabilityMode: 'L3T3', maxBitrate: 800e3 }] });
    const codecs = RTCRtpSender.getCapabilities('video').codecs;
    pub.getTransceivers()[0].setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'video/VP9' || mimeType === 'video/rtx'));
    await pub.setLocalDescription();
    const reply = await call('publish', { sdp: pub.localDescription.sdp, tracks: [{ mid: '0', source: 'camera', ...(layers ? { layers } : {}) }] });
    await pub.setRemoteDescription({ type: 'answer', sdp: reply.sdp });
    return pub.getSenders()[0].getParameters().encodings[0].scalabilityMode;
  }
  async function follow() {
    for (;;) {
      const offer = await call('nextOffer');
      if (offer === null) return;
      await sub.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await sub.setLocalDescription();
      await call('answer', { sdp: sub.localDescription.sdp });
    }
  }
`;

describe.skipIf(chromiumSkipReason !== undefined)(`spatial layers ${chromiumSkipReason ?? ''}`, () => {
  let sfu: Sfu;
  let browser: Browser;
  let room: Room;
  const closing: (() => void)[] = [];

  async function join(id: string): Promise<{ page: Page; peer: Peer }> {
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
    closing.push(() => {
      waiting?.(null);
      bridge.close();
    });
    return { page: await openPage(browser, bridge.url), peer };
  }

  beforeAll(async () => {
    [sfu, browser] = await Promise.all([startSfu(), launchChromium()]);
    room = await sfu.createRoom('scalable');
  }, 60_000);
  afterAll(async () => {
    for (const close of closing) close();
    await browser?.close();
    await sfu?.close();
  });

  test('are forwarded as far as they are asked for, up and down', async () => {
    const sender = await join('sender');
    const receiver = await join('receiver');
    expect(await sender.page.evaluate('publish()')).toBe('L3T3');
    const [track] = sender.peer.tracks;
    expect(track).toMatchObject({ codec: 'vp9' });

    const ask = (maxHeight: number) =>
      receiver.peer.setSubscription({
        audio: false,
        video: false,
        videos: [{ participantId: 'sender', source: 'camera', maxHeight }],
      });
    void receiver.page.evaluate('follow()').catch(() => undefined);
    await ask(720);
    await untilInPage(receiver.page, 'video?.videoHeight > 500', {
      timeout: 30_000,
      report: 'video?.videoHeight',
    });
    await ask(180);
    await untilInPage(receiver.page, 'video.videoHeight < 150', {
      timeout: 15_000,
      report: 'video.videoHeight',
    });
    await ask(360);
    await untilInPage(receiver.page, 'video.videoHeight > 250', {
      timeout: 15_000,
      report: 'video.videoHeight',
    });
  }, 90_000);
});
