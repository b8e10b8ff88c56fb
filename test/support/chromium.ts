import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian, Ubuntu and Fedora put it; playwright downloads nothing here. */
const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const ARGS = [
  // Root may not use the sandbox, and containers run as root.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  // A moving test picture with a beep a second, given without asking.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-select-desktop-capture-source=Entire screen',
  '--autoplay-policy=no-user-gesture-required',
  // The server is on loopback, and mDNS names need a responder that containers do not have.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  // No traffic but the test's own.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

const executablePath = PATHS.find((path) => existsSync(path));

/** Why tests with a browser must be skipped; `undefined` when they can run. */
export const chromiumSkipReason: string | undefined =
  executablePath === undefined
    ? 'no Chromium: apt-get install -y --no-install-recommends chromium'
    : undefined;

/** A headless Chromium with a fake camera and microphone. Close it: its processes outlive the test otherwise. */
export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(chromiumSkipReason);
  return chromium.launch({ executablePath, headless: true, args: ARGS });
}

/** Opens the page in a context of its own, with camera and microphone allowed; what it logs goes to stderr. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`));
  page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack ?? error.message}\n`));
  await page.goto(url);
  return page;
}

/**
 * Waits until the expression, in which `await` may stand, is true in the page; `report` is another, whose value the
 * error tells when it does not become so within 20 s or the time given.
 */
export async function untilInPage(
  page: Page,
  expression: string,
  { timeout = 20_000, report = 'undefined' }: { timeout?: number | undefined; report?: string } = {},
): Promise<void> {
  await page.evaluate(`(async () => {
    const end = performance.now() + ${timeout};
    while (!(${expression})) {
      if (performance.now() > end) throw new Error('not within ${timeout} ms: ' + ${JSON.stringify(expression)} + ' ' + JSON.stringify(${report}));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })()`);
}

export type Calls = Record<string, (body: unknown) => unknown>;

/**
 * A page on loopback with one script, and `POST /<name>` for each function of `calls`: JSON in, JSON out. The page
 * has `call(name, body)` for that. An error becomes status 500 and its message.
 */
export async function serveBridge(script: string, calls: Calls): Promise<{ url: string; close(): void }> {
  const html = `<!doctype html><meta charset="utf-8"><script>
    const call = async (name, body) => {
      const reply = await fetch('/' + name, { method: 'POST', body: JSON.stringify(body ?? null) });
      const text = await reply.text();
      if (!reply.ok) throw new Error(name + ': ' + text);
      return JSON.parse(text);
    };
    ${script}
  </script>`;
  const server: Server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html').end(html);
      return;
    }
    try {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const name = (request.url ?? '/').slice(1);
      const handler = Object.hasOwn(calls, name) ? calls[name] : undefined;
      if (handler === undefined) throw new Error(`there is no call ${name}`);
      const result = await handler(JSON.parse(text));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result ?? null));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
