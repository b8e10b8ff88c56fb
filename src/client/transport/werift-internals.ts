/**
 * What is taken from werift: the DTLS 1.2 state machines, the TURN client and the STUN message codec. This is
 * the only file that knows where they are; package.json pins the exact version, and a test compares the two.
 *
 * They are loaded by path because werift's entry point loads all of WebRTC, and because its DTLS loads
 * @peculiar/x509, only to make certificates, which certificate.ts does. Measured on one busy machine: 170 to
 * 320 ms for `import 'werift'`, 130 to 145 ms for these files with x509, 82 to 91 ms without it.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as werift from 'werift';

/** The version whose internals this adapter was written against. */
export const WERIFT_VERSION = '0.25.2';

export type DtlsSocket = werift.DtlsSocket;
export type TurnProtocol = werift.TurnProtocol;
export type StunMessage = werift.Message;

/** A handshake message or a fragment of one, RFC 6347 section 4.2.2; the names are werift's. */
export type HandshakeFragment = Parameters<DtlsSocket['handleFragmentHandshake']>[0][number];
export type HandshakeFragmentClass = new (
  ...fields: [
    type: number,
    length: number,
    messageSeq: number,
    fragmentOffset: number,
    fragmentLength: number,
    fragment: Buffer,
  ]
) => HandshakeFragment;

export interface WeriftInternals {
  readonly DtlsClient: typeof werift.DtlsClient;
  readonly DtlsServer: typeof werift.DtlsServer;
  readonly FragmentedHandshake: HandshakeFragmentClass;
  readonly TurnProtocol: typeof werift.TurnProtocol;
  readonly Message: typeof werift.Message;
  readonly parseMessage: typeof werift.parseMessage;
}

let loaded: WeriftInternals | undefined;

/** The internals of werift, loaded on the first call. */
export function weriftInternals(): WeriftInternals {
  loaded ??= load();
  return loaded;
}

function load(): WeriftInternals {
  const entry = createRequire(import.meta.url).resolve('werift');
  const require = createRequire(entry);
  const lib = join(dirname(entry), '..', '..');
  const dtls = withoutX509(require, () => ({
    ...(require(join(lib, 'dtls/src/client.js')) as Pick<WeriftInternals, 'DtlsClient'>),
    ...(require(join(lib, 'dtls/src/server.js')) as Pick<WeriftInternals, 'DtlsServer'>),
  }));
  return {
    ...dtls,
    ...(require(join(lib, 'dtls/src/record/message/fragment.js')) as Pick<
      WeriftInternals,
      'FragmentedHandshake'
    >),
    ...(require(join(lib, 'ice/src/turn/protocol.js')) as Pick<WeriftInternals, 'TurnProtocol'>),
    ...(require(join(lib, 'ice-server/src/stun/message.js')) as Pick<
      WeriftInternals,
      'Message' | 'parseMessage'
    >),
  };
}

/** Runs `body` with an empty @peculiar/x509 in its place, unless somebody has loaded the real one. */
function withoutX509<T>(require: NodeJS.Require, body: () => T): T {
  const path = require.resolve('@peculiar/x509');
  if (require.cache[path] !== undefined) return body();
  const placeholder = { cryptoProvider: { set: () => undefined } };
  require.cache[path] = { id: path, filename: path, loaded: true, exports: placeholder } as NodeJS.Module;
  try {
    return body();
  } finally {
    delete require.cache[path];
  }
}
