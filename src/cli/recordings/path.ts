import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';

/** The folder of a recording. @throws MeetError `not-found` for what cannot be the id of one */
export function recordingPath(directory: string, id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id)) return join(directory, id);
  throw new MeetError('not-found', `There is no recording ${JSON.stringify(id)} in ${directory}.`);
}
