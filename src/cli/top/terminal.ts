/** terminal: the whole terminal for a view that is redrawn in place, given back on every way out. */
import type { Readable, Writable } from 'node:stream';
import type { CliIo } from '../io.js';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
/** Ctrl-C is no signal while the terminal is ours. */
const QUIT = ['q', 'Q', '\x03'];

type TerminalInput = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
type TerminalOutput = Writable & { readonly columns?: number; readonly rows?: number };

export class Terminal {
  readonly #stdin: TerminalInput;
  readonly #stdout: TerminalOutput;
  readonly #signal: AbortSignal;
  readonly #onQuit: () => void;
  readonly #onResize: () => void;
  #isOurs = false;

  /** `onQuit` for q and Ctrl-C; `onResize` when the terminal has got another size. */
  constructor(io: CliIo, onQuit: () => void, onResize: () => void) {
    this.#stdin = io.stdin;
    this.#stdout = io.stdout;
    this.#signal = io.signal;
    this.#onQuit = onQuit;
    this.#onResize = onResize;
  }

  get columns(): number {
    return this.#stdout.columns || 80; // some terminals say 0
  }

  enter(): void {
    this.#isOurs = true;
    this.#stdout.write(ENTER);
    this.#stdout.on('resize', this.#onResize);
    if (this.#stdin.isTTY === true) {
      this.#stdin.setRawMode?.(true);
      this.#stdin.on('data', this.#keys);
      this.#stdin.resume();
    }
    // At once: a look that is under way may take seconds, and a second signal ends the process.
    this.#signal.addEventListener('abort', this.leave, { once: true });
    process.once('exit', this.leave);
  }

  /** Shows these lines, as many as there is room for. */
  draw(lines: readonly string[]): void {
    if (!this.#isOurs) return;
    const shown = lines.slice(0, this.#stdout.rows || lines.length);
    this.#stdout.write(`\x1b[H${shown.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
  }

  /** May be called more than once. */
  readonly leave = (): void => {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    this.#stdout.write(LEAVE);
    this.#stdout.off('resize', this.#onResize);
    if (this.#stdin.isTTY === true) {
      this.#stdin.setRawMode?.(false);
      this.#stdin.off('data', this.#keys);
      this.#stdin.pause();
    }
    this.#signal.removeEventListener('abort', this.leave);
    process.off('exit', this.leave);
  };

  readonly #keys = (chunk: Buffer | string): void => {
    if (QUIT.some((key) => String(chunk).includes(key))) this.#onQuit();
  };
}
