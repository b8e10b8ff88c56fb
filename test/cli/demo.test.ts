/** `meet demo`, which is what `npm start` shows. */
import { afterAll, expect, test } from 'vitest';
import { meet, nothingLeft, stopAll } from '../support/meet-process.ts';

afterAll(async () => {
  await stopAll();
  await nothingLeft();
});

test('two participants send each other picture and speech, a line a second each, until it is over', async () => {
  const [events, lines] = [meet(['demo', '--json', '--duration', '8s']), meet(['demo', '--duration', '8s'])];
  expect((await Promise.all([events.exited, lines.exited])).map(({ code }) => code)).toEqual([0, 0]);

  expect(events.all('listening')).toMatchObject([
    { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
  ]);
  expect(events.all('meeting')).toMatchObject([{ url: expect.stringContaining('/meetings/') }]);
  for (const participant of ['Alice', 'Bob']) {
    const last = events.all('stats').findLast((event) => event.participant === participant);
    const received = last?.received as { kind: string; frames: number }[];
    expect(received.map(({ kind }) => kind).sort()).toEqual(['audio', 'video']);
    for (const { frames } of received) expect(frames).toBeGreaterThan(0);
  }

  const [meeting] = /http:\S+\/meetings\/\S+/.exec(lines.stdout) ?? [];
  expect(lines.stdout).toMatch(new RegExp(`^Meeting: ${meeting}\n`));
  expect(lines.stdout).toContain(`meet join ${meeting} --name Me --test-pattern\n`);
  expect(lines.stdout).toMatch(/^Alice .*from Bob$/m);
  expect(lines.stdout).toMatch(/^Bob .*from Alice$/m);
  expect(lines.stdout + lines.stderr).not.toContain('\u001b');
}, 120_000);

test('Ctrl-C ends it, with 130 and nothing left', async () => {
  const demo = meet(['demo', '--json']);
  await demo.waitFor('stats', undefined, 60_000);
  expect(await demo.stop('SIGINT')).toBe(130);
  await nothingLeft();
}, 90_000);
