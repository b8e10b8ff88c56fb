/**
 * The one registry of coded errors. A code is never reused for something else; docs/ERRORS.md lists them
 * and a test compares the two.
 */

/** Who can mend it: the caller, the person running the server, or us. */
export type Fault = 'caller' | 'operator' | 'environment' | 'internal';

/** Exit codes of the `meet` command; docs/CLI.md documents them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  threshold: 5,
  interrupted: 130,
} as const;

interface ErrorKind {
  /** HTTP status when it answers a REST request. */
  readonly status: number;
  readonly fault: Fault;
  /** Exit code when it ends a command. */
  readonly exit: number;
  /** One line for docs/ERRORS.md. */
  readonly about: string;
}

const kind = (status: number, fault: Fault, exit: number, about: string): ErrorKind => ({
  status,
  fault,
  exit,
  about,
});

export const ERRORS = {
  // Requests
  'bad-request': kind(400, 'caller', EXIT.usage, 'The request does not fit its schema.'),
  'not-found': kind(404, 'caller', EXIT.failed, 'There is no such resource.'),
  'too-large': kind(413, 'caller', EXIT.failed, 'The request or message is larger than the server takes.'),
  'range-not-satisfiable': kind(
    416,
    'caller',
    EXIT.failed,
    'No byte of the file lies in the range that was asked for.',
  ),
  'rate-limited': kind(429, 'caller', EXIT.refused, 'Too many requests; Retry-After says when to try again.'),
  // Access
  unauthorized: kind(401, 'caller', EXIT.refused, 'The token is missing, forged or malformed.'),
  'token-expired': kind(401, 'caller', EXIT.refused, 'The token has expired; join again for a new one.'),
  forbidden: kind(403, 'caller', EXIT.refused, 'The token does not allow this.'),
  'password-required': kind(401, 'caller', EXIT.refused, 'The meeting has a password and none was given.'),
  'wrong-password': kind(401, 'caller', EXIT.refused, 'The password is wrong.'),
  'meeting-locked': kind(403, 'caller', EXIT.refused, 'The host has locked the meeting.'),
  removed: kind(403, 'caller', EXIT.refused, 'A host removed this participant.'),
  blocked: kind(403, 'caller', EXIT.refused, 'A host has blocked this account or address from the meeting.'),
  'share-taken': kind(409, 'caller', EXIT.refused, 'Somebody else shares a screen, and one may at a time.'),
  'share-stopped': kind(403, 'caller', EXIT.refused, 'A host stopped the sharing of this screen.'),
  // Files
  'file-infected': kind(422, 'caller', EXIT.refused, 'The virus scanner found something in the file.'),
  'file-type-refused': kind(415, 'caller', EXIT.refused, 'Files of this type are not taken.'),
  'file-expired': kind(410, 'caller', EXIT.failed, 'The file was kept for its time and is gone.'),
  'scanner-unavailable': kind(
    503,
    'operator',
    EXIT.failed,
    'The virus scanner cannot be reached, and files that it has not seen are not taken.',
  ),
  // Meetings
  'meeting-not-found': kind(404, 'caller', EXIT.failed, 'There is no meeting with this id.'),
  'meeting-ended': kind(410, 'caller', EXIT.failed, 'The meeting has ended.'),
  // Recordings
  'recording-running': kind(409, 'caller', EXIT.failed, 'The meeting is being recorded already.'),
  'not-recording': kind(409, 'caller', EXIT.failed, 'The meeting is not being recorded.'),
  'recording-unavailable': kind(501, 'operator', EXIT.failed, 'This server records no meetings.'),
  'recording-not-found': kind(
    404,
    'caller',
    EXIT.failed,
    'There is no such recording, or not for this caller.',
  ),
  'recording-not-ready': kind(409, 'caller', EXIT.failed, 'The recording is not finished yet.'),
  'recorder-failed': kind(
    500,
    'internal',
    EXIT.failed,
    'The recorder could not be started, or died too often.',
  ),
  'recording-busy': kind(409, 'caller', EXIT.failed, 'Another process works on this recording.'),
  'already-exists': kind(409, 'caller', EXIT.failed, 'There is already something of that name.'),
  'wrong-state': kind(
    409,
    'caller',
    EXIT.failed,
    'The recording is in a state in which this makes no sense.',
  ),
  'nobody-came': kind(408, 'caller', EXIT.failed, 'The meeting did not start, or nobody was there, in time.'),
  // Signaling
  'bad-message': kind(400, 'caller', EXIT.failed, 'A signaling message does not fit its schema.'),
  'wrong-meeting': kind(403, 'caller', EXIT.refused, 'The token belongs to another meeting.'),
  replaced: kind(
    409,
    'caller',
    EXIT.failed,
    'The same participant connected again; this connection was closed.',
  ),
  'offer-pending': kind(409, 'caller', EXIT.failed, 'An offer came before the previous one was answered.'),
  'unexpected-answer': kind(409, 'caller', EXIT.failed, 'An answer came for an offer that is not open.'),
  'bad-sdp': kind(400, 'caller', EXIT.failed, 'The session description cannot be understood or used.'),
  'no-common-codec': kind(406, 'caller', EXIT.failed, 'The offer has no codec that the server forwards.'),
  'too-many-streams': kind(413, 'caller', EXIT.failed, 'The offer has more media sections than allowed.'),
  'track-not-found': kind(404, 'caller', EXIT.failed, 'There is no such track.'),
  'heartbeat-timeout': kind(408, 'caller', EXIT.unreachable, 'The other side stopped answering heartbeats.'),
  // Network
  'server-unreachable': kind(
    502,
    'environment',
    EXIT.unreachable,
    'No connection to the server could be made.',
  ),
  'server-stopping': kind(503, 'operator', EXIT.unreachable, 'The server is shutting down.'),
  'connection-failed': kind(502, 'environment', EXIT.unreachable, 'No media path to the server was found.'),
  'peer-not-verified': kind(
    502,
    'environment',
    EXIT.refused,
    "The media peer could not prove that it owns its certificate's key.",
  ),
  // Media files and devices
  'media-not-found': kind(400, 'caller', EXIT.usage, 'The media file does not exist or cannot be read.'),
  'media-unusable': kind(
    400,
    'caller',
    EXIT.failed,
    'The file is empty, truncated or holds no picture or sound.',
  ),
  'ffmpeg-missing': kind(500, 'environment', EXIT.failed, 'No usable ffmpeg was found.'),
  'ffmpeg-failed': kind(500, 'environment', EXIT.failed, 'ffmpeg ended before its work was done.'),
  'device-unusable': kind(
    500,
    'environment',
    EXIT.failed,
    'The screen, camera or sound device is missing, in use, or may not be used by this user.',
  ),
  'transcription-failed': kind(
    502,
    'environment',
    EXIT.failed,
    'The provider of transcripts cannot be reached or is busy; the next run tries again.',
  ),
  'transcription-refused': kind(
    502,
    'operator',
    EXIT.failed,
    'The provider of transcripts refuses the request, its key, or cannot be started.',
  ),
  // Machine
  'port-in-use': kind(500, 'operator', EXIT.failed, 'Another process listens on the port.'),
  'no-permission': kind(500, 'operator', EXIT.failed, 'The file or port may not be used by this user.'),
  'disk-full': kind(507, 'environment', EXIT.failed, 'There is no space left on the disk.'),
  'out-of-memory': kind(
    507,
    'environment',
    EXIT.failed,
    'The pictures of a recording do not fit the memory that is kept for them.',
  ),
  'storage-failed': kind(
    500,
    'operator',
    EXIT.failed,
    'The database or object store refused or could not be reached.',
  ),
  'object-damaged': kind(
    500,
    'operator',
    EXIT.failed,
    'What the object store holds is not what was uploaded; the local copy is kept.',
  ),
  'worker-missing': kind(500, 'operator', EXIT.failed, 'The SFU worker is not there and could not be built.'),
  'worker-died': kind(503, 'internal', EXIT.failed, 'An SFU worker died; its meetings are being recovered.'),
  'bad-config': kind(
    500,
    'operator',
    EXIT.usage,
    'An option, environment variable or config value is not usable.',
  ),
  internal: kind(500, 'internal', EXIT.failed, 'Something went wrong that should not have.'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** `true` when the text names a code of the registry. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** An error that a user sees as a sentence, with its code, and with what to do next where that is known. */
export class MeetError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, as a sentence or a command. */
  readonly hint?: string;
  /** Seconds after which another try makes sense, for `rate-limited`. */
  readonly retryAfter?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string; retryAfter?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MeetError';
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get fault(): Fault {
    return ERRORS[this.code].fault;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  /** The error itself when it is one of ours, else `internal` with the original as its cause. */
  static from(error: unknown): MeetError {
    if (error instanceof MeetError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new MeetError('internal', message, { cause: error });
  }
}
