import {
  Box,
  type Instance,
  render,
  Text,
  type TextProps,
  useCursor,
  useInput,
  usePaste,
  useWindowSize,
} from 'ink';
import { memo, useEffect, useReducer } from 'react';
import type { ChatSession } from './chat/session.ts';
import { ChatView } from './chat-view.ts';
import type { Line, Style } from './layout/line.ts';
import { mentions } from './layout/messages.ts';
import type { TerminalAbility } from './terminal/ability.ts';
import { VideoScreen } from './video/screen.ts';
import { STAGE_FPS, type VideoStage } from './video/stage.ts';

export interface ChatScreenOptions {
  readonly session: ChatSession;
  readonly stage: VideoStage | undefined;
  readonly ability: TerminalAbility;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WriteStream;
}

export interface ChatScreen {
  /** How the user left; never settles when the meeting ended by itself. */
  readonly left: Promise<'quit' | 'interrupt'>;
  /** Pictures drawn so far. */
  readonly pictures: number;
  /** Gives the terminal back as it was. */
  close(): Promise<void>;
}

/** Changes are drawn together within this time, milliseconds. */
const GATHER_MS = 40;
/** Meters move so often while somebody is heard, milliseconds. */
const METER_MS = 150;
const MAX_FPS = 25;
const BELL = '\u0007';
const CLEAR = '\u001b[2J';

const COLORS: Readonly<Record<Style, TextProps>> = {
  dim: { dimColor: true },
  bold: { bold: true },
  name: { color: 'cyan' },
  'own-name': { color: 'blue', bold: true },
  mention: { color: 'yellow', bold: true },
  private: { color: 'magenta' },
  good: { color: 'green' },
  warning: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  live: { color: 'green', bold: true },
  bar: { dimColor: true },
};
const NO_COLORS: Partial<Record<Style, TextProps>> = {
  bold: { bold: true },
  mention: { bold: true },
  live: { bold: true },
  bad: { bold: true },
};

interface RowProps {
  readonly line: Line;
  readonly colors: Partial<Record<Style, TextProps>>;
}

/** Most lines are the same from one drawing to the next. */
const Row = memo(function Row({ line, colors }: RowProps) {
  return (
    <Text wrap="truncate">
      {line.map(({ text, style }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line have no other name than their place
        <Text key={index} {...(style && colors[style])}>
          {text}
        </Text>
      ))}
    </Text>
  );
}, sameRow);

function sameRow(before: RowProps, now: RowProps): boolean {
  return (
    before.colors === now.colors &&
    before.line.length === now.line.length &&
    before.line.every(
      ({ text, style }, index) => text === now.line[index]!.text && style === now.line[index]!.style,
    )
  );
}

interface ChatProps {
  readonly view: ChatView;
  readonly session: ChatSession;
  readonly colors: Partial<Record<Style, TextProps>>;
  /** Called with each layout before it is drawn. */
  readonly onLayout: () => void;
}

function Chat({ view, session, colors, onLayout }: ChatProps) {
  const [, changed] = useReducer((count: number) => count + 1, 0);
  const { setCursorPosition } = useCursor();
  const size = useWindowSize();
  useEffect(() => {
    let timer: NodeJS.Timeout | undefined;
    const gather = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        changed();
      }, GATHER_MS);
    };
    view.on('change', gather);
    view.on('redraw', changed);
    const meters = setInterval(() => {
      if (session.levels.active(performance.now())) gather();
    }, METER_MS);
    return () => {
      view.off('change', gather);
      view.off('redraw', changed);
      clearInterval(meters);
      clearTimeout(timer);
    };
  }, [view, session]);
  useInput((input, key) => view.press(input, key));
  usePaste((text) => view.paste(text));
  const { lines, cursor } = view.draw(size);
  onLayout();
  setCursorPosition(cursor);
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows of the screen have no other name than their place
        <Row key={row} line={line} colors={colors} />
      ))}
    </Box>
  );
}

/** Takes the terminal for the meeting until closed. Ctrl-C is the view's business. */
export function showChat(options: ChatScreenOptions): ChatScreen {
  const { session, stage, ability, stdin, stdout } = options;
  const view = new ChatView({ session, stage, emoji: ability.emoji });
  const video = stage && new VideoStageScreen(stage, new VideoScreen(stdout, ability));
  const left = Promise.withResolvers<'quit' | 'interrupt'>();
  view.on('leave', left.resolve);
  session.on('message', (message) => {
    const forMe = message.recipientId !== null || mentions(message.content, session.selfLabel);
    if (forMe && message.senderId !== session.client.self.id) stdout.write(BELL);
  });
  const onResize = () => video?.hold(app);
  // Before Ink's own listener, which draws at once.
  stdout.on('resize', onResize);
  const app = render(
    <Chat
      view={view}
      session={session}
      colors={ability.colors === 'none' ? NO_COLORS : COLORS}
      onLayout={() => video?.setArea(view.regions?.video, () => app)}
    />,
    {
      stdin,
      stdout,
      exitOnCtrlC: false,
      patchConsole: false,
      alternateScreen: true,
      incrementalRendering: true,
      interactive: true,
      maxFps: MAX_FPS,
    },
  );
  view.on('redraw', () => {
    stdout.write(CLEAR);
    app.clear();
    video?.hold(app);
  });
  return {
    left: left.promise,
    get pictures() {
      return video?.pictures ?? 0;
    },
    close: async () => {
      stdout.off('resize', onResize);
      video?.stop();
      app.unmount();
      await app.waitUntilExit();
    },
  };
}

/** Draws a stage's pictures between what Ink draws: never while it is about to write to their place. */
class VideoStageScreen {
  readonly #stage: VideoStage;
  readonly #screen: VideoScreen;
  readonly #timer: NodeJS.Timeout;
  #area = '';
  #held = 0;
  pictures = 0;

  constructor(stage: VideoStage, screen: VideoScreen) {
    this.#stage = stage;
    this.#screen = screen;
    this.#timer = setInterval(() => this.#draw(), 1000 / STAGE_FPS);
  }

  setArea(area: Parameters<VideoScreen['setArea']>[0], app: () => Instance): void {
    const key = JSON.stringify(area) ?? '';
    if (key === this.#area) return;
    this.#area = key;
    this.#screen.setArea(area);
    // The first layout is drawn before there is an instance to wait for.
    this.#held += 1;
    setImmediate(() => void this.#release(app()));
  }

  /** Draws nothing until Ink has written, and then everything. */
  hold(app: Instance): void {
    this.#held += 1;
    void this.#release(app);
  }

  async #release(app: Instance): Promise<void> {
    await app.waitUntilRenderFlush();
    this.#held -= 1;
    this.#screen.invalidate();
  }

  #draw(): void {
    if (this.#held === 0) this.pictures += this.#screen.draw(this.#stage.tiles);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#held = Number.POSITIVE_INFINITY;
    this.#screen.close();
  }
}
