import { MeetError } from '../protocol/errors.ts';
import { requestJoin, resolveMeeting } from './api.ts';
import { MeetingClient } from './meeting.ts';
import { MediaTransport } from './transport/werift.ts';
import type { JoinOptions } from './types.ts';

/**
 * Joins a meeting. Resolves when the server has taken the participant in; media comes up behind it
 * (`whenConnected()`). Closes the source when joining fails.
 *
 * @throws MeetError `server-unreachable`, `meeting-not-found`, `meeting-ended`, `password-required`,
 *   `wrong-password`, `bad-config` and whatever else the server refuses with
 */
export async function joinMeeting(options: JoinOptions): Promise<MeetingClient> {
  try {
    const address = resolveMeeting(options.meeting, options.server);
    const began = performance.now();
    const asked = requestJoin(
      address,
      {
        displayName: options.displayName,
        ...(options.password === undefined ? {} : { password: options.password }),
        ...(options.recorder === true ? { recorder: true } : {}),
      },
      { token: options.hostToken, signal: options.signal },
    );
    // The transport's code and certificate are made while the server thinks; they take longer than it does.
    if (options.source !== undefined || options.screen !== undefined || options.receive !== 'none')
      setImmediate(() => MediaTransport.preload());
    const reply = await asked;
    const client = new MeetingClient(options, reply, performance.now() - began);
    try {
      await client.start();
    } catch (error) {
      await client.leave();
      throw error;
    }
    return client;
  } catch (error) {
    await Promise.all([options.source?.close(), options.screen?.close()]);
    if (options.signal?.aborted)
      throw new MeetError('connection-failed', 'Joining was aborted.', { cause: error });
    throw error;
  }
}
