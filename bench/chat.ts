/** How long a chat message takes to everyone, when many write at once. */
import { type Benchmark, type Figure, spread } from './harness/figure.ts';
import { Program } from './harness/program.ts';
import { startMeasuredServer } from './harness/server.ts';
import type { ChatParticipantRequests } from './programs/chat-participants.ts';

const PARTICIPANTS = 50;
const PER_SECOND = 20;
const WINDOW_MS = 10_000;
const PATIENCE_MS = 10_000;

export const chat: Benchmark = {
  name: 'chat',
  title: `${PARTICIPANTS} participants who write ${PARTICIPANTS * PER_SECOND} messages a second, each delivered to all of them`,
  run: async (say) => {
    const server = await startMeasuredServer({ chatRate: false });
    const people = new Program<ChatParticipantRequests>('chat-participants');
    try {
      const meeting = await server.newMeeting();
      say('participants join');
      await people.ask('join', { meeting, count: PARTICIPANTS });
      say('messages');
      const { sent, lost, disordered, delivery, stored, ms } = await people.ask('measure', {
        perSecond: PER_SECOND,
        ms: WINDOW_MS,
        patienceMs: PATIENCE_MS,
      });
      return [
        { name: 'messages sent', value: (sent * 1_000) / ms, unit: '1/s' },
        { name: 'deliveries lost, doubled', value: lost, unit: '', target: 0 },
        { name: 'deliveries out of order', value: disordered, unit: '', target: 0 },
        ...spread('from sending to arrival', 'ms', delivery, 'p99', { high: 100 }),
        ...spread('from sending to the reply that it is stored', 'ms', stored, 'p99'),
      ] satisfies Figure[];
    } finally {
      await people.close();
      await server.close();
    }
  },
};
