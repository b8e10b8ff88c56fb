/** Writes raw I420 pictures as Matroska (RFC 9559), the one container that carries each picture's time to ffmpeg. */

const CLUSTER = 0x1f43b675;
const SEGMENT = 0x18538067;
/** A segment whose size is not known, for live streams. */
const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');

function size(bytes: number): Buffer {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(bytes) | (1n << 56n));
  return field;
}

function id(value: number): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function element(name: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([id(name), size(body.length), body]);
}

function uint(value: number, bytes = 4): Buffer {
  const field = Buffer.alloc(bytes);
  field.writeUIntBE(value, 0, bytes);
  return field;
}

const text = (value: string) => Buffer.from(value, 'latin1');

/** What stands before the first picture; times are in milliseconds. */
export function rawMatroskaHeader(width: number, height: number): Buffer {
  const ebml = element(
    0x1a45dfa3,
    element(0x4282, text('matroska')),
    element(0x4287, uint(2)),
    element(0x4285, uint(2)),
  );
  const nanosecondsPerTick = element(0x2ad7b1, uint(1_000_000));
  const info = element(
    0x1549a966,
    nanosecondsPerTick,
    element(0x4d80, text('meet')),
    element(0x5741, text('meet')),
  );
  const video = element(
    0xe0,
    element(0xb0, uint(width)),
    element(0xba, uint(height)),
    element(0x2eb524, text('I420')),
  );
  const track = element(
    0xae,
    element(0xd7, uint(1)),
    element(0x73c5, uint(1)),
    element(0x83, uint(1)),
    element(0x9c, uint(0)),
    element(0x86, text('V_UNCOMPRESSED')),
    video,
  );
  return Buffer.concat([ebml, id(SEGMENT), UNKNOWN_SIZE, info, element(0x1654ae6b, track)]);
}

/** What stands before a picture of so many bytes: a cluster of its own. */
export function rawMatroskaPrefix(timeMs: number, pictureBytes: number): Buffer {
  const time = element(0xe7, uint(timeMs, 6));
  // Track 1, no time on top of the cluster's, a keyframe.
  const blockHeader = Buffer.from([0x81, 0, 0, 0x80]);
  const blockBytes = blockHeader.length + pictureBytes;
  const block = Buffer.concat([id(0xa3), size(blockBytes), blockHeader]);
  return Buffer.concat([id(CLUSTER), size(time.length + block.length + pictureBytes), time, block]);
}
