import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting } from '../../support/signaling.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test('two participants see each other come and go', async () => {
  const { meeting } = await createMeeting(server.url);
  const ann = await connect(server.url, meeting.id, 'Ann');
  expect(ann.state).toMatchObject({
    full: true,
    self: { participantId: ann.joined.participant.id, resumed: false },
    meeting: { id: meeting.id, status: 'in-progress' },
    participants: [{ name: 'Ann', state: 'joined', role: 'participant', tracks: [] }],
  });
  const bob = await connect(server.url, meeting.id, 'Bob');
  expect(bob.state.participants?.map(({ name }) => name)).toEqual(['Ann', 'Bob']);
  const seen = await ann.client.state(
    (update) => update.participants?.some(({ name }) => name === 'Bob') ?? false,
  );
  expect(seen.full).toBeUndefined();
  await bob.client.leave();
  const gone = await ann.client.state((update) => update.left !== undefined);
  expect(gone.left).toEqual([{ id: bob.joined.participant.id, reason: 'left' }]);
  await ann.client.leave();
});
