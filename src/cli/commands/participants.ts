import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import type { Registry } from '../program.ts';

export function registerParticipants({ command, action }: Registry): void {
  const participants = addMeetingOptions(
    command('participants', 'list who is in a meeting, and for hosts who waits'),
  );
  action<MeetingOptions>(participants, async (deps, options, [meeting = '']) => {
    const { runParticipants } = await import('../chat/participants.ts');
    return await runParticipants(deps, meeting, options);
  });
}
