import { MeetError } from '../../protocol/errors.ts';

/** One emoji as Unicode recommends them for interchange (UTS #51, ED-27). */
const EMOJI = /^\p{RGI_Emoji}$/v;

/** @throws MeetError `bad-request` for anything but one emoji */
export function requireReaction(reaction: string): void {
  if (!EMOJI.test(reaction)) throw new MeetError('bad-request', 'A reaction is one emoji.');
}
