/** The self-signed certificate that this process shows in DTLS. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface LocalCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** SHA-256, upper-case hex with colons, as in SDP (RFC 8122 section 5). */
  readonly fingerprint: string;
}

// Long enough for any meeting, short enough that a stolen key is soon worthless (as browsers do).
const VALID_FOR_MS = 30 * 24 * 3_600_000;

let shared: LocalCertificate | undefined;

/**
 * One certificate for all transports of the process: making it costs about a millisecond here, but every
 * peer would otherwise do it, and the participant is known to the server anyway.
 */
export function processCertificate(): LocalCertificate {
  shared ??= createCertificate();
  return shared;
}

/** A new P-256 key with a self-signed X.509 v1 certificate (RFC 5280); WebRTC reads nothing else of it. */
export function createCertificate(): LocalCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = selfSigned(publicKey, privateKey);
  const base64 = der
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    fingerprint: fingerprintOf(der, 'sha256'),
  };
}

/** Hash of a DER certificate as upper-case hex with colons. */
export function fingerprintOf(der: Buffer, hash: string): string {
  const digest = createHash(hash).update(der).digest('hex').toUpperCase();
  return digest.replace(/(..)(?=.)/g, '$1:');
}

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
};
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
/** 2.5.4.3 */
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);

function selfSigned(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const serial = randomBytes(8);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive, and no leading zero byte
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_WITH_SHA256));
  const attribute = der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8, Buffer.from('meet')));
  const name = der(TAG.sequence, der(TAG.set, attribute));
  // A day back, for peers whose clock is behind.
  const from = Date.now() - 24 * 3_600_000;
  const body = der(
    TAG.sequence,
    der(TAG.integer, serial),
    algorithm,
    name,
    der(TAG.sequence, utcTime(from), utcTime(from + VALID_FOR_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, privateKey);
  return der(TAG.sequence, body, algorithm, der(TAG.bitString, Buffer.from([0]), signature));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function utcTime(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
  return der(TAG.utcTime, Buffer.from(text));
}
