/**
 * How ffmpeg opens the screens, cameras and sound devices of each system: the one table of it, as documented in
 * ffmpeg-devices(1) and, for ddagrab, ffmpeg-filters(1). Nothing here looks at the machine.
 */
import { MeetError } from '../../protocol/errors.ts';
import type { PixelFormat, Size } from './pixels.ts';
import type { Region } from './target.ts';

export type System = 'x11' | 'darwin' | 'win32';

/** What the ffmpeg at hand can open. */
export interface CaptureAbilities {
  /** Names of its input devices, such as `x11grab`. */
  readonly devices: ReadonlySet<string>;
  /** `x11grab` takes `-window_id`, which came with 4.4. */
  readonly windowId: boolean;
  /** It has the source `ddagrab`, which came with 6.0. */
  readonly ddagrab: boolean;
}

/** An input of ffmpeg: arguments up to and with its `-i`, and what has to be done to its pictures. */
export interface CaptureInput {
  readonly args: readonly string[];
  /** Filters before everything else. */
  readonly filters: readonly string[];
  /** Pixels that cost least to take. */
  readonly format: PixelFormat;
}

export interface ScreenRequest {
  readonly system: System;
  readonly frameRate: number;
  readonly cursor: boolean;
  /** X11: the display. */
  readonly display?: string;
  /** X11: the window, where `-window_id` is there. */
  readonly windowId?: number;
  /** Windows: the window's whole title. */
  readonly windowTitle?: string;
  /** Windows and macOS: number of the screen, from 0. */
  readonly monitor?: number;
  /** X11 needs one: the whole screen, where nothing less is meant. Of the window, where there is one. */
  readonly region?: Region;
}

/**
 * Opens a screen, a part of it or a window.
 *
 * @throws MeetError `ffmpeg-missing` when this ffmpeg cannot, `bad-config` for what the system does not have
 */
export function screenInput(request: ScreenRequest, abilities: CaptureAbilities): CaptureInput {
  return SCREENS[request.system](request, abilities);
}

const SCREENS: Readonly<
  Record<System, (request: ScreenRequest, abilities: CaptureAbilities) => CaptureInput>
> = {
  x11: ({ frameRate, cursor, display, windowId, region }, abilities) => {
    needDevice(abilities, 'x11grab', 'X11 screens');
    if (region === undefined) throw new MeetError('internal', 'An X11 screen is shared without its size.');
    const { width, height, x, y } = region;
    return {
      args: [
        ...['-f', 'x11grab', '-framerate', String(frameRate), '-draw_mouse', cursor ? '1' : '0'],
        ...(windowId === undefined ? [] : ['-window_id', String(windowId)]),
        ...['-video_size', `${width}x${height}`, '-i', `${display ?? ':0'}+${x},${y}`],
      ],
      filters: [],
      format: 'bgr0',
    };
  },
  darwin: ({ frameRate, cursor, monitor = 0, windowTitle, region }, abilities) => {
    needDevice(abilities, 'avfoundation', 'the screens of macOS');
    if (windowTitle !== undefined) {
      throw new MeetError('bad-config', 'A single window cannot be shared on macOS.', {
        hint: 'Share its place with --region WxH+X+Y, or a screen with --monitor N.',
      });
    }
    return {
      args: [
        ...['-f', 'avfoundation', '-framerate', String(frameRate), '-pixel_format', 'bgr0'],
        ...['-capture_cursor', cursor ? '1' : '0', '-i', `Capture screen ${monitor}:none`],
      ],
      filters: region === undefined ? [] : [crop(region)],
      format: 'bgr0',
    };
  },
  win32: (request, abilities) => {
    const { frameRate, cursor, windowTitle, monitor, region } = request;
    const pointer = cursor ? '1' : '0';
    if (abilities.ddagrab && windowTitle === undefined) {
      const place =
        region === undefined
          ? ''
          : `:offset_x=${region.x}:offset_y=${region.y}:video_size=${region.width}x${region.height}`;
      const source = `ddagrab=output_idx=${monitor ?? 0}:framerate=${frameRate}:draw_mouse=${pointer}${place}`;
      return {
        args: ['-f', 'lavfi', '-i', `${source},hwdownload,format=bgra`],
        filters: [],
        format: 'bgr0',
      };
    }
    needDevice(abilities, 'gdigrab', 'the screens of Windows');
    if (monitor !== undefined && monitor > 0) {
      throw new MeetError(
        'bad-config',
        'This ffmpeg shares single monitors of Windows only by their place.',
        {
          hint: 'Give the place of the monitor with --region WxH+X+Y, or use ffmpeg 6 or newer.',
        },
      );
    }
    const place =
      region === undefined
        ? []
        : [
            ...['-offset_x', String(region.x), '-offset_y', String(region.y)],
            ...['-video_size', `${region.width}x${region.height}`],
          ];
    return {
      args: [
        ...['-f', 'gdigrab', '-framerate', String(frameRate), '-draw_mouse', pointer, ...place],
        ...['-i', windowTitle === undefined ? 'desktop' : `title=${windowTitle}`],
      ],
      filters: [],
      format: 'bgr0',
    };
  },
};

/** Formats that a device may be given in, before a colon: `v4l2:/dev/video0`. */
const CAMERA_FORMATS = ['v4l2', 'avfoundation', 'dshow', 'lavfi'] as const;
const SOUND_FORMATS = ['pulse', 'alsa', 'avfoundation', 'dshow', 'lavfi'] as const;
export type CameraFormat = (typeof CAMERA_FORMATS)[number];
export type SoundFormat = (typeof SOUND_FORMATS)[number];

/** A device as ffmpeg names it. */
export interface DeviceName<F extends string = string> {
  readonly format: F;
  readonly name: string;
}

const CAMERA_DEFAULT: Readonly<Record<System, DeviceName<CameraFormat>>> = {
  x11: { format: 'v4l2', name: '/dev/video0' },
  darwin: { format: 'avfoundation', name: 'default' },
  win32: { format: 'dshow', name: 'default' },
};

/** The camera that a user means by `v4l2:/dev/video0`, `/dev/video0`, or nothing. */
export function cameraDevice(system: System, id?: string): DeviceName<CameraFormat> {
  return deviceOf(CAMERA_FORMATS, CAMERA_DEFAULT[system], id);
}

/**
 * The microphone that a user means by `pulse:NAME`, `alsa:hw:1`, `hw:1`, or nothing. On Linux the sound server is asked
 * where it is there: it mixes, so that the device is free for others, too.
 */
export function soundDevice(system: System, soundServer: boolean, id?: string): DeviceName<SoundFormat> {
  const fallback: Readonly<Record<System, DeviceName<SoundFormat>>> = {
    x11: { format: soundServer && id === undefined ? 'pulse' : 'alsa', name: 'default' },
    darwin: { format: 'avfoundation', name: 'default' },
    win32: { format: 'dshow', name: 'default' },
  };
  return deviceOf(SOUND_FORMATS, fallback[system], id);
}

function deviceOf<F extends string>(
  formats: readonly F[],
  fallback: DeviceName<F>,
  id: string | undefined,
): DeviceName<F> {
  if (id === undefined) return fallback;
  const format = formats.find((candidate) => id.startsWith(`${candidate}:`));
  if (format === undefined) return { format: fallback.format, name: id };
  return { format, name: id.slice(format.length + 1) };
}

/** Opens a camera at about this size and rate; it gives what it has that is nearest. */
export function cameraInput(
  { format, name }: DeviceName<CameraFormat>,
  { width, height, frameRate }: Size & { readonly frameRate: number },
  abilities: CaptureAbilities,
): CaptureInput {
  needDevice(abilities, format, 'cameras of this kind');
  const wanted = ['-framerate', String(frameRate), '-video_size', `${width}x${height}`];
  const args: Readonly<Record<CameraFormat, readonly string[]>> = {
    v4l2: ['-f', 'v4l2', ...wanted, '-i', name],
    avfoundation: ['-f', 'avfoundation', ...wanted, '-i', `${name}:none`],
    dshow: ['-f', 'dshow', ...wanted, '-i', `video=${name}`],
    // Not a device, and as fast as it is read unless it is told the time.
    lavfi: ['-re', '-f', 'lavfi', '-i', name],
  };
  return { args: args[format], filters: [], format: 'yuv420p' };
}

/** Opens a microphone. */
export function soundInput(
  { format, name }: DeviceName<SoundFormat>,
  abilities: CaptureAbilities,
): CaptureInput {
  needDevice(abilities, format, 'sound devices of this kind');
  const args: Readonly<Record<SoundFormat, readonly string[]>> = {
    // Without it a quarter of a second is read at once.
    pulse: ['-f', 'pulse', '-fragment_size', '1920', '-i', name],
    alsa: ['-f', 'alsa', '-i', name],
    avfoundation: ['-f', 'avfoundation', '-i', `:${name}`],
    dshow: ['-f', 'dshow', '-audio_buffer_size', '20', '-i', `audio=${name}`],
    lavfi: ['-re', '-f', 'lavfi', '-i', name],
  };
  return { args: args[format], filters: [], format: 'yuv420p' };
}

/**
 * The device that hears what the machine plays.
 *
 * @throws MeetError `device-unusable` where the system has none
 */
export function systemSound(system: System, soundServer: boolean, id?: string): DeviceName<SoundFormat> {
  if (id !== undefined) return soundDevice(system, soundServer, id);
  if (system === 'x11' && soundServer) return { format: 'pulse', name: '@DEFAULT_MONITOR@' };
  throw new MeetError('device-unusable', NO_SYSTEM_SOUND[system].message, {
    hint: NO_SYSTEM_SOUND[system].hint,
  });
}

const NO_SYSTEM_SOUND: Readonly<Record<System, { readonly message: string; readonly hint: string }>> = {
  x11: {
    message: 'The sound of the machine can be shared only where PulseAudio or PipeWire plays it.',
    hint: 'Start one of them, or give a sound device with --audio alsa:NAME (snd-aloop makes one).',
  },
  darwin: {
    message: 'macOS has no device that hears what the machine plays.',
    hint: 'Install one, such as BlackHole, and give it with --audio "avfoundation:BlackHole 2ch".',
  },
  win32: {
    message: 'No device that hears what the machine plays was named.',
    hint: 'Give one with --audio "dshow:Stereo Mix (…)"; meet devices lists what there is.',
  },
};

function crop({ width, height, x, y }: Region): string {
  return `crop=${width}:${height}:${x}:${y}`;
}

function needDevice({ devices }: CaptureAbilities, name: string, what: string): void {
  if (devices.has(name)) return;
  throw new MeetError('ffmpeg-missing', `This ffmpeg cannot capture ${what}: it was built without ${name}.`, {
    hint: 'Install the system’s own ffmpeg, or set MEET_FFMPEG to one that can; `meet doctor` shows which is used.',
  });
}
