import { describe, expect, test } from 'vitest';
import { type BufferedPacket, JitterBuffer } from '../../../src/client/rtp/jitter-buffer.ts';

const DELAY = 200;

/** A payload is the frame's number, and flags for start and keyframe. */
function packet(sequence: number, frame: number, flags = '', receivedMs = 0): BufferedPacket {
  const payload = Buffer.from(`${frame}${flags.includes('s') ? 's' : ''}${flags.includes('k') ? 'k' : ''}`);
  const marker = flags.includes('m');
  return { sequence, timestamp: frame * 3000, marker, payloadType: 96, payload, receivedMs };
}

function padding(sequence: number, frame: number): BufferedPacket {
  return { ...packet(sequence, frame), payload: Buffer.alloc(0) };
}

function buffer({ waitForKeyframe = true, packetIsFrame = false } = {}) {
  const frames: string[] = [];
  const requests: number[] = [];
  const text = ({ payload }: BufferedPacket) => payload.toString();
  const jitterBuffer = new JitterBuffer({
    packetIsFrame,
    waitForKeyframe,
    maxDelayMs: () => DELAY,
    isFrameStart: (candidate) => text(candidate).includes('s'),
    isKeyFrameStart: (candidate) => text(candidate).includes('sk'),
    onFrame(packets, { gapBefore, mustBeKeyframe }) {
      const [first] = packets;
      if (!first || text(first).includes('x')) return false;
      const keyframe = text(first).includes('k');
      if (mustBeKeyframe && !keyframe) return false;
      frames.push(`${Number.parseInt(text(first), 10)}:${packets.length}${gapBefore ? ' after gap' : ''}`);
      return true;
    },
    onKeyframeNeeded: () => requests.push(1),
    onPassed: () => {},
  });
  return { jitterBuffer, frames, requests };
}

describe('video', () => {
  test('frames come out whole and in order, whatever the order of arrival', () => {
    const { jitterBuffer, frames } = buffer();
    const packets = [
      packet(10, 1, 'sk'),
      packet(11, 1, 'm'),
      packet(12, 2, 'sm'),
      packet(13, 3, 's'),
      packet(14, 3, 'm'),
    ];
    for (const at of [0, 4, 2, 1, 3]) jitterBuffer.insert(packets[at]!);
    expect(frames).toEqual(['1:2', '2:1', '3:2']);
    expect(jitterBuffer.deadlineMs).toBeUndefined();
  });

  test('a frame without marker ends where the timestamp changes', () => {
    const { jitterBuffer, frames } = buffer();
    for (const item of [packet(10, 1, 'sk'), packet(11, 1), packet(12, 2, 's')]) jitterBuffer.insert(item);
    expect(frames).toEqual(['1:2']);
  });

  test('nothing comes before the first keyframe, which is asked for', () => {
    const { jitterBuffer, frames, requests } = buffer();
    jitterBuffer.insert(packet(10, 1, 'sm'));
    expect(requests.length).toBe(1);
    jitterBuffer.insert(packet(11, 2, 'skm'));
    expect(frames).toEqual(['2:1']);
    expect(jitterBuffer.framesDropped).toBe(0);
  });

  test('padding fills the sequence within, before and behind frames', () => {
    const { jitterBuffer, frames } = buffer();
    const packets = [
      packet(10, 1, 'sk'),
      padding(11, 1),
      packet(12, 1, 'm'),
      padding(13, 1),
      padding(14, 1),
      packet(15, 2, 's'),
      padding(16, 9),
      packet(17, 2, 'm'),
    ];
    for (const item of packets) jitterBuffer.insert(item);
    expect(frames).toEqual(['1:2', '2:2']);
    expect(jitterBuffer.deadlineMs).toBeUndefined();
  });

  test('a gap is waited for, then video goes on with the next keyframe', () => {
    const { jitterBuffer, frames, requests } = buffer();
    jitterBuffer.insert(packet(10, 1, 'skm'));
    jitterBuffer.insert(packet(12, 3, 'sm', 100));
    expect(jitterBuffer.deadlineMs).toBe(100 + DELAY);
    jitterBuffer.expire(100 + DELAY - 1);
    expect(requests).toHaveLength(0);
    jitterBuffer.expire(100 + DELAY);
    expect(requests).toHaveLength(1);
    expect(jitterBuffer.waitsForKeyframe).toBe(true);
    jitterBuffer.insert(packet(13, 4, 'sm', 400));
    jitterBuffer.insert(packet(14, 5, 'skm', 450));
    expect(frames).toEqual(['1:1', '5:1 after gap']);
    expect(jitterBuffer.waitsForKeyframe).toBe(false);
    expect(jitterBuffer.framesDropped).toBe(2);
  });

  test('a keyframe that came behind the gap is used without asking', () => {
    const { jitterBuffer, frames, requests } = buffer();
    jitterBuffer.insert(packet(10, 1, 'skm'));
    for (const item of [packet(12, 2, 'm'), packet(13, 3, 'skm'), packet(14, 4, 'sm')])
      jitterBuffer.insert(item);
    jitterBuffer.expire(DELAY);
    expect(frames).toEqual(['1:1', '3:1 after gap', '4:1']);
    expect(requests).toHaveLength(0);
  });

  test('the wait for a second gap begins with the packet behind it', () => {
    const { jitterBuffer, frames } = buffer();
    jitterBuffer.insert(packet(10, 1, 'skm'));
    jitterBuffer.insert(packet(12, 3, 'sm', 100));
    jitterBuffer.insert(packet(14, 5, 'sm', 250));
    jitterBuffer.insert(packet(11, 2, 'sm', 260));
    expect(frames).toEqual(['1:1', '2:1', '3:1']);
    expect(jitterBuffer.deadlineMs).toBe(250 + DELAY);
  });

  test('without waiting for keyframes it goes on with the next frame', () => {
    const { jitterBuffer, frames } = buffer({ waitForKeyframe: false });
    jitterBuffer.insert(packet(10, 1, 'sm'));
    for (const item of [packet(12, 2, 'm'), packet(13, 3, 's'), packet(14, 3, 'm')])
      jitterBuffer.insert(item);
    jitterBuffer.expire(DELAY);
    expect(frames).toEqual(['1:1', '3:2 after gap']);
  });

  test('a malformed frame is a gap', () => {
    const { jitterBuffer, frames, requests } = buffer();
    jitterBuffer.insert(packet(10, 1, 'skm'));
    jitterBuffer.insert({ ...packet(11, 2, 'sm'), payload: Buffer.from('2x') });
    expect(requests).toHaveLength(1);
    jitterBuffer.insert(packet(12, 3, 'sm'));
    jitterBuffer.insert(packet(13, 4, 'skm'));
    expect(frames).toEqual(['1:1', '4:1 after gap']);
  });

  test('a frame that never ends does not eat the memory', () => {
    const { jitterBuffer, frames, requests } = buffer();
    jitterBuffer.insert(packet(0, 1, 'sk'));
    for (let sequence = 1; sequence < 10_000; sequence += 1) jitterBuffer.insert(packet(sequence, 1));
    expect(requests.length).toBeGreaterThan(0);
    jitterBuffer.insert(packet(10_000, 2, 'skm'));
    expect(frames).toEqual(['2:1']);
  });

  test('a stream begun anew goes on with its first keyframe', () => {
    const { jitterBuffer, frames } = buffer();
    jitterBuffer.insert(packet(10, 1, 'skm'));
    jitterBuffer.insert(packet(11, 2, 's'));
    jitterBuffer.restart(50_000);
    jitterBuffer.insert(packet(12, 2, 'm'));
    jitterBuffer.insert(packet(50_000, 7, 'skm'));
    expect(frames).toEqual(['1:1', '7:1 after gap']);
  });
});

test('each audio packet is a frame, and lost ones leave a gap', () => {
  const { jitterBuffer, frames } = buffer({ waitForKeyframe: false, packetIsFrame: true });
  for (const item of [packet(1, 1), packet(3, 3), packet(2, 2), packet(5, 5), packet(6, 6)])
    jitterBuffer.insert(item);
  expect(frames).toEqual(['1:1', '2:1', '3:1']);
  jitterBuffer.expire(DELAY);
  expect(frames).toEqual(['1:1', '2:1', '3:1', '5:1 after gap', '6:1']);
});
