import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listV4l2 } from '../../../src/media/device/list.ts';
import {
  parseAlsaDevices,
  parseAvfoundation,
  parseDshow,
  parsePulseSources,
} from '../../../src/media/device/parse.ts';

test("ALSA's devices that record", () => {
  const text = [
    '00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1',
    '00-03: HDMI 0 : HDMI 0 : playback 1',
    '01-00: USB Audio : USB Audio : capture 1',
  ].join('\n');
  expect(parseAlsaDevices(text)).toEqual([
    { id: 'plughw:0,0', name: 'ALC256 Analog' },
    { id: 'plughw:1,0', name: 'USB Audio' },
  ]);
});

test("PulseAudio's sources, what plays apart from what is heard", () => {
  const text = [
    'Auto-detected sources for pulse:',
    ' * alsa_output.pci.analog-stereo.monitor [Monitor of Built-in Audio] (audio)',
    '   alsa_input.pci.analog-stereo [Built-in Audio Analog Stereo]',
  ].join('\n');
  expect(parsePulseSources(text)).toEqual([
    { id: 'alsa_output.pci.analog-stereo.monitor', name: 'Monitor of Built-in Audio', monitor: true },
    { id: 'alsa_input.pci.analog-stereo', name: 'Built-in Audio Analog Stereo', monitor: false },
  ]);
});

test("macOS's devices, screens apart from cameras", () => {
  const text = [
    '[AVFoundation indev @ 0x7f8] AVFoundation video devices:',
    '[AVFoundation indev @ 0x7f8] [0] FaceTime HD Camera',
    '[AVFoundation indev @ 0x7f8] [1] Capture screen 0',
    '[AVFoundation indev @ 0x7f8] AVFoundation audio devices:',
    '[AVFoundation indev @ 0x7f8] [0] MacBook Pro Microphone',
  ].join('\n');
  expect(parseAvfoundation(text)).toEqual({
    video: [
      { id: '0', name: 'FaceTime HD Camera', screen: false },
      { id: '1', name: 'Capture screen 0', screen: true },
    ],
    audio: [{ id: '0', name: 'MacBook Pro Microphone' }],
  });
});

test("Windows' devices, as ffmpeg 5 lists them and as those before it did", () => {
  const now = [
    '[dshow @ 0000] "Integrated Camera" (video)',
    '[dshow @ 0000]   Alternative name "@device_pnp_x"',
    '[dshow @ 0000] "Microphone (USB)" (audio)',
  ].join('\r\n');
  const before = [
    '[dshow @ 0000] DirectShow video devices (some may be both video and audio devices)',
    '[dshow @ 0000]  "Integrated Camera"',
    '[dshow @ 0000]     Alternative name "@device_pnp_x"',
    '[dshow @ 0000] DirectShow audio devices',
    '[dshow @ 0000]  "Microphone (USB)"',
  ].join('\r\n');
  const expected = {
    video: [{ id: 'Integrated Camera', name: 'Integrated Camera' }],
    audio: [{ id: 'Microphone (USB)', name: 'Microphone (USB)' }],
  };
  expect(parseDshow(now)).toEqual(expected);
  expect(parseDshow(before)).toEqual(expected);
});

test("the kernel's cameras, without the nodes for their metadata", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meet-v4l-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [node, index] of [
    ['video0', '0'],
    ['video1', '1'],
    ['video2', '0'],
  ] as const) {
    await mkdir(join(folder, node));
    await writeFile(join(folder, node, 'name'), `Camera of ${node}\n`);
    await writeFile(join(folder, node, 'index'), `${index}\n`);
  }
  expect(await listV4l2(folder)).toEqual([
    { id: '/dev/video0', name: 'Camera of video0' },
    { id: '/dev/video2', name: 'Camera of video2' },
  ]);
  expect(await listV4l2(join(folder, 'none'))).toEqual([]);
});
