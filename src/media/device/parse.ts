/** Reads what programs and the kernel print of devices. */

export interface NamedDevice {
  /** What ffmpeg takes. */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/**
 * Devices that record, out of `/proc/asound/pcm`: `00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1`. ALSA's
 * `plughw` converts what the hardware gives to what is asked for.
 */
export function parseAlsaDevices(text: string): NamedDevice[] {
  const rows = text.matchAll(/^(\d+)-(\d+): ([^:]*?) *:.*\bcapture \d/gm);
  return Array.from(rows, ([, card, device, name]) => ({
    id: `plughw:${Number(card)},${Number(device)}`,
    name: name!.trim(),
  }));
}

/**
 * What `ffmpeg -sources pulse` lists: ` * alsa_input.pci-0000_00 [Built-in Audio] (audio)`. Monitors hear what an output
 * plays.
 */
export function parsePulseSources(text: string): (NamedDevice & { readonly monitor: boolean })[] {
  const rows = text.matchAll(/^ [ *] (\S+) \[(.*?)\](?: \(.*\))?$/gm);
  return Array.from(rows, ([, id, name]) => ({ id: id!, name: name!, monitor: id!.endsWith('.monitor') }));
}

/** What ffmpeg lists for avfoundation: a heading for video and one for audio, and `[0] FaceTime HD Camera` below. */
export function parseAvfoundation(text: string): {
  video: (NamedDevice & { readonly screen: boolean })[];
  audio: NamedDevice[];
} {
  const [, video = '', audio = ''] = /video devices:([\s\S]*?)(?:audio devices:([\s\S]*))?$/.exec(text) ?? [];
  const devices = (part: string) =>
    Array.from(part.matchAll(/\[(\d+)\] (.+)$/gm), ([, number, name]) => ({
      id: number!,
      name: name!.trim(),
    }));
  return {
    video: devices(video).map((device) => ({ ...device, screen: device.name.startsWith('Capture screen') })),
    audio: devices(audio),
  };
}

/**
 * What ffmpeg lists for dshow: `"Integrated Camera" (video)`; before 5.0 the kind was a heading. Alternative names, which
 * begin with @, are left out.
 */
export function parseDshow(text: string): { video: NamedDevice[]; audio: NamedDevice[] } {
  const found = { video: [] as NamedDevice[], audio: [] as NamedDevice[] };
  let heading: 'video' | 'audio' = 'video';
  for (const line of text.split(/\r?\n/)) {
    if (/DirectShow audio devices/i.test(line)) heading = 'audio';
    if (/DirectShow video devices/i.test(line)) heading = 'video';
    const [, name, kind] = /^[^"]*"([^"@][^"]*)"(?: \((video|audio)\))?/.exec(line) ?? [];
    if (name === undefined || /alternative name/i.test(line)) continue;
    found[kind === 'video' || kind === 'audio' ? kind : heading].push({ id: name, name });
  }
  return found;
}
