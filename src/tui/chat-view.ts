import { EventEmitter } from 'node:events';
import type { ChatSession } from './chat/session.ts';
import type { CompletionCycle } from './input/completion.ts';
import { complete } from './input/completion.ts';
import { type EditorState, EMPTY_EDITOR, edit, enter, insert } from './input/editor.ts';
import { type KeyMeaning, meaningOf, type PressedKey } from './input/keys.ts';
import { type Line, segment } from './layout/line.ts';
import { MessagePane } from './layout/message-pane.ts';
import { peopleLines } from './layout/people.ts';
import { type Composed, compose, divide, inputRows, type Regions, type Size } from './layout/screen.ts';
import { statsLines, statusLine, titleLine } from './layout/status.ts';
import { drawable, type EmojiSupport } from './text/emoji.ts';
import { clip } from './text/width.ts';
import type { VideoStage } from './video/stage.ts';

interface ChatViewEvents {
  change: [];
  /** The screen is to be drawn as if nothing were on it. */
  redraw: [];
  /** The user leaves: by a command or the end of the input, or by Ctrl-C. */
  leave: [how: 'quit' | 'interrupt'];
}

export interface ChatViewOptions {
  readonly session: ChatSession;
  readonly stage: VideoStage | undefined;
  readonly emoji: EmojiSupport;
}

/** So many of what Tab offers are shown. */
const MAX_CANDIDATES = 8;
/** A character that an escape sequence of the terminal may not bring in with a chunk of typed text. */
const CONTROL_KEYS: Readonly<Record<string, Partial<PressedKey>>> = {
  '\r': { return: true },
  '\t': { tab: true },
  '\b': { backspace: true },
  '\u007f': { backspace: true },
};

/** The chat's screen without a terminal: takes keys, and gives the lines to draw. */
export class ChatView extends EventEmitter<ChatViewEvents> {
  readonly #session: ChatSession;
  readonly #stage: VideoStage | undefined;
  readonly #emoji: EmojiSupport;
  readonly #pane: MessagePane;
  #editor: EditorState = EMPTY_EDITOR;
  #cycle: CompletionCycle | undefined;
  #peopleOffset = 0;
  #regions: Regions | undefined;

  constructor({ session, stage, emoji }: ChatViewOptions) {
    super();
    this.#session = session;
    this.#stage = stage;
    this.#emoji = emoji;
    this.#pane = new MessagePane(session.timeline);
    session.on('change', () => this.emit('change'));
    session.on('quit', () => this.emit('leave', 'quit'));
  }

  /** Where what was drawn last went. */
  get regions(): Regions | undefined {
    return this.#regions;
  }

  /** A key, or a chunk of text that was typed faster than it was read. */
  press(input: string, key: PressedKey): void {
    if (!hasControls(input) || key.return || key.tab || key.backspace || key.ctrl) {
      this.#do(meaningOf(input, key));
      return;
    }
    for (const part of input.match(/[\r\t\b\u007f]|[^\r\t\b\u007f]+/g) ?? [])
      this.#do(meaningOf(part, { ...key, ...CONTROL_KEYS[part] }));
  }

  /** Text that was pasted: its lines are one message. */
  paste(text: string): void {
    this.#type(insert(this.#editor, text));
  }

  /** The screen at that size. */
  draw(size: Size): Composed {
    const session = this.#session;
    const { client } = session;
    const input = inputRows(drawable(this.#editor.text, this.#emoji), this.#cursor(), size.columns);
    const pictures = (this.#stage?.tiles.length ?? 0) > 0;
    const regions = divide(size, input.rows.length, pictures);
    this.#regions = regions;
    const messages = this.#messageLines(regions);
    if (this.#pane.reachedTop) void session.loadOlder();
    return compose(size, regions, {
      title: titleLine(client.meeting, { emoji: this.#emoji, layout: this.#stage?.layout ?? 'off' }),
      messages,
      people: peopleLines(session.people, {
        columns: regions.peopleColumns,
        rows: regions.bodyRows,
        offset: this.#peopleOffset,
        emoji: this.#emoji,
      }),
      hint: this.#hint(size.columns),
      status: statusLine({
        recording: session.client.recording.state,
        meeting: client.meeting,
        figures: session.figures,
        unsent: client.chat.unsent,
        waiting: client.waiting,
        reconnecting: session.reconnecting,
        now: Date.now(),
        nowMs: performance.now(),
      }),
      input: input.rows,
      cursor: input.cursor,
    });
  }

  /** Where the cursor is in what is drawn of the text. */
  #cursor(): number {
    return drawable(this.#editor.text.slice(0, this.#editor.cursor), this.#emoji).length;
  }

  #messageLines({ messageColumns, bodyRows }: Regions): Line[] {
    const session = this.#session;
    const stats = session.showsStats
      ? statsLines(session.client.stats(), session.labels).slice(0, Math.floor(bodyRows / 2))
      : [];
    const view = {
      columns: messageColumns,
      selfId: session.client.self.id,
      selfLabel: session.selfLabel,
      emoji: this.#emoji,
      message: (id: string) => session.timeline.message(id),
    };
    return [...stats, ...this.#pane.lines(view, bodyRows - stats.length)];
  }

  #hint(columns: number): Line | undefined {
    const session = this.#session;
    if (this.#cycle !== undefined && this.#cycle.candidates.length > 1) return this.#candidates(columns);
    if (this.#pane.scrolled > 0)
      return [segment(` ${this.#pane.scrolled} lines below; PageDown goes there.`, 'warning')];
    if (session.progress !== undefined) return [segment(` ${session.progress}`, 'warning')];
    if (!session.isHost || session.guests.length === 0) return undefined;
    const [first, ...others] = session.guests;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return [
      segment(' ✋', 'warning'),
      segment(` ${drawable(first!.label, this.#emoji)}`, 'name'),
      segment(`${more} waits to be let in: Ctrl-G admits, /deny sends away.`, 'warning'),
    ];
  }

  #candidates(columns: number): Line {
    const { candidates, index } = this.#cycle!;
    const first = Math.max(0, Math.min(index - 2, candidates.length - MAX_CANDIDATES));
    const shown = candidates.slice(first, first + MAX_CANDIDATES);
    const line: Line = shown.map((candidate, at) =>
      segment(
        ` ${clip(drawable(candidate.trim(), this.#emoji), Math.floor(columns / 3))}`,
        at + first === index ? 'bold' : 'dim',
      ),
    );
    const left = candidates.length - first - shown.length;
    return left > 0 ? [...line, segment(` … ${left} more`, 'dim')] : line;
  }

  #do(meaning: KeyMeaning): void {
    switch (meaning.do) {
      case 'insert':
        this.#type(insert(this.#editor, meaning.text));
        break;
      case 'edit':
        this.#type(edit(this.#editor, meaning.action));
        break;
      case 'complete': {
        const completed = complete(this.#editor, this.#session.complete, this.#cycle, meaning.step);
        this.#editor = completed.editor;
        this.#cycle = completed.cycle;
        break;
      }
      case 'enter':
        this.#enter();
        break;
      case 'page':
        this.#pane.page(meaning.direction);
        break;
      case 'people':
        this.#peopleOffset = Math.max(0, this.#peopleOffset + meaning.direction * this.#peopleStep());
        break;
      case 'admit':
        void this.#session.admitNext();
        break;
      case 'redraw':
        this.emit('redraw');
        break;
      case 'interrupt':
        if (this.#editor.text === '') this.emit('leave', 'interrupt');
        else
          this.#type({
            ...EMPTY_EDITOR,
            history: this.#editor.history,
            historyAt: this.#editor.history.length,
          });
        break;
      case 'end-of-input':
        if (this.#editor.text === '') this.emit('leave', 'quit');
        else this.#type(edit(this.#editor, 'delete-after'));
        break;
      case 'nothing':
        break;
    }
    this.emit('change');
  }

  /** Half of what is shown, and no further than the last. */
  #peopleStep(): number {
    const rows = this.#regions?.bodyRows ?? 2;
    const last = Math.max(0, this.#session.people.length - (rows - 1));
    this.#peopleOffset = Math.min(this.#peopleOffset, last);
    return Math.max(1, Math.floor(rows / 2));
  }

  #type(editor: EditorState): void {
    this.#editor = editor;
    this.#cycle = undefined;
    this.emit('change');
  }

  #enter(): void {
    const { state, text } = enter(this.#editor);
    this.#pane.toEnd();
    this.#type(state);
    void this.#session.run(text);
  }
}

function hasControls(input: string): boolean {
  return input.length > 1 && /[\r\t\b\u007f]/.test(input);
}
