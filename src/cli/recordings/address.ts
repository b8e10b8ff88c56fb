/** Which recording a command means: one of a server, or one in a folder of this machine. */
import { resolve } from 'node:path';
import { serverUrl } from '../../client/api.ts';
import { MeetError } from '../../protocol/errors.ts';

/** What the commands of `meet recordings` have in common. */
export interface RecordingsOptions {
  readonly server: string;
  readonly hostToken?: string;
  readonly link?: string;
  readonly dir?: string;
}

export type RecordingPlace =
  | { readonly folder: string; readonly id: string }
  | {
      readonly server: string;
      readonly id: string;
      readonly token: string | undefined;
      readonly link: string | undefined;
    };

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Takes an id, or the recording's URL with or without the secret of its link.
 *
 * @throws MeetError `bad-config`
 */
export function recordingPlace(text: string, options: RecordingsOptions): RecordingPlace {
  const { dir, hostToken: token, link } = options;
  if (/^https?:\/\//i.test(text)) {
    const url = URL.parse(text);
    const match = url?.pathname.match(/^(.*)\/recordings\/([^/]+)(?:\/(?:watch|url))?\/?$/);
    if (url === null || !match?.[2] || !ID.test(match[2]))
      throw new MeetError('bad-config', `${text} is not the URL of a recording.`);
    const secret = link ?? url.searchParams.get('link') ?? undefined;
    return { server: `${url.origin}${match[1]}`, id: match[2], token, link: secret };
  }
  if (!ID.test(text)) {
    throw new MeetError('bad-config', `"${text}" is neither the id nor the URL of a recording.`, {
      hint: 'meet recordings list prints the ids.',
    });
  }
  if (dir !== undefined) return { folder: resolve(dir), id: text };
  return { server: serverUrl(options.server), id: text, token, link };
}
