import { harmless } from '../client/chat/text.ts';
import type { MeetError } from '../protocol/errors.ts';
import type { CliContext, OutputOptions } from './context.ts';

/** Writes a command's results: NDJSON on stdout with `--json`, else sentences; never anything else on stdout. */
export class Output {
  readonly #context: CliContext;
  readonly json: boolean;
  readonly quiet: boolean;

  constructor(context: CliContext, options: OutputOptions) {
    this.#context = context;
    this.json = options.json === true;
    this.quiet = options.quiet === true;
  }

  /** A colour or a live redraw makes sense: a person looks at stdout. */
  get interactive(): boolean {
    const { env, stdout } = this.#context;
    return !this.json && !this.quiet && stdout.isTTY === true && env.TERM !== 'dumb';
  }

  get color(): boolean {
    const { NO_COLOR } = this.#context.env;
    return this.interactive && (NO_COLOR === undefined || NO_COLOR === '');
  }

  /** One object of the documented events; nothing without `--json`. */
  event(event: string, data: Readonly<Record<string, unknown>> = {}): void {
    if (!this.json) return;
    this.#context.stdout.write(`${JSON.stringify({ event, at: Date.now(), ...data })}\n`);
  }

  /** The result itself as one JSON object, for commands that answer once. */
  result(data: unknown, text: string): void {
    this.#context.stdout.write(this.json ? `${JSON.stringify(data)}\n` : `${text}\n`);
  }

  /** What has been done: an object with `--json`, nothing with `--quiet`. */
  outcome(data: unknown, text: string): void {
    if (this.json || !this.quiet) this.result(data, text);
  }

  /** A line for people; not with `--json` or `--quiet`. */
  line(text: string): void {
    if (!this.json && !this.quiet) this.#context.stdout.write(`${text}\n`);
  }

  /** A remark for people, on stderr; not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#context.stderr.write(`${text}\n`);
  }

  /** What went wrong and what to do next, on stderr, whatever the options. */
  error(error: MeetError): void {
    if (this.json) {
      const { code, message, hint } = error;
      this.#context.stderr.write(
        `${JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } })}\n`,
      );
      return;
    }
    this.#context.stderr.write(
      `meet: ${harmless(error.message)}${error.hint ? `\n      ${harmless(error.hint)}` : ''}\n`,
    );
  }
}
