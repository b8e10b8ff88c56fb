/** Trickled candidates. An ICE-lite agent learns the other side's address from its checks and needs none. */
import { MeetError } from '../../../protocol/errors.ts';

/** RFC 8839 section 5.1: foundation, component, transport, priority, address, port, type, then extensions. */
const CANDIDATE =
  /^(?:a=)?candidate:[A-Za-z0-9+/]{1,32} [1-9][0-9]{0,2} [A-Za-z-]+ [0-9]{1,10} [^ ]{1,255} [0-9]{1,5} typ [A-Za-z0-9-]+(?: [^\r\n]*)?$/;

/**
 * Empty text is the end of candidates (RFC 8838).
 *
 * @throws MeetError `bad-message`
 */
export function checkCandidate(candidate: string): void {
  const text = candidate.trim();
  if (text === '' || /^(?:a=)?end-of-candidates$/.test(text) || CANDIDATE.test(text)) return;
  throw new MeetError('bad-message', 'The ICE candidate does not fit RFC 8839.');
}
