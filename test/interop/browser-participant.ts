import type { Browser, Page } from 'playwright-core';
import { readBarcode } from '../support/barcode.ts';
import { openPage, serveBridge, untilInPage } from '../support/chromium.ts';
import { docExample } from '../support/doc-example.ts';

/** A frame of the received picture as the test reads it. */
const WIDTH = 320;
const HEIGHT = 180;

/** What tests do with the document's `join`; the class notes the connections it makes. */
const PAGE = `
  const connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      connections.push(this);
    }
  };
  const states = [];
  const elements = new Map();
  let meeting;
  let ended;
  function play(track, { participantId, source }) {
    const element = document.createElement(track.kind);
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    elements.set(source, element);
  }
  async function start(url) {
    meeting = await join(url, {
      displayName: 'Browser',
      onTrack: play,
      onState: (state) => states.push(state),
      onEnd: (code) => { ended = code; },
    });
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720, frameRate: 30 } });
    await Promise.all([
      meeting.publish('microphone', stream.getAudioTracks()[0]),
      meeting.publish('camera', stream.getVideoTracks()[0]),
    ]);
  }
  async function share() {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
    await meeting.publish('screen', stream.getVideoTracks()[0]);
  }
  /** Luma of the camera's picture, as base64. */
  function picture() {
    const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
    const paint = canvas.getContext('2d');
    paint.drawImage(elements.get('camera'), 0, 0, ${WIDTH}, ${HEIGHT});
    const { data } = paint.getImageData(0, 0, ${WIDTH}, ${HEIGHT});
    return btoa(Array.from({ length: data.length / 4 }, (_, i) => String.fromCharCode(data[4 * i + 1])).join(''));
  }
  async function statistics(type) {
    const found = [];
    for (const each of connections) {
      if (each.connectionState === 'closed') continue;
      for (const report of (await each.getStats()).values()) if (report.type === type) found.push(report);
    }
    return found;
  }
`;

/** A participant in Chromium: a page of its own with the browser client of docs/PROTOCOL.md. */
export class BrowserParticipant {
  readonly page: Page;
  readonly #close: () => void;

  private constructor(page: Page, close: () => void) {
    this.page = page;
    this.#close = close;
  }

  static async open(browser: Browser): Promise<BrowserParticipant> {
    const example = await docExample('PROTOCOL.md', 'A browser, whole', 'js');
    const site = await serveBridge(`${PAGE}\n${example}`, {});
    return new BrowserParticipant(await openPage(browser, site.url), site.close);
  }

  run<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression) as Promise<T>;
  }

  until(expression: string, timeout?: number): Promise<void> {
    return untilInPage(this.page, expression, { timeout });
  }

  /** Counter of the picture that is shown now. */
  async counter(): Promise<number | undefined> {
    return readBarcode(Buffer.from(await this.run<string>('picture()'), 'base64'), WIDTH, HEIGHT);
  }

  async close(): Promise<void> {
    await this.page.context().close();
    this.#close();
  }
}
