/** Reads a session description into the few things that a negotiation needs, checked. */
import type { DtlsFingerprint } from 'mediasoup/types';
import { type MediaDescription, parse, type SessionDescription } from 'sdp-transform';
import { MeetError } from '../../../protocol/errors.ts';
import { MAX_OFFER_SECTIONS } from '../../../protocol/signaling.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One m-section (RFC 8866 section 5.14) of the other side. */
export interface Section {
  readonly index: number;
  /** Its `a=mid`, or its index as text where it has none. */
  readonly mid: string;
  readonly hasMid: boolean;
  readonly kind: string;
  /** Port 0 and not `a=bundle-only` (RFC 9143 section 6): the other side does not want it. */
  readonly rejected: boolean;
  readonly direction: Direction;
  readonly media: MediaDescription;
}

export interface Description {
  readonly sections: readonly Section[];
  /** Mids of the first BUNDLE group; `undefined` where there is none. */
  readonly bundle: readonly string[] | undefined;
  readonly extmapAllowMixed: boolean;
  readonly session: SessionDescription;
}

export interface RemoteTransport {
  readonly usernameFragment: string;
  readonly password: string;
  readonly fingerprint: DtlsFingerprint;
  /** The other side's `a=setup`. */
  readonly setup: 'actpass' | 'active' | 'passive';
}

/** The mid extension and signaling bound it (RFC 8843 says token; a mid is a byte or two in practice). */
const MAX_MID_LENGTH = 64;
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;

export const badSdp = (message: string, cause?: unknown): MeetError =>
  new MeetError('bad-sdp', message, cause === undefined ? {} : { cause });

/**
 * @throws MeetError `bad-sdp` when it is no session description or contradicts itself, `too-many-streams`
 *   when it has more than {@link MAX_OFFER_SECTIONS} media sections and `limit` is not given.
 */
export function parseDescription(sdp: string, limit: number = MAX_OFFER_SECTIONS): Description {
  // Counted before parsing, so that a thousand sections cost nothing.
  const count = sdp.match(/^m=/gm)?.length ?? 0;
  if (count === 0) throw badSdp('The session description has no media section.');
  if (count > limit) {
    throw new MeetError(
      'too-many-streams',
      `${count} media sections were given, at most ${limit} are taken.`,
    );
  }
  let session: SessionDescription;
  try {
    session = parse(sdp);
  } catch (error) {
    throw badSdp('The session description cannot be parsed.', error);
  }
  if (session.media.length !== count) throw badSdp('A media section cannot be parsed.');
  const sections = session.media.map((media, index) => readSection(session, media, index));
  const mids = new Set(sections.map((section) => section.mid));
  if (mids.size !== sections.length) throw badSdp('Two media sections have the same mid.');
  const group = session.groups?.find(({ type }) => type === 'BUNDLE');
  const bundle =
    group &&
    String(group.mids ?? '')
      .split(' ')
      .filter(Boolean);
  return { sections, bundle, extmapAllowMixed: session.extmapAllowMixed !== undefined, session };
}

/** sdp-transform turns whatever looks like a number into one; here text stays text and numbers are checked. */
function readSection(session: SessionDescription, media: MediaDescription, index: number): Section {
  if (typeof media.type !== 'string' || typeof media.port !== 'number') {
    throw badSdp(`Media section ${index} has no usable m= line.`);
  }
  const hasMid = media.mid !== undefined && String(media.mid) !== '';
  const mid = hasMid ? String(media.mid) : String(index);
  if (mid.length > MAX_MID_LENGTH || !TOKEN.test(mid)) {
    throw badSdp(`Media section ${index} has an unusable mid.`);
  }
  for (const fmtp of media.fmtp) fmtp.config = String(fmtp.config);
  for (const group of media.ssrcGroups ?? []) group.ssrcs = String(group.ssrcs);
  for (const rtp of media.rtp) {
    rtp.codec = String(rtp.codec);
    if (typeof rtp.encoding !== 'number') delete rtp.encoding;
  }
  media.rtp = media.rtp.filter(
    ({ payload, rate, codec }) =>
      Number.isInteger(payload) &&
      payload >= 0 &&
      payload <= 127 &&
      Number.isInteger(rate) &&
      TOKEN.test(codec),
  );
  // RFC 8285: one-byte ids are 1–14, two-byte ids 1–255.
  media.ext = media.ext?.filter(({ value, uri }) => value >= 1 && value <= 255 && typeof uri === 'string');
  return {
    index,
    mid,
    hasMid,
    kind: media.type,
    rejected: media.port === 0 && media.bundleOnly === undefined,
    direction: media.direction ?? session.direction ?? 'sendrecv',
    media,
  };
}

const FINGERPRINT_BYTES: Record<DtlsFingerprint['algorithm'], number> = {
  'sha-1': 20,
  'sha-224': 28,
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
};

/** ICE and DTLS parameters that hold for a section; those of the session where it has none of its own. */
export function readTransport({ session }: Description, { media, mid }: Section): RemoteTransport {
  const usernameFragment = String(media.iceUfrag ?? session.iceUfrag ?? '');
  const password = String(media.icePwd ?? session.icePwd ?? '');
  // Lengths of RFC 8839 section 5.4.
  if (usernameFragment.length < 4 || usernameFragment.length > 256) {
    throw badSdp(`Section ${mid} has no usable ice-ufrag.`);
  }
  if (password.length < 22 || password.length > 256) throw badSdp(`Section ${mid} has no usable ice-pwd.`);
  return {
    usernameFragment,
    password,
    fingerprint: readFingerprint(session, media, mid),
    setup: readSetup(),
  };

  function readSetup(): RemoteTransport['setup'] {
    const setup = media.setup ?? session.setup ?? 'actpass';
    if (setup === 'actpass' || setup === 'active' || setup === 'passive') return setup;
    throw badSdp(`Section ${mid} has the unusable DTLS role "${setup}".`);
  }
}

/** Upper-case hex of the fingerprint that the description names first, unchecked. */
export function fingerprintOf({ session, sections }: Description): string | undefined {
  const own = sections.find(({ rejected, media }) => !rejected && media.fingerprint !== undefined)?.media
    .fingerprint;
  const hash = (own ?? session.fingerprint)?.hash;
  return hash === undefined ? undefined : String(hash).toUpperCase();
}

function readFingerprint(session: SessionDescription, media: MediaDescription, mid: string): DtlsFingerprint {
  const fingerprint = media.fingerprint ?? session.fingerprint;
  const algorithm = String(fingerprint?.type).toLowerCase() as DtlsFingerprint['algorithm'];
  const value = String(fingerprint?.hash).toUpperCase();
  const bytes = Object.hasOwn(FINGERPRINT_BYTES, algorithm) ? FINGERPRINT_BYTES[algorithm] : 0;
  if (bytes === 0 || value.length !== bytes * 3 - 1 || !/^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value)) {
    throw badSdp(`Section ${mid} has no usable DTLS fingerprint.`);
  }
  return { algorithm, value };
}
