import { FILES, type RecordingFolder } from '../../folder/index.ts';
import { readEvents } from '../../tracks/event-log.ts';
import type { RecordingEvent } from '../../types.ts';

/** All events of a recording. @throws MeetError `no-permission` */
export async function allEvents(folder: RecordingFolder): Promise<RecordingEvent[]> {
  const events: RecordingEvent[] = [];
  for await (const event of readEvents(folder.file(FILES.events))) events.push(event);
  return events;
}
