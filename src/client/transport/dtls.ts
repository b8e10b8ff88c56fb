/** One DTLS 1.2 association for SRTP keys (RFC 5764): werift's state machine, with the checks it lacks. */
import { MeetError } from '../../protocol/errors.ts';
import type { LocalCertificate } from './certificate.ts';
import { DtlsRecordSender } from './dtls-records.ts';
import {
  type Fingerprint,
  notVerified,
  readCertificate,
  verifyCertificateVerify,
  verifyFingerprint,
  verifyFinished,
  verifyServerKeyExchange,
} from './dtls-verification.ts';
import { type HandshakeMessage, HandshakeOrder } from './handshake-order.ts';
import type { SrtpKeys, SrtpProfile } from './types.ts';
import { type DtlsSocket, type HandshakeFragment, weriftInternals } from './werift-internals.ts';

/** IANA DTLS-SRTP protection profiles in our order, with the length of their salts. */
const SRTP_PROFILES: readonly { id: 1 | 7; name: SrtpProfile; saltBytes: number }[] = [
  { id: 7, name: 'AEAD_AES_128_GCM', saltBytes: 12 },
  { id: 1, name: 'AES_CM_128_HMAC_SHA1_80', saltBytes: 14 },
];
const SRTP_KEY_BYTES = 16;

const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22 };
const MESSAGE = {
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateVerify: 15,
  finished: 20,
};
const ALERT = { closeNotify: 0, handshakeFailure: 40, badCertificate: 42 };
const FATAL = 2;
const RECORD_HEADER_BYTES = 13;
/** DTLS 1.2 on the wire, RFC 6347 section 4.1. */
const VERSION = 0xfefd;

export interface DtlsOptions {
  readonly role: 'client' | 'server';
  readonly certificate: LocalCertificate;
  /** Of the peer, from the session description. */
  readonly fingerprints: readonly Fingerprint[];
  readonly send: (packet: Buffer) => void;
  /** The peer said close_notify, or a fatal alert, after the handshake. */
  readonly onClosed: () => void;
}

export class DtlsAssociation {
  readonly #options: DtlsOptions;
  readonly #socket: DtlsSocket;
  readonly #order = new HandshakeOrder((message, repeated) => this.#handshakeMessage(message, repeated));
  readonly #done = Promise.withResolvers<SrtpKeys>();
  #onRecord: (record: Buffer) => void = () => undefined;
  #state: 'handshake' | 'connected' | 'closed' = 'handshake';
  #serverRandom: Buffer | undefined;
  #peerCertificate: Buffer | undefined;
  #ownershipProven = false;
  #finished = false;

  constructor(options: DtlsOptions) {
    this.#options = options;
    // The promise may fail before anybody waits for it.
    this.#done.promise.catch(() => undefined);
    this.#socket = this.#createSocket();
    // werift's own reassembly loses messages under loss and sorts what it has by type.
    this.#socket.handleFragmentHandshake = (fragments) => {
      for (const fragment of fragments) this.#order.add(orderable(fragment));
      return [];
    };
    this.#socket.onConnect.subscribe(() => this.#connected());
    this.#socket.onError.subscribe((error) => this.#weriftError(error));
  }

  #createSocket(): DtlsSocket {
    const { role, certificate } = this.#options;
    const { DtlsClient, DtlsServer } = weriftInternals();
    const association = this;
    const records = new DtlsRecordSender({
      send: (datagram) => {
        if (this.#state !== 'closed') this.#options.send(datagram);
      },
      sealAgain: (sequenceNumber) => this.#sealFinished(sequenceNumber),
    });
    const options = {
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      signatureHash: { hash: 4, signature: 3 } as const, // SHA-256 with ECDSA
      srtpProfiles: SRTP_PROFILES.map(({ id }) => id),
      extendedMasterSecret: true,
      certificateRequest: role === 'server',
      transport: {
        type: 'ice',
        address: {},
        closed: false,
        set onData(handler: (data: Buffer) => void) {
          association.#onRecord = handler;
        },
        send: async (packet: Buffer) => records.add(packet),
        close: async () => undefined,
      },
    };
    return role === 'client' ? new DtlsClient(options as never) : new DtlsServer(options as never);
  }

  /**
   * Runs the handshake; the client begins it.
   *
   * @throws MeetError `peer-not-verified` when the peer is not who the session description says or does not
   * own its key; `connection-failed` when it refuses, offers no SRTP, or `close()` comes first. Time limits
   * are the caller's.
   */
  handshake(): Promise<SrtpKeys> {
    if (this.#options.role === 'client')
      (this.#socket as DtlsSocket & { connect(): Promise<void> }).connect().catch((error: unknown) => {
        this.#weriftError(error);
      });
    return this.#done.promise;
  }

  /** One datagram whose first byte is 20 to 63 (RFC 7983). Malformed ones are dropped. */
  receive(datagram: Buffer): void {
    let offset = 0;
    while (this.#state !== 'closed' && offset + RECORD_HEADER_BYTES <= datagram.length) {
      const end = offset + RECORD_HEADER_BYTES + datagram.readUInt16BE(offset + 11);
      if (end > datagram.length) return;
      this.#record(datagram.subarray(offset, end));
      offset = end;
    }
  }

  #record(record: Buffer): void {
    const type = record[0];
    if (type === CONTENT.alert) this.#alert(record);
    if (type !== CONTENT.handshake && type !== CONTENT.changeCipherSpec) return;
    try {
      this.#onRecord(record);
    } catch {
      // Invalid records are dropped silently, RFC 6347 section 4.1.2.7.
    }
  }

  #handshakeMessage(message: HandshakeMessage, repeated: boolean): void {
    if (this.#state === 'closed' || (this.#state === 'connected' && !repeated)) return;
    try {
      if (!repeated) this.#check(message);
    } catch (error) {
      this.#fail(error, ALERT.badCertificate);
      return;
    }
    const { FragmentedHandshake } = weriftInternals();
    const { type, seq, body } = message;
    const whole = new FragmentedHandshake(type, body.length, seq, 0, body.length, body);
    this.#socket.onHandleHandshakes([whole]).catch((error: unknown) => this.#weriftError(error));
  }

  #check({ type, body }: HandshakeMessage): void {
    const { role, fingerprints } = this.#options;
    const { cipher } = this.#socket;
    switch (type) {
      case MESSAGE.serverHello:
        this.#serverRandom = Buffer.from(body.subarray(2, 34));
        break;
      case MESSAGE.certificate:
        this.#peerCertificate = readCertificate(body);
        verifyFingerprint(this.#peerCertificate, fingerprints);
        break;
      case MESSAGE.serverKeyExchange:
        if (role !== 'client' || this.#peerCertificate === undefined || this.#serverRandom === undefined)
          throw notVerified('it sent its key before its certificate');
        verifyServerKeyExchange(
          this.#peerCertificate,
          cipher.localRandom.serialize(),
          this.#serverRandom,
          body,
        );
        this.#ownershipProven = true;
        break;
      case MESSAGE.certificateVerify:
        if (role !== 'server' || this.#peerCertificate === undefined)
          throw notVerified('it sent no certificate');
        verifyCertificateVerify(this.#peerCertificate, this.#transcript(), body);
        this.#ownershipProven = true;
        break;
      case MESSAGE.finished:
        if (!this.#ownershipProven || cipher.masterSecret === undefined)
          throw notVerified('it did not prove that it owns a certificate');
        verifyFinished(
          cipher.masterSecret,
          role === 'client' ? 'server' : 'client',
          this.#transcript(),
          body,
        );
        this.#finished = true;
        break;
      default:
    }
  }

  /** Every handshake message so far, as it went over the wire unfragmented. */
  #transcript(): Buffer {
    return Buffer.concat(this.#socket.dtls.sortedHandshakeCache.map((message) => message.serialize()));
  }

  #connected(): void {
    if (this.#state !== 'handshake' || !this.#finished) return;
    const profile = SRTP_PROFILES.find(({ id }) => id === this.#socket.srtp.srtpProfile);
    if (profile === undefined) {
      const message = 'The media peer agreed to no SRTP protection profile, so media would not be encrypted.';
      this.#fail(new MeetError('connection-failed', message), ALERT.handshakeFailure);
      return;
    }
    this.#state = 'connected';
    const keys = this.#socket.extractSessionKeys(SRTP_KEY_BYTES, profile.saltBytes);
    this.#done.resolve({ profile: profile.name, ...keys });
  }

  #alert(record: Buffer): void {
    const alert = this.#open(record);
    if (alert === undefined || alert.length < 2) return;
    const [level, description] = alert;
    if (this.#state === 'connected') {
      if (level === FATAL || description === ALERT.closeNotify) {
        this.#shut();
        this.#options.onClosed();
      }
      return;
    }
    if (level !== FATAL && description !== ALERT.closeNotify) return;
    this.#shut();
    const message = `The media peer refused the DTLS handshake (alert ${description}).`;
    this.#done.reject(new MeetError('connection-failed', message));
  }

  /** The content of a record; `undefined` for one in clear after the handshake, or one that does not decrypt. */
  #open(record: Buffer): Buffer | undefined {
    const epoch = record.readUInt16BE(3);
    const content = record.subarray(RECORD_HEADER_BYTES);
    if (epoch === 0) return this.#state === 'handshake' ? content : undefined;
    try {
      return this.#socket.cipher.cipher.decrypt(this.#socket.sessionType, content, {
        type: CONTENT.alert,
        version: VERSION,
        epoch,
        sequenceNumber: record.readUIntBE(5, 6),
      });
    } catch {
      return undefined;
    }
  }

  #sendAlert(level: number, description: number, encrypted: boolean): void {
    const alert = Buffer.from([level, description]);
    const sequenceNumber = ++this.#socket.dtls.recordSequenceNumber;
    this.#options.send(this.#writeRecord(CONTENT.alert, encrypted ? 1 : 0, sequenceNumber, alert));
  }

  #writeRecord(type: number, epoch: number, sequenceNumber: number, content: Buffer): Buffer {
    const { cipher, sessionType } = this.#socket;
    const sealed =
      epoch === 0
        ? content
        : cipher.cipher.encrypt(sessionType, content, { type, version: VERSION, epoch, sequenceNumber });
    const header = Buffer.alloc(RECORD_HEADER_BYTES);
    header.writeUInt8(type, 0);
    header.writeUInt16BE(VERSION, 1);
    header.writeUInt16BE(epoch, 3);
    header.writeUIntBE(sequenceNumber, 5, 6);
    header.writeUInt16BE(sealed.length, 11);
    return Buffer.concat([header, sealed]);
  }

  /** Our Finished, the only handshake message that is encrypted. */
  #sealFinished(atLeast: number): { record: Buffer; sequenceNumber: number } | undefined {
    const { dtls } = this.#socket;
    const finished = Object.values(dtls.handshakeCache)
      .filter(({ isLocal }) => isLocal)
      .flatMap(({ data }) => data)
      .find(({ msg_type }) => msg_type === MESSAGE.finished);
    if (finished === undefined) return undefined;
    // Alerts count on from here.
    dtls.recordSequenceNumber = Math.max(atLeast, dtls.recordSequenceNumber + 1);
    const sequenceNumber = dtls.recordSequenceNumber;
    return {
      record: this.#writeRecord(CONTENT.handshake, 1, sequenceNumber, finished.serialize()),
      sequenceNumber,
    };
  }

  #weriftError(error: unknown): void {
    // Its waits for messages that are late end in a plain string; retransmission goes on meanwhile.
    if (!(error instanceof Error)) return;
    const message = `The DTLS handshake with the media peer failed: ${error.message || 'it broke the protocol'}.`;
    this.#fail(new MeetError('connection-failed', message, { cause: error }), ALERT.handshakeFailure);
  }

  #fail(error: unknown, alert: number): void {
    if (this.#state !== 'handshake') return;
    this.#sendAlert(FATAL, alert, false);
    this.#shut();
    this.#done.reject(error);
  }

  #shut(): void {
    this.#state = 'closed';
    // Above every flight: ends werift's retransmission loops at their next turn.
    this.#socket.dtls.flight = Number.MAX_SAFE_INTEGER;
  }

  /** Says close_notify when the handshake was done; may be called twice. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'connected') {
      try {
        this.#sendAlert(1, ALERT.closeNotify, true);
      } catch {
        // Nobody needs to hear it.
      }
    }
    this.#shut();
    this.#done.reject(new MeetError('connection-failed', 'The media connection was closed.'));
  }
}

function orderable(fragment: HandshakeFragment): {
  type: number;
  seq: number;
  length: number;
  offset: number;
  data: Buffer;
} {
  return {
    type: fragment.msg_type,
    seq: fragment.message_seq,
    length: fragment.length,
    offset: fragment.fragment_offset,
    data: fragment.fragment,
  };
}
