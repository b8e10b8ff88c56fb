/** What is shown on the display while a share is measured. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { textPage } from '../../test/support/pictures.ts';
import type { Painter } from '../../test/support/x11-painter.ts';
import type { Screen } from '../../test/support/xvfb.ts';

export const SIZE = { width: 1280, height: 720 };
const PAGES = 5;
export const PAGE_MS = 4_000;
const MOVE_MS = 33;

/** Something that goes on until it is stopped. */
export interface Scene {
  readonly name: string;
  /** What it should be taken for. */
  readonly content: 'detail' | 'motion';
  start(): Promise<Playing>;
}

export interface Playing {
  /** Pages in the order in which they were shown, milliseconds since the epoch. */
  readonly shown: readonly { readonly page: Buffer; readonly atMs: number }[];
  stop(): Promise<void>;
}

/** Does something again and again, and not before it is done with the last; `stop` waits for that. */
function every(ms: number, work: () => Promise<void>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    for (let due = performance.now() + ms; !signal.aborted; due = Math.max(due + ms, performance.now())) {
      await delay(due - performance.now(), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await work();
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Five still pages, each for four seconds. */
export function slides(painter: Painter): Scene {
  return {
    name: 'five still pages',
    content: 'detail',
    start: async () => {
      const pages = await Promise.all(Array.from({ length: PAGES }, (_, i) => textPage(i + 1, SIZE)));
      const window = await painter.window({ x: 0, y: 0, ...SIZE, title: 'Slides' });
      const shown: { page: Buffer; atMs: number }[] = [];
      const show = async () => {
        const page = pages[shown.length % PAGES]!;
        await window.paint(page);
        shown.push({ page, atMs: Date.now() });
      };
      await show();
      const turning = every(PAGE_MS, show);
      return {
        shown,
        stop: async () => {
          await turning.stop();
          await window.destroy();
        },
      };
    },
  };
}

/** A terminal in which twenty lines a second scroll by. */
export function terminal(screen: Screen): Scene {
  return {
    name: 'a terminal that scrolls',
    content: 'motion',
    start: async () => {
      const script =
        'i=0; while :; do i=$((i+1)); echo "$i $(head -c 60 /dev/urandom | base64 -w 0)"; sleep 0.05; done';
      const child: ChildProcess = spawn(
        'xterm',
        ['-fa', 'DejaVu Sans Mono', '-fs', '11', '-geometry', '140x44+0+0', '-e', 'sh', '-c', script],
        { env: { ...process.env, DISPLAY: screen.display }, stdio: 'ignore' },
      );
      await delay(1_500);
      return {
        shown: [],
        stop: async () => {
          child.kill();
          await once(child, 'exit');
        },
      };
    },
  };
}

/** A window of 640x400 that is moved thirty times a second over a page. */
export function movingWindow(painter: Painter): Scene {
  return {
    name: 'a moving window',
    content: 'motion',
    start: async () => {
      const back = await painter.window({ x: 0, y: 0, ...SIZE, title: 'Back' });
      await back.paint(await textPage(1, SIZE));
      const size = { width: 640, height: 400 };
      const page = await textPage(2, size);
      const front = await painter.window({ x: 0, y: 0, ...size, title: 'Front' });
      await front.paint(page);
      let step = 0;
      const move = async () => {
        step += 1;
        const angle = step / 20;
        await front.move(Math.round(320 + 300 * Math.cos(angle)), Math.round(160 + 150 * Math.sin(angle)));
        // Nothing keeps what was behind it.
        await front.paint(page);
        if (step % 2 === 0) await back.paint(backPage);
      };
      const backPage = await textPage(1, SIZE);
      const moving = every(MOVE_MS, move);
      return {
        shown: [],
        stop: async () => {
          await moving.stop();
          await front.destroy();
          await back.destroy();
        },
      };
    },
  };
}
