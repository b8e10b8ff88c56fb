/**
 * The checks that make DTLS-SRTP safe and that werift 0.25.2 leaves out: that the peer's certificate is the
 * one of the SDP, that the peer owns its key, and that both sides saw the same handshake.
 */
import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import { MeetError } from '../../protocol/errors.ts';
import { fingerprintOf } from './certificate.ts';

export interface Fingerprint {
  readonly algorithm: string;
  readonly value: string;
}

/** Hash functions of RFC 8122 that still stand, strongest first; others in the SDP are ignored. */
const FINGERPRINT_ALGORITHMS: readonly (readonly [sdp: string, hash: string])[] = [
  ['sha-512', 'sha512'],
  ['sha-384', 'sha384'],
  ['sha-256', 'sha256'],
];

const HINT = 'Somebody may be sitting between this machine and the server. Nothing was sent or received.';

export function notVerified(reason: string): MeetError {
  return new MeetError('peer-not-verified', `The media peer could not be verified: ${reason}.`, {
    hint: HINT,
  });
}

/** The certificate of a DTLS Certificate message (RFC 5246 section 7.4.2), the first of the chain. */
export function readCertificate(body: Buffer): Buffer {
  if (body.length < 6) throw notVerified('it sent no certificate');
  const length = body.readUIntBE(3, 3);
  const certificate = body.subarray(6, 6 + length);
  if (length === 0 || certificate.length !== length) throw notVerified('its certificate is malformed');
  return Buffer.from(certificate);
}

/**
 * Throws `peer-not-verified` unless the certificate has one of the fingerprints. Where the SDP has several
 * hash functions only the strongest counts (RFC 8122 section 5).
 */
export function verifyFingerprint(certificate: Buffer, fingerprints: readonly Fingerprint[]): void {
  for (const [sdp, hash] of FINGERPRINT_ALGORITHMS) {
    const expected = fingerprints.filter(({ algorithm }) => algorithm.trim().toLowerCase() === sdp);
    if (expected.length === 0) continue;
    const actual = fingerprintOf(certificate, hash);
    if (expected.some(({ value }) => value.trim().toUpperCase() === actual)) return;
    throw notVerified('its certificate is not the one of the session description');
  }
  throw notVerified('the session description has no fingerprint of an accepted hash function');
}

/** TLS 1.2 HashAlgorithm and SignatureAlgorithm, RFC 5246 section 7.4.1.4.1. SHA-1 and MD5 are refused. */
const HASHES: Readonly<Record<number, string>> = { 4: 'sha256', 5: 'sha384', 6: 'sha512' };
const KEY_TYPES: Readonly<Record<number, string>> = { 1: 'rsa', 3: 'ec' };

function verifySignature(
  certificate: Buffer,
  signed: Buffer,
  hash: number | undefined,
  algorithm: number | undefined,
  signature: Buffer,
): void {
  const digest = hash === undefined ? undefined : HASHES[hash];
  const keyType = algorithm === undefined ? undefined : KEY_TYPES[algorithm];
  if (digest === undefined || keyType === undefined) throw notVerified('it signs in a way we did not offer');
  let valid = false;
  try {
    const { publicKey } = new X509Certificate(certificate);
    valid = publicKey.asymmetricKeyType === keyType && verify(digest, signed, publicKey, signature);
  } catch {
    // An unreadable certificate or signature is as bad as a wrong one.
  }
  if (!valid) throw notVerified("it does not own its certificate's key");
}

/**
 * Checks a ServerKeyExchange message (RFC 8422 section 5.4): the key exchange parameters have to be signed,
 * together with both randoms, by the certificate's key.
 */
export function verifyServerKeyExchange(
  certificate: Buffer,
  clientRandom: Buffer,
  serverRandom: Buffer,
  body: Buffer,
): void {
  const keyLength = body[3];
  if (body[0] !== 3 || keyLength === undefined) throw notVerified('its key exchange is malformed');
  const parametersEnd = 4 + keyLength;
  if (body.length < parametersEnd + 4) throw notVerified('its key exchange is malformed');
  const signature = body.subarray(parametersEnd + 4);
  if (signature.length !== body.readUInt16BE(parametersEnd + 2))
    throw notVerified('its key exchange is malformed');
  const signed = Buffer.concat([clientRandom, serverRandom, body.subarray(0, parametersEnd)]);
  verifySignature(certificate, signed, body[parametersEnd], body[parametersEnd + 1], signature);
}

/** Checks a CertificateVerify message (RFC 5246 section 7.4.8) over all handshake messages before it. */
export function verifyCertificateVerify(certificate: Buffer, transcript: Buffer, body: Buffer): void {
  const signature = body.subarray(4);
  if (body.length < 4 || signature.length !== body.readUInt16BE(2))
    throw notVerified('its proof of ownership is malformed');
  verifySignature(certificate, transcript, body[0], body[1], signature);
}

/** Checks the peer's Finished message (RFC 5246 section 7.4.9) over all handshake messages before it. */
export function verifyFinished(
  masterSecret: Buffer,
  sender: 'client' | 'server',
  transcript: Buffer,
  body: Buffer,
): void {
  const seed = createHash('sha256').update(transcript).digest();
  const expected = prf(masterSecret, `${sender} finished`, seed, 12);
  if (body.length !== expected.length || !timingSafeEqual(body, expected))
    throw notVerified('the handshake was tampered with');
}

/** The TLS 1.2 pseudo-random function with SHA-256, RFC 5246 section 5, of at most 32 bytes. */
function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const hmac = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
  const labelled = Buffer.concat([Buffer.from(label, 'ascii'), seed]);
  return hmac(Buffer.concat([hmac(labelled), labelled])).subarray(0, length);
}
