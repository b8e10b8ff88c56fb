/** ICE candidates: reading, writing and ranking `a=candidate:` values (RFC 8839 section 5.1, RFC 6544). */
import { isIP } from 'node:net';

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

export interface Candidate {
  readonly foundation: string;
  readonly protocol: 'udp' | 'tcp';
  readonly priority: number;
  /** An IP address; remote candidates may also have a host name. */
  readonly address: string;
  readonly port: number;
  readonly type: CandidateType;
  readonly tcpType?: 'active' | 'passive' | 'so';
}

const TYPES: readonly string[] = ['host', 'srflx', 'prflx', 'relay'];
const TCP_TYPES: readonly string[] = ['active', 'passive', 'so'];

/**
 * Reads a candidate, with or without the `candidate:` prefix. `undefined` for one that is malformed, of
 * another component than RTP, over another protocol, or hidden behind mDNS (`.local`), which only browsers
 * of the same network could resolve.
 */
export function parseCandidate(text: string): Candidate | undefined {
  const [foundation, component, protocol, priority, address, port, typ, type, ...rest] = text
    .trim()
    .replace(/^(?:a=)?candidate:/, '')
    .split(/\s+/);
  const transport = protocol?.toLowerCase();
  if (foundation === undefined || component !== '1' || typ !== 'typ') return undefined;
  if (transport !== 'udp' && transport !== 'tcp') return undefined;
  if (type === undefined || !TYPES.includes(type)) return undefined;
  if (address === undefined || !/^[\w.:-]{1,255}$/.test(address) || /\.local\.?$/i.test(address))
    return undefined;
  const portNumber = Number(port);
  if (!Number.isInteger(portNumber) || portNumber < 1 || portNumber > 65_535) return undefined;
  const rank = Number(priority);
  if (!Number.isInteger(rank) || rank < 0 || rank > 0xffff_ffff) return undefined;
  const tcpType = rest[rest.indexOf('tcptype') + 1];
  if (transport === 'tcp' && !(rest.includes('tcptype') && tcpType && TCP_TYPES.includes(tcpType)))
    return undefined;
  return {
    foundation,
    protocol: transport,
    priority: rank,
    address,
    port: portNumber,
    type: type as CandidateType,
    ...(transport === 'tcp' ? { tcpType: tcpType as 'active' | 'passive' | 'so' } : {}),
  };
}

/** The value of an `a=candidate:` line. No related address is given away. */
export function formatCandidate(candidate: Candidate): string {
  const { foundation, protocol, priority, address, port, type, tcpType } = candidate;
  const related = type === 'host' ? '' : ` raddr ${isIP(address) === 6 ? '::' : '0.0.0.0'} rport 9`;
  const tcp = tcpType === undefined ? '' : ` tcptype ${tcpType}`;
  return `${foundation} 1 ${protocol} ${priority} ${address} ${port} typ ${type}${related}${tcp}`;
}

const TYPE_PREFERENCE: Readonly<Record<CandidateType, number>> = {
  host: 126,
  prflx: 110,
  srflx: 100,
  relay: 0,
};
/** Active TCP, RFC 6544 section 4.2. */
const TCP_ACTIVE_PREFERENCE = 6 << 13;
const TCP_TYPE_PENALTY = 20;

/** Priority of a local candidate, RFC 8445 section 5.1.2.1; `index` tells addresses of one host apart. */
export function candidatePriority(type: CandidateType, protocol: 'udp' | 'tcp', index = 0): number {
  const preference = protocol === 'udp' ? 65_535 - index : TCP_ACTIVE_PREFERENCE + 8191 - index;
  const typePreference = Math.max(TYPE_PREFERENCE[type] - (protocol === 'tcp' ? TCP_TYPE_PENALTY : 0), 0);
  return typePreference * 2 ** 24 + preference * 2 ** 8 + 255;
}
