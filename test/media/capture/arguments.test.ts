/** The table of what ffmpeg is told on each system, beside what its documentation says. */
import { describe, expect, test } from 'vitest';
import { parseDevices } from '../../../src/media/capture/abilities.ts';
import {
  type CaptureAbilities,
  cameraDevice,
  cameraInput,
  type ScreenRequest,
  screenInput,
  soundDevice,
  soundInput,
  systemSound,
} from '../../../src/media/capture/arguments.ts';

const all: CaptureAbilities = {
  devices: new Set(['x11grab', 'avfoundation', 'gdigrab', 'dshow', 'v4l2', 'alsa', 'pulse', 'lavfi']),
  windowId: true,
  ddagrab: true,
};
const old: CaptureAbilities = { ...all, windowId: false, ddagrab: false };
const region = { width: 640, height: 480, x: 10, y: 20 };

const words = (request: Omit<ScreenRequest, 'frameRate' | 'cursor'>, abilities = all, cursor = true) =>
  screenInput({ frameRate: 30, cursor, ...request }, abilities).args.join(' ');

describe('screens', () => {
  test.each([
    [
      'X11',
      words({ system: 'x11', display: ':1', region }),
      '-f x11grab -framerate 30 -draw_mouse 1 -video_size 640x480 -i :1+10,20',
    ],
    [
      'an X11 window',
      words({ system: 'x11', display: ':1', windowId: 77, region: { ...region, x: 0, y: 0 } }),
      '-f x11grab -framerate 30 -draw_mouse 1 -window_id 77 -video_size 640x480 -i :1+0,0',
    ],
    [
      'X11 without the pointer',
      words({ system: 'x11', region }, all, false),
      '-f x11grab -framerate 30 -draw_mouse 0 -video_size 640x480 -i :0+10,20',
    ],
    [
      'macOS',
      words({ system: 'darwin', monitor: 1 }),
      '-f avfoundation -framerate 30 -pixel_format bgr0 -capture_cursor 1 -i Capture screen 1:none',
    ],
    [
      'Windows by ddagrab',
      words({ system: 'win32', monitor: 1, region }),
      '-f lavfi -i ddagrab=output_idx=1:framerate=30:draw_mouse=1:offset_x=10:offset_y=20:video_size=640x480,' +
        'hwdownload,format=bgra',
    ],
    [
      'Windows by gdigrab',
      words({ system: 'win32', region }, old, false),
      '-f gdigrab -framerate 30 -draw_mouse 0 -offset_x 10 -offset_y 20 -video_size 640x480 -i desktop',
    ],
    [
      'a window of Windows',
      words({ system: 'win32', windowTitle: 'Untitled - Notepad' }),
      '-f gdigrab -framerate 30 -draw_mouse 1 -i title=Untitled - Notepad',
    ],
  ])('%s', (_, got, expected) => expect(got).toBe(expected));

  test('of macOS are cut where a part is shared', () => {
    const { filters } = screenInput({ system: 'darwin', frameRate: 30, cursor: true, region }, all);
    expect(filters).toEqual(['crop=640:480:10:20']);
  });

  test('that cannot be had are a sentence', () => {
    const none = { ...all, devices: new Set<string>() };
    expect(() => words({ system: 'x11', region }, none)).toThrow('built without x11grab');
    expect(() => words({ system: 'darwin' }, none)).toThrow('built without avfoundation');
    expect(() => words({ system: 'win32' }, { ...none, ddagrab: false })).toThrow('built without gdigrab');
    expect(() => words({ system: 'darwin', windowTitle: 'Safari' })).toThrow('single window');
    expect(() => words({ system: 'win32', monitor: 1 }, old)).toThrow('by their place');
  });
});

describe('devices', () => {
  const size = { width: 1280, height: 720, frameRate: 30 };
  test.each([
    [cameraDevice('x11'), '-f v4l2 -framerate 30 -video_size 1280x720 -i /dev/video0'],
    [cameraDevice('x11', '/dev/video2'), '-f v4l2 -framerate 30 -video_size 1280x720 -i /dev/video2'],
    [
      cameraDevice('darwin', 'FaceTime'),
      '-f avfoundation -framerate 30 -video_size 1280x720 -i FaceTime:none',
    ],
    [
      cameraDevice('win32', 'Integrated Camera'),
      '-f dshow -framerate 30 -video_size 1280x720 -i video=Integrated Camera',
    ],
    [cameraDevice('x11', 'lavfi:testsrc2'), '-re -f lavfi -i testsrc2'],
  ])('camera %o', (device, expected) => {
    expect(cameraInput(device, size, all).args.join(' ')).toBe(expected);
  });

  test.each([
    [soundDevice('x11', true), '-f pulse -fragment_size 1920 -i default'],
    [soundDevice('x11', false), '-f alsa -i default'],
    [soundDevice('x11', true, 'hw:1'), '-f alsa -i hw:1'],
    [soundDevice('x11', true, 'pulse:alsa_input.usb'), '-f pulse -fragment_size 1920 -i alsa_input.usb'],
    [soundDevice('darwin', false), '-f avfoundation -i :default'],
    [
      soundDevice('win32', false, 'Microphone (USB)'),
      '-f dshow -audio_buffer_size 20 -i audio=Microphone (USB)',
    ],
    [systemSound('x11', true), '-f pulse -fragment_size 1920 -i @DEFAULT_MONITOR@'],
    [systemSound('darwin', false, 'avfoundation:BlackHole 2ch'), '-f avfoundation -i :BlackHole 2ch'],
  ])('sound %o', (device, expected) => {
    expect(soundInput(device, all).args.join(' ')).toBe(expected);
  });

  test.each(['x11', 'darwin', 'win32'] as const)(
    'the sound of %s is not to be had without a device',
    (system) => {
      expect(() => systemSound(system, false)).toThrow(expect.objectContaining({ code: 'device-unusable' }));
    },
  );
});

test('input devices are read from what ffmpeg prints, of 2018 and now', () => {
  const rows = [
    'Devices:',
    ' D. = Demuxing supported',
    ' .E = Muxing supported',
    ' --',
    ' DE alsa            ALSA audio output',
    '  E caca            caca (color ASCII art) output device',
    ' D  lavfi           Libavfilter virtual input device',
    ' D d x11grab         X11 screen capture, using XCB',
    ' DE video4linux2,v4l2 Video4Linux2 output device',
  ];
  expect([...parseDevices(rows.join('\n'))].sort()).toEqual([
    'alsa',
    'lavfi',
    'v4l2',
    'video4linux2',
    'x11grab',
  ]);
});
