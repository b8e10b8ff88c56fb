import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCertificate, processCertificate } from '../../../src/client/transport/certificate.ts';

test('a certificate is signed by its own P-256 key and valid now', () => {
  const { certificatePem, fingerprint } = createCertificate();
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  expect(certificate.fingerprint256).toBe(fingerprint);
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 24 * 3_600_000);
});

test('a process has one certificate', () => {
  expect(processCertificate()).toBe(processCertificate());
  expect(createCertificate().fingerprint).not.toBe(processCertificate().fingerprint);
});
