/** What there is to send: cameras, microphones, what plays, screens and windows, each with how to name it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { captureAbilities } from '../capture/abilities.ts';
import type { CaptureAbilities, System } from '../capture/arguments.ts';
import { systemOf } from '../capture/system.ts';
import type { Region } from '../capture/target.ts';
import { X11Connection } from '../capture/x11/connection.ts';
import { listMonitors, listWindows } from '../capture/x11/requests.ts';
import { type Ffmpeg, findFfmpeg } from '../ffmpeg/locate.ts';
import { capture } from '../ffmpeg/process.ts';
import {
  type NamedDevice,
  parseAlsaDevices,
  parseAvfoundation,
  parseDshow,
  parsePulseSources,
} from './parse.ts';
import { hasSoundServer } from './sound-server.ts';

const ANSWER_TIMEOUT_MS = 15_000;

/** Something that can be sent. */
export interface Device {
  readonly name: string;
  /** The option that uses it, as words of a command line. */
  readonly option: readonly string[];
  readonly place?: Region;
}

export interface Devices {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  /** What the machine plays. */
  readonly sounds: readonly Device[];
  readonly screens: readonly Device[];
  readonly windows: readonly Device[];
  /** What could not be looked for, as sentences. */
  readonly remarks: readonly string[];
}

export interface ListDevicesOptions {
  readonly display?: string;
  readonly xauthority?: string;
  /** A Wayland compositor runs. */
  readonly wayland?: boolean;
  readonly ffmpegPath?: string;
}

/** Looks for everything that can be sent. What cannot be looked for is said in `remarks`. @throws MeetError `ffmpeg-missing` */
export async function listDevices(options: ListDevicesOptions): Promise<Devices> {
  const { ffmpegPath } = options;
  const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
  const abilities = await captureAbilities(ffmpeg);
  const remarks: string[] = [];
  const system = systemOf(process.platform);
  const [media, shown] = await Promise.all([
    listMedia(system, ffmpeg, abilities, remarks),
    system === 'x11' ? listX11(options, remarks) : listNativeScreens(system, ffmpeg),
  ]);
  return { ...media, ...shown, remarks };
}

type Media = Pick<Devices, 'cameras' | 'microphones' | 'sounds'>;
type Shown = Pick<Devices, 'screens' | 'windows'>;

async function listMedia(
  system: System,
  ffmpeg: Ffmpeg,
  abilities: CaptureAbilities,
  remarks: string[],
): Promise<Media> {
  if (system === 'darwin') {
    const { video, audio } = parseAvfoundation(await ask(ffmpeg, 'avfoundation', ''));
    return {
      cameras: video
        .filter(({ screen }) => !screen)
        .map((device) => used('--camera', 'avfoundation', device)),
      microphones: audio.map((device) => used('--mic', 'avfoundation', device)),
      sounds: [],
    };
  }
  if (system === 'win32') {
    const { video, audio } = parseDshow(await ask(ffmpeg, 'dshow', 'dummy'));
    return {
      cameras: video.map((device) => used('--camera', 'dshow', device)),
      microphones: audio.map((device) => used('--mic', 'dshow', device)),
      sounds: audio
        .filter(({ name }) => /mix|loopback|what u hear/i.test(name))
        .map((device) => used('--audio', 'dshow', device)),
    };
  }
  const pulse = await listPulse(ffmpeg, abilities, remarks);
  const alsa = parseAlsaDevices(await readFile('/proc/asound/pcm', 'utf8').catch(() => ''));
  return {
    cameras: (await listV4l2('/sys/class/video4linux')).map((device) => used('--camera', 'v4l2', device)),
    microphones: [
      ...pulse.filter(({ monitor }) => !monitor).map((device) => used('--mic', 'pulse', device)),
      ...alsa.map((device) => used('--mic', 'alsa', device)),
    ],
    sounds: pulse.filter(({ monitor }) => monitor).map((device) => used('--audio', 'pulse', device)),
  };
}

const used = (option: string, format: string, { id, name }: NamedDevice): Device => ({
  name,
  option: [option, `${format}:${id}`],
});

async function listPulse(ffmpeg: Ffmpeg, { devices }: CaptureAbilities, remarks: string[]) {
  if (!hasSoundServer()) return [];
  if (!devices.has('pulse')) {
    remarks.push(
      'A sound server runs, but this ffmpeg was built without pulse; `meet doctor` shows which is used.',
    );
    return [];
  }
  const { stdout, stderr } = await capture(ffmpeg.path, ['-hide_banner', '-sources', 'pulse'], {
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  return parsePulseSources(`${stdout}\n${stderr}`);
}

/** ffmpeg lists the devices of these systems on stderr, and then fails as it is given none. */
async function ask(ffmpeg: Ffmpeg, format: string, input: string): Promise<string> {
  const args = ['-nostdin', '-hide_banner', '-f', format, '-list_devices', 'true', '-i', input];
  return (await capture(ffmpeg.path, args, { timeoutMs: ANSWER_TIMEOUT_MS })).stderr;
}

/** Cameras as the kernel names them; a camera has further nodes for metadata, with other indices. */
export async function listV4l2(folder: string): Promise<NamedDevice[]> {
  const nodes = await readdir(folder).catch(() => []);
  const cameras = await Promise.all(
    nodes.sort().map(async (node) => {
      const read = (file: string) => readFile(join(folder, node, file), 'utf8').then((text) => text.trim());
      try {
        if ((await read('index').catch(() => '0')) !== '0') return [];
        return [{ id: `/dev/${node}`, name: await read('name') }];
      } catch {
        return [];
      }
    }),
  );
  return cameras.flat();
}

async function listX11(
  { display, xauthority, wayland }: ListDevicesOptions,
  remarks: string[],
): Promise<Shown> {
  if (wayland) {
    remarks.push(
      'The desktop is Wayland’s: meet share asks it what to share, and X11 windows alone are listed here.',
    );
  }
  if (display === undefined) {
    if (!wayland) remarks.push('No display: DISPLAY is not set. `meet devices --display :0` looks at one.');
    return { screens: [], windows: [] };
  }
  try {
    const connection = await X11Connection.open(display, xauthority);
    try {
      const { width, height } = connection.root;
      const monitors = await listMonitors(connection);
      const windows = await listWindows(connection);
      const screen = ['--display', display];
      return {
        screens: [
          { name: `display ${display}`, option: screen, place: { x: 0, y: 0, width, height } },
          ...monitors.map(({ name, x, y, width, height }, number) => ({
            name: `monitor ${name}`,
            option: [...screen, '--monitor', String(number)],
            place: { x, y, width, height },
          })),
        ],
        windows: windows.map(({ id, title, x, y, width, height }) => ({
          name: title,
          option: [...screen, '--window', `0x${id.toString(16)}`],
          place: { x, y, width, height },
        })),
      };
    } finally {
      connection.close();
    }
  } catch (error) {
    remarks.push(error instanceof Error ? error.message : String(error));
    return { screens: [], windows: [] };
  }
}

async function listNativeScreens(system: System, ffmpeg: Ffmpeg): Promise<Shown> {
  if (system === 'win32') return { screens: [{ name: 'desktop', option: [] }], windows: [] };
  const { video } = parseAvfoundation(await ask(ffmpeg, 'avfoundation', ''));
  const screens = video.filter(({ screen }) => screen);
  return {
    screens: screens.map(({ name }, number) => ({ name, option: ['--monitor', String(number)] })),
    windows: [],
  };
}
