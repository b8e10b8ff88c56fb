/** What a terminal can do: asked of itself where it answers, else taken from its environment. */
import { EMOJI_SAMPLES, type EmojiSupport, NO_EMOJI_SEQUENCES } from '../text/emoji.ts';
import type { ColorDepth } from '../video/cells.ts';

export interface TerminalAbility {
  /** How pictures are drawn: `kitty` and `sixel` are pixels, `cells` are characters. */
  readonly graphics: 'kitty' | 'sixel' | 'cells';
  readonly colors: ColorDepth;
  /** Size of a character cell in pixels; `undefined` where the terminal does not say. */
  readonly cell: { readonly width: number; readonly height: number } | undefined;
  readonly emoji: EmojiSupport;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface ProbeStreams {
  readonly stdin: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  readonly stdout: NodeJS.WritableStream;
}

/** Every terminal answers the last question; an SSH connection around the world takes less than this for it. */
const PATIENCE_MS = 1_500;
const ESC = '\u001b';
const CURSOR_POSITION = `${ESC}[6n`;
/** Image 1 of one pixel, not to be kept. */
const KITTY_GRAPHICS = `${ESC}_Gi=1,s=1,v=1,a=q,t=d,f=24;AAAA${ESC}\\`;
const CELL_SIZE = `${ESC}[16t`;
const DEVICE_ATTRIBUTES = `${ESC}[c`;
const ERASE_LINE = `\r${ESC}[2K`;
const SAMPLE_NAMES = Object.keys(EMOJI_SAMPLES) as (keyof EmojiSupport)[];

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: answers of a terminal are escape sequences
const CURSOR_REPORT = /\u001b\[\d+;(\d+)R/g;
const KITTY_REPLY = /\u001b_Gi=1;([^\u001b]*)\u001b\\/;
const CELL_REPLY = /\u001b\[6;(\d+);(\d+)t/;
const ATTRIBUTES_REPLY = /\u001b\[\?([\d;]*)c/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: answers of a terminal are escape sequences

/**
 * Asks the terminal; what was typed meanwhile is put back to be read. Where it does not answer, the least is assumed.
 */
export async function askTerminal(streams: ProbeStreams, env: Environment): Promise<TerminalAbility> {
  const questions = SAMPLE_NAMES.map((name) => `${ERASE_LINE}${EMOJI_SAMPLES[name]}${CURSOR_POSITION}`);
  const answer = await ask(
    streams,
    `${questions.join('')}${ERASE_LINE}${KITTY_GRAPHICS}${CELL_SIZE}${DEVICE_ATTRIBUTES}`,
  );
  return readAnswer(answer, env);
}

/** @internal What the terminal's answer says. */
export function readAnswer(answer: string, env: Environment): TerminalAbility {
  const columns = Array.from(answer.matchAll(CURSOR_REPORT), ([, column]) => Number(column));
  const emoji = Object.fromEntries(SAMPLE_NAMES.map((name, index) => [name, columns[index] === 3]));
  const [, height = 0, width = 0] = (CELL_REPLY.exec(answer) ?? []).map(Number);
  const cell = width > 0 && height > 0 ? { width, height } : undefined;
  const attributes = ATTRIBUTES_REPLY.exec(answer)?.[1]?.split(';') ?? [];
  const colors = colorDepth(env);
  const graphics =
    colors === 'none'
      ? 'cells'
      : KITTY_REPLY.exec(answer)?.[1] === 'OK'
        ? 'kitty'
        : attributes.includes('4') && cell
          ? 'sixel'
          : 'cells';
  return { graphics, colors, cell, emoji: { ...NO_EMOJI_SEQUENCES, ...emoji } };
}

function colorDepth({ NO_COLOR, COLORTERM = '', TERM = '' }: Environment): ColorDepth {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return 'none';
  if (/^(truecolor|24bit)$/i.test(COLORTERM) || /-direct$|kitty|ghostty|alacritty|foot|wezterm/.test(TERM))
    return 'true-color';
  return /256color|^(tmux|screen|xterm)/.test(TERM) ? '256' : 'none';
}

function ask({ stdin, stdout }: ProbeStreams, questions: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  const onData = (data: Buffer | string) => {
    answer += data.toString();
    if (ATTRIBUTES_REPLY.test(answer)) end();
  };
  const end = () => {
    clearTimeout(timer);
    stdin.off('data', onData);
    stdin.pause();
    stdin.setRawMode?.(false);
    stdout.write(ERASE_LINE);
    const typed = [KITTY_REPLY, CELL_REPLY, ATTRIBUTES_REPLY, CURSOR_REPORT].reduce(
      (rest, reply) => rest.replace(reply, ''),
      answer,
    );
    if (typed !== '') stdin.unshift(Buffer.from(typed));
    resolve(answer);
  };
  const timer = setTimeout(end, PATIENCE_MS);
  stdin.setRawMode?.(true);
  stdin.on('data', onData);
  stdout.write(questions);
  return promise;
}
