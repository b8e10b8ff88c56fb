/** An HTTP server that answers as a test tells it to, and keeps what it was sent. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runFfmpeg } from '../../../../support/barcode-ffmpeg.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. `undefined` closes the connection without a word. */
  readonly body: unknown;
}

export interface ProviderServer {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  close(): Promise<void>;
}

export async function startProvider(
  answer: (request: ReceivedRequest, number: number) => Answer | Promise<Answer>,
): Promise<ProviderServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((incoming, reply) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const { method = '', url = '', headers } = incoming;
      const request = { method, path: url, headers, body: Buffer.concat(chunks) };
      requests.push(request);
      const { status = 200, headers: extra = {}, body } = await answer(request, requests.length);
      if (body === undefined) {
        incoming.socket.destroy();
        return;
      }
      reply.writeHead(status, { 'content-type': 'application/json', ...extra });
      reply.end(typeof body === 'string' ? body : JSON.stringify(body));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The fields of a `multipart/form-data` request, as any server reads them. */
export async function formOf({ headers, body }: ReceivedRequest): Promise<FormData> {
  const type = headers['content-type'] ?? '';
  return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
}

/** What a speech file is, decoded from its beginning to its end: its rate, and its length in seconds. */
export async function soundOf(
  data: Buffer | Blob,
): Promise<{ codec: string; rate: number; seconds: number }> {
  const input = Buffer.isBuffer(data) ? data : Buffer.from(await data.arrayBuffer());
  const { stdout, stderr } = await runFfmpeg(['-xerror', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'], { input });
  const [, codec = '', rate = '', layout] = /Audio: (\w+).*?, (\d+) Hz, (\w+)/.exec(stderr) ?? [];
  if (layout !== 'mono') throw new Error(`not mono: ${stderr}`);
  return { codec, rate: Number(rate), seconds: stdout.length / 2 / Number(rate) };
}
