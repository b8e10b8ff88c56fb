/** Sound devices without hardware: ALSA's own plugins that read and write files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const RATE = 48_000;
const HZ = 440;
const SECONDS = 60;
const AMPLITUDE = 8_192;

/**
 * Makes a microphone of that name that hears a tone of 440 Hz; gives the path for `ALSA_CONFIG_PATH`. The device
 * runs as fast as it is read.
 */
export async function alsaMicrophone(folder: string, name: string): Promise<string> {
  const sound = Buffer.alloc(RATE * SECONDS * 2);
  for (let i = 0; i < RATE * SECONDS; i += 1)
    sound.writeInt16LE(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * HZ * i) / RATE)), i * 2);
  const infile = join(folder, `${name}.raw`);
  await writeFile(infile, sound);
  const config = join(folder, 'asound.conf');
  await writeFile(
    config,
    `pcm.${name} {
  type file
  file /dev/null
  infile ${infile}
  format raw
  slave.pcm { type null }
}
`,
  );
  return config;
}
