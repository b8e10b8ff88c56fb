/** Words that the command line cannot use, and ends of its output: a sentence, the right code, nothing more. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { run, stopAll } from '../support/meet-process.ts';

afterAll(stopAll);

const BIN = fileURLToPath(new URL('../../bin/meet.js', import.meta.url));
/** A port that nothing listens on. */
const NOWHERE = 'http://127.0.0.1:1';
const MEETING = `${NOWHERE}/meetings/abc-defg-hij`;

/** Words, the exit code, and what the sentence says. */
const WRONG: [words: string, says: RegExp][] = [
  ['jion', /Unknown command 'jion'\. Did you mean join\?/],
  ['join', /Missing required argument 'meeting'/],
  [`join ${MEETING} --vidoe a`, /Unknown option '--vidoe'\. Did you mean --video\?/],
  [`join ${MEETING} extra`, /Too many arguments/],
  [`join ${MEETING} --duration 0`, /--duration.*30s/],
  [`join ${MEETING} --duration soon`, /--duration.*30s/],
  [`join ${MEETING} --duration 30d`, /--duration.*30s/],
  [`join ${MEETING} --reconnect-timeout -5`, /--reconnect-timeout/],
  [`join ${MEETING} --receive some`, /Allowed choices are all, audio, none/],
  [`join ${MEETING} --layout grid`, /Allowed choices are gallery, speaker/],
  [`join ${MEETING} --page 0`, /--page.*whole number/],
  [`join ${MEETING} --page-size 26`, /--page-size.*1 to 25/],
  [`join ${MEETING} --max-height tall`, /--max-height.*whole number/],
  [`join ${MEETING} --codec theora`, /Allowed choices are vp8, vp9, h264, av1/],
  [`join ${MEETING} --test-pattern --video a.mp4`, /--test-pattern.*cannot be used with.*--video/],
  [`join ${MEETING} --name`, /--name <name>' argument missing/],
  [`join ${MEETING} --name ${'x'.repeat(81)}`, /1 to 80 characters/],
  ['join Nonsense/', /neither a meeting's URL nor a meeting id/],
  ['join ftp://host/meetings/abc', /neither a meeting's URL nor a meeting id/],
  ['join http://127.0.0.1:99999/meetings/abc', /is not a meeting's URL/],
  ['join http://127.0.0.1:1/', /is not a meeting's URL/],
  ['join http://127.0.0.1:1/meetings/../etc', /is not a meeting's URL/],
  ['join http://127.0.0.1:1/meetings/ABC%00', /is not a meeting's URL/],
  ['join abc-defg --server nonsense', /"nonsense" is not the URL of a server/],
  ['create --server file:///etc', /is not the URL of a server/],
  ['create --at tomorrow', /--at.*2030-05-01T10:00:00Z/],
  ['create --duration 1.5', /--duration.*whole number/],
  ['serve --port 65536', /--port.*0 to 65535/],
  ['serve --port http', /--port.*0 to 65535/],
  ['serve --workers 0', /--workers.*1 to 256/],
  ['serve --rate-limit many', /--rate-limit.*"off"/],
  ['serve --rtc-address 1.2.3', /"1\.2\.3" is not an IP address/],
  ['serve --log-level loud', /Allowed choices are debug, info/],
  ['serve --tls-cert /nonexistent', /--tls-key/],
  ['serve --public-url here', /public URL/],
  ['serve --database-url mysql://root@host/x', /not one of PostgreSQL/],
  ['serve --token-key short', /base64 of at least 32 bytes/],
  ['serve --turn turn:host', /secret/],
  ['config set colour red', /no setting "colour"/],
  ['config get', /Name the setting to get/],
  ['config set port', /Give the value to set port to/],
  ['config set port abc', /0 to 65535/],
  ['config mend', /Allowed choices are list, get/],
  ['completion tcsh', /Allowed choices are bash, zsh, fish/],
];

/** So many at once keep two cores busy without starving each other. */
async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

describe('wrong usage', () => {
  test('ends with 2, one sentence and a hint on stderr, and nothing on stdout', async () => {
    await inGroups(WRONG, async ([words, says]) => {
      const { code, stdout, stderr } = await run(words.split(' '));
      expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' });
      expect(stderr).toMatch(says);
      expect(stderr).toMatch(/^meet: ([A-Z"]|http|port )/);
      expect(stderr).not.toMatch(/^\s+at |node:internal/m);
    });
  }, 60_000);

  test('is one JSON object on stderr with --json, wherever the option stands', async () => {
    await inGroups(
      [
        ['--json', 'jion'],
        ['join', '--json'],
        ['join', 'abc', '--vidoe', '--json'],
        ['--json', 'join', MEETING, '--duration', '0'],
        ['serve', '--json', '--token-key', 'short'],
      ],
      async (words) => {
        const command = await run(words);
        expect(command.code).toBe(2);
        expect(command.stdout).toBe('');
        expect(command.stderr.trim().split('\n')).toHaveLength(1);
        expect(command.error).toMatchObject({
          code: 'bad-config',
          message: expect.stringMatching(/^[A-Z].*[.?]$/),
        });
      },
    );
  });

  test('without words the help comes, on stderr and with 2', async () => {
    const { code, stdout, stderr } = await run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: meet/);
  });
});

describe('a server that is not there', () => {
  test('is exit code 4 and says where nobody answers', async () => {
    await inGroups(
      [
        ['create', '--server', NOWHERE],
        ['join', MEETING],
        ['join', 'abc-defg-hij', '--server', NOWHERE],
        ['--server', NOWHERE, 'create'],
        ['join', 'http://host.invalid/meetings/abc-defg-hij'],
      ],
      async (words) => {
        const { code, stderr } = await run(words);
        expect({ words, code }).toEqual({ words, code: 4 });
        expect(stderr).toMatch(
          /^meet: No answer from http:\/\/\S+: (connection refused|no such host|the host name)/,
        );
      },
    );
  });

  test('is 4 as well when something else answers there', async () => {
    const replies = [
      { status: 200, body: '<html>' },
      { status: 200, body: '{"hello":"world"}' },
      { status: 404, body: 'not found' },
      { status: 502, body: '' },
    ];
    let reply = replies[0]!;
    const other = createServer((_request, response) => {
      response.writeHead(reply.status).end(reply.body);
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      for (reply of replies) {
        const command = await run(['create', '--json', '--server', url]);
        expect({ reply, code: command.code, error: command.error?.code }).toEqual({
          reply,
          code: 4,
          error: 'server-unreachable',
        });
      }
    } finally {
      other.close();
    }
  });
});

describe('help and version', () => {
  test('go to stdout with 0', async () => {
    await inGroups(
      [['--help'], ['help'], ['help', 'join'], ['join', '--help'], ['serve', '-h'], ['--version']],
      async (words) => {
        const { code, stdout, stderr } = await run(words);
        expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
        expect(stdout).toMatch(words[0] === '--version' ? /^\d+\.\d+\.\d+\n$/ : /^Usage: meet/);
      },
    );
  });
});

describe('where the output goes', () => {
  const shell = async (script: string) => {
    const child = spawn('bash', ['-c', script, 'bash', process.execPath, BIN], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MEET_CONFIG: '/nonexistent/meet.json' },
    });
    let said = '';
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (data) => (said += String(data)));
    const [code] = await once(child, 'close');
    return { code, said };
  };

  test('a reader that goes away is harmless', async () => {
    expect(await shell('"$1" "$2" serve --help | head -1')).toEqual({
      code: 0,
      said: 'Usage: meet serve [options]\n',
    });
    // Nobody reads at all, neither the answer nor the error.
    const { code, said } = await shell('set -o pipefail; "$1" "$2" completion bash 2>&1 | true; echo "$?"');
    expect({ code, said }).toEqual({ code: 0, said: '0\n' });
  });

  test('a full disk is not', async () => {
    const { code, said } = await shell('"$1" "$2" config path > /dev/full');
    expect({ code, said }).toEqual({
      code: 1,
      said: 'meet: The output could not be written: no space is left on the disk.\n',
    });
  });
});
