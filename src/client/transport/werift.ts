/** The door of this folder: the transport that stands on werift's DTLS, TURN and STUN. */
export { type ConnectResult, MediaTransport } from './media-transport.ts';
