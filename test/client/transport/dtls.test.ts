import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCertificate, type LocalCertificate } from '../../../src/client/transport/certificate.ts';
import { DtlsAssociation } from '../../../src/client/transport/dtls.ts';
import type { SrtpKeys } from '../../../src/client/transport/types.ts';
import { type DtlsSocket, weriftInternals } from '../../../src/client/transport/werift-internals.ts';
import { MeetError } from '../../../src/protocol/errors.ts';

const ours = createCertificate();
const theirs = createCertificate();
const sha256 = ({ fingerprint }: LocalCertificate) => [{ algorithm: 'sha-256', value: fingerprint }];

type Deliver = (packet: Buffer) => void;
/** Decides what becomes of the n-th packet of either direction. */
type Fate = (index: number) => 'deliver' | 'drop' | 'late';
const perfect: Fate = () => 'deliver';

/** What a peer that keeps to RFC 6347 section 4.1.2.6 takes of a datagram: records whose number it has not seen. */
function replayFilter(): (datagram: Buffer) => Buffer {
  const seen = new Set<string>();
  return (datagram) => {
    const fresh: Buffer[] = [];
    for (let offset = 0; offset + 13 <= datagram.length; ) {
      const end = offset + 13 + datagram.readUInt16BE(offset + 11);
      const number = datagram.toString('hex', offset + 3, offset + 11);
      if (!seen.has(number)) fresh.push(datagram.subarray(offset, end));
      seen.add(number);
      offset = end;
    }
    return Buffer.concat(fresh);
  };
}

function wire(to: () => Deliver, fate: Fate): Deliver {
  let count = 0;
  const filter = replayFilter();
  const deliver: Deliver = (packet) => to()(filter(packet));
  return (packet) => {
    const copy = Buffer.from(packet);
    const index = count++;
    const what = fate(index);
    if (what === 'drop') return;
    setTimeout(() => deliver(copy), what === 'late' ? 5 : 0);
  };
}

function associate(
  role: 'client' | 'server',
  certificate: LocalCertificate,
  peer: LocalCertificate,
  send: Deliver,
) {
  return new DtlsAssociation({
    role,
    certificate,
    fingerprints: sha256(peer),
    send,
    onClosed: () => undefined,
  });
}

async function handshake(fate: { client: Fate; server: Fate }): Promise<[SrtpKeys, SrtpKeys]> {
  const client: DtlsAssociation = associate(
    'client',
    ours,
    theirs,
    wire(() => (p) => server.receive(p), fate.client),
  );
  const server: DtlsAssociation = associate(
    'server',
    theirs,
    ours,
    wire(() => (p) => client.receive(p), fate.server),
  );
  const accepted = server.handshake();
  const keys = await Promise.all([client.handshake(), accepted]);
  client.close();
  server.close();
  return keys;
}

describe('two associations', () => {
  test('agree on the keys of the best profile', async () => {
    const [client, server] = await handshake({ client: perfect, server: perfect });
    expect(client.profile).toBe('AEAD_AES_128_GCM');
    expect(client).toMatchObject({ localKey: server.remoteKey, localSalt: server.remoteSalt });
    expect(server).toMatchObject({ localKey: client.remoteKey, localSalt: client.remoteSalt });
    expect([client.localKey.length, client.localSalt.length]).toEqual([16, 12]);
  });

  test('agree when packets are lost and come out of order', { timeout: 60_000 }, async () => {
    const fate = fc.array(fc.constantFrom('deliver', 'deliver', 'drop', 'late'), {
      minLength: 8,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fate, fate, async (toServer, toClient) => {
        const [client, server] = await handshake({
          client: (index) => toServer[index] ?? 'deliver',
          server: (index) => toClient[index] ?? 'deliver',
        });
        expect(client.localKey).toEqual(server.remoteKey);
      }),
      { numRuns: 4 },
    );
  });

  test('hear each other say goodbye', async () => {
    const closed = Promise.withResolvers<void>();
    const client: DtlsAssociation = associate(
      'client',
      ours,
      theirs,
      wire(() => (p) => server.receive(p), perfect),
    );
    const server: DtlsAssociation = new DtlsAssociation({
      role: 'server',
      certificate: theirs,
      fingerprints: sha256(ours),
      send: wire(() => (p) => client.receive(p), perfect),
      onClosed: () => closed.resolve(),
    });
    await Promise.all([server.handshake(), client.handshake()]);
    client.close();
    client.close();
    await closed.promise;
  });

  test('drop malformed packets', async () => {
    const client: DtlsAssociation = associate(
      'client',
      ours,
      theirs,
      wire(() => (p) => server.receive(p), perfect),
    );
    const server: DtlsAssociation = associate(
      'server',
      theirs,
      ours,
      wire(() => (p) => client.receive(p), perfect),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(20, 21, 22, 23), (bytes, type) => {
        // Epoch 0 handshake sequence numbers far ahead, so that the real messages are not taken for repeats.
        const packet = Buffer.concat([Buffer.from([type, 0xfe, 0xfd, 0, 1]), Buffer.from(bytes)]);
        client.receive(packet);
        server.receive(packet);
      }),
    );
    const accepted = server.handshake();
    const [keys] = await Promise.all([client.handshake(), accepted]);
    expect(keys.profile).toBe('AEAD_AES_128_GCM');
  });
});

/** A peer of werift's that shows `shown` but signs with the key of `signer`. */
function impostor(
  role: 'client' | 'server',
  shown: LocalCertificate,
  signer: LocalCertificate,
  send: Deliver,
  srtp = true,
) {
  const { DtlsClient, DtlsServer } = weriftInternals();
  const transport = {
    type: 'ice',
    address: {},
    closed: false,
    onData: (_packet: Buffer): void => undefined,
    send: async (p: Buffer) => send(p),
    close: async () => undefined,
  };
  const options = {
    cert: shown.certificatePem,
    key: signer.privateKeyPem,
    signatureHash: { hash: 4, signature: 3 },
    srtpProfiles: srtp ? [7, 1] : [],
    extendedMasterSecret: true,
    certificateRequest: role === 'server',
    transport,
  } as never;
  const socket: DtlsSocket = role === 'client' ? new DtlsClient(options) : new DtlsServer(options);
  return { socket, receive: (packet: Buffer) => transport.onData(packet) };
}

async function attacked(
  role: 'client' | 'server',
  shown: LocalCertificate,
  signer: LocalCertificate,
  prepare: (socket: DtlsSocket) => void = () => undefined,
  srtp = true,
): Promise<unknown> {
  const peerRole = role === 'client' ? 'server' : 'client';
  const victim: DtlsAssociation = associate(
    role,
    ours,
    theirs,
    wire(() => (p) => attacker.receive(p), perfect),
  );
  const attacker = impostor(
    peerRole,
    shown,
    signer,
    wire(() => (p) => victim.receive(p), perfect),
    srtp,
  );
  prepare(attacker.socket);
  const outcome = victim.handshake().then(
    (keys) => keys,
    (error: unknown) => error,
  );
  if (peerRole === 'client')
    (attacker.socket as DtlsSocket & { connect(): Promise<void> }).connect().catch(() => undefined);
  const result = await outcome;
  attacker.socket.dtls.flight = 1000;
  return result;
}

const code = (error: unknown) => (error instanceof MeetError ? error.code : error);

describe.each(['client', 'server'] as const)('as the %s', (role) => {
  test('an honest peer of another implementation is accepted', async () => {
    expect(await attacked(role, theirs, theirs)).toMatchObject({ profile: 'AEAD_AES_128_GCM' });
  });

  test('a peer with the right certificate that does not own its key is refused', async () => {
    const error = await attacked(role, theirs, createCertificate());
    expect(code(error)).toBe('peer-not-verified');
    expect((error as MeetError).message).toContain("does not own its certificate's key");
  });

  test('a peer with another certificate is refused', async () => {
    const other = createCertificate();
    const error = await attacked(role, other, other);
    expect(code(error)).toBe('peer-not-verified');
    expect((error as MeetError).message).toContain('not the one of the session description');
  });

  test('a peer that leaves its proof out is refused', async () => {
    const error = await attacked(role, theirs, theirs, (socket) => {
      // Its next handshake message is a Finished in clear.
      const { FragmentedHandshake } = weriftInternals();
      const finished = new FragmentedHandshake(20, 12, 0, 0, 12, Buffer.alloc(12));
      const body = finished.serialize();
      const header = Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, body.length]);
      socket.transport.send(Buffer.concat([header, body])).catch(() => undefined);
    });
    expect(code(error)).toBe('peer-not-verified');
  });

  test('a peer without SRTP gets no keys', async () => {
    const error = await attacked(role, theirs, theirs, undefined, false);
    expect(code(error)).toBe('connection-failed');
    expect((error as MeetError).message).toContain('SRTP');
  });

  test('a peer whose Finished does not fit is refused', async () => {
    const error = await attacked(role, theirs, theirs, (socket) => {
      const { cipher } = socket;
      const verifyData = cipher.verifyData.bind(cipher);
      cipher.verifyData = (buffer: Buffer) => verifyData(Buffer.concat([buffer, Buffer.from('tampered')]));
    });
    expect(code(error)).toBe('peer-not-verified');
    expect((error as MeetError).message).toContain('tampered');
  });
});

test('as the server, a client without a certificate is refused', async () => {
  const error = await attacked('server', theirs, theirs, (socket) => {
    // It pretends that it was not asked for one.
    Object.defineProperty(socket.dtls, 'requestedCertificateTypes', { get: () => [], set: () => undefined });
  });
  expect(code(error)).toBe('peer-not-verified');
});

test.each([
  ['none at all', []],
  ['SHA-1 alone', [{ algorithm: 'sha-1', value: 'AA:BB' }]],
  ['a wrong one of a stronger hash', [...sha256(theirs), { algorithm: 'sha-512', value: 'AA:BB' }]],
])('a session description with %s for fingerprints is refused', async (_what, fingerprints) => {
  const client: DtlsAssociation = new DtlsAssociation({
    role: 'client',
    certificate: ours,
    fingerprints,
    send: wire(() => (p) => server.receive(p), perfect),
    onClosed: () => undefined,
  });
  const server: DtlsAssociation = associate(
    'server',
    theirs,
    ours,
    wire(() => (p) => client.receive(p), perfect),
  );
  server.handshake().catch(() => undefined);
  await expect(client.handshake()).rejects.toMatchObject({ code: 'peer-not-verified' });
  server.close();
});

test('the refusal of the peer ends the handshake at once', async () => {
  const client: DtlsAssociation = associate(
    'client',
    ours,
    theirs,
    wire(() => (p) => server.receive(p), perfect),
  );
  const server: DtlsAssociation = associate(
    'server',
    theirs,
    theirs,
    wire(() => (p) => client.receive(p), perfect),
  );
  const [refusing, refused] = await Promise.allSettled([server.handshake(), client.handshake()]);
  expect(refusing).toMatchObject({ reason: { code: 'peer-not-verified' } });
  expect(refused).toMatchObject({ reason: { code: 'connection-failed' } });
});
