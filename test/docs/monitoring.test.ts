/** The dashboard and the alert rules, on a real Prometheus that reads a real server with a meeting. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting, type MeetingClient } from '../../src/client/index.ts';
import { openTestPattern } from '../../src/media/file/test-pattern.ts';
import { freePort } from '../support/free-port.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const folderOf = (name: string) => fileURLToPath(new URL(`../../docs/monitoring/${name}`, import.meta.url));
const DASHBOARD = folderOf('grafana-dashboard.json');
const ALERTS = folderOf('alerts.yml');

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}
const dashboard = JSON.parse(await readFile(DASHBOARD, 'utf8')) as Dashboard;
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

const missing = spawnSync('sh', ['-c', 'command -v prometheus promtool']).status !== 0;

describe.skipIf(missing)('on a Prometheus', () => {
  let folder: string;
  let server: TestServer;
  let prometheus: ReturnType<typeof spawn>;
  let url: string;
  const clients: MeetingClient[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meet-prometheus-'));
    server = await startTestServer();
    const { meeting } = await createMeeting(server.url, {});
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const config = {
      global: { scrape_interval: '1s' },
      rule_files: [ALERTS],
      scrape_configs: [{ job_name: 'meet', static_configs: [{ targets: [new URL(server.url).host] }] }],
    };
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    // Histograms of joins and counters are rates: they have to be read before something happens, and after it.
    await until('up{job="meet"} == 1');
    const source = await openTestPattern({ cacheDir: mediaCacheDir() });
    clients.push(await joinMeeting({ meeting: meeting.url, displayName: 'Ada', source }));
    clients.push(await joinMeeting({ meeting: meeting.url, displayName: 'Bob' }));
    await Promise.all(clients.map((client) => client.whenConnected()));
  }, 60_000);

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.leave()));
    if (prometheus?.exitCode === null) {
      prometheus.kill();
      await once(prometheus, 'exit');
    }
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const query = async (expression: string): Promise<readonly { value: [number, string] }[]> => {
    const reply = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { status, data, error } = (await reply.json()) as {
      status: string;
      data: { result: { value: [number, string] }[] };
      error?: string;
    };
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data.result;
  };

  /** Waits until a query has a result, every value of which is a number. */
  async function until(expression: string): Promise<void> {
    const deadline = performance.now() + 30_000;
    let last: unknown;
    while (performance.now() < deadline) {
      try {
        const result = await query(expression);
        last = result;
        if (result.length > 0 && result.every(({ value }) => Number.isFinite(Number(value[1])))) return;
      } catch (error) {
        // It is still starting.
        last = error;
        if (prometheus.exitCode !== null) throw new Error('Prometheus ended', { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`No figures for ${expression}: ${JSON.stringify(last)}`);
  }

  test.each(queries)(
    '%s: %s',
    async (_, expression) => {
      await until(expression);
    },
    40_000,
  );

  test('takes the alert rules, and none of them goes off in a meeting that is well', async () => {
    const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', ALERTS]);
    expect(stdout).toMatch(/SUCCESS: 6 rules found/);
    const reply = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; health: string; state: string }[] }[] };
    };
    const rules = reply.data.groups.flatMap((group) => group.rules);
    expect(rules).toHaveLength(6);
    expect(rules.filter(({ health }) => health === 'err')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing')).toEqual([]);
  });
});
