/**
 * turnover: a projection with a store of its own: how much was moved per account, each event counted once.
 *
 *   log.tail -> count in memory -> file (state and position, durable together) -> cursor.ack(position)
 *
 * The position in the file is the one that counts: after a restart it goes on behind that, whatever the cursor says.
 * The cursor comes behind and only keeps the log from being truncated before the file has it all.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogAppender, LogCursor } from 'ringwal';
import { decodeEvent } from './codec.js';
import { BankError } from './errors.js';

export interface TurnoverOptions {
  /** Name of the cursor. Default `turnover`. */
  cursor?: string;
  /** Events after which the file is written. Default 1000. */
  saveEvery?: number;
}

interface Saved {
  readonly position: number;
  readonly turnover: Readonly<Record<string, number>>;
}

export class Turnover {
  /** Is told the LSN of each event as it is counted. */
  onEvent: (lsn: number) => void = () => {};
  readonly #log: LogAppender;
  readonly #file: string;
  readonly #cursor: LogCursor;
  readonly #saveEvery: number;
  readonly #turnover: Map<string, number>;
  #position: number;
  #unsaved = 0;

  /** Reads `file`, which need not be there. Throws BankError when the log has gone on without it. */
  static async open(log: LogAppender, file: string, options: TurnoverOptions = {}): Promise<Turnover> {
    const cursor = await log.cursor(options.cursor ?? 'turnover');
    const saved = await load(file);
    if (saved.position < log.firstLsn - 1)
      throw new BankError(
        'BANK_HISTORY_DAMAGED',
        `${file} goes up to LSN ${saved.position}, and the log begins with ${log.firstLsn}: events are missing.`,
      );
    return new Turnover(log, file, cursor, saved, options);
  }

  private constructor(
    log: LogAppender,
    file: string,
    cursor: LogCursor,
    { position, turnover }: Saved,
    { saveEvery = 1000 }: TurnoverOptions,
  ) {
    this.#log = log;
    this.#file = file;
    this.#cursor = cursor;
    this.#position = position;
    this.#turnover = new Map(Object.entries(turnover));
    this.#saveEvery = saveEvery;
  }

  /** The last LSN that was counted. */
  get position(): number {
    return this.#position;
  }

  /** Cents that were moved per account. */
  get turnover(): ReadonlyMap<string, number> {
    return this.#turnover;
  }

  /**
   * Counts what there is, and then what comes; resolves when `signal` is aborted or the log closed. What was not saved
   * then is counted again by the next one, which begins with the file.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      const tail = this.#log.tail({ from: this.#position + 1, types: ['record'], signal });
      for await (const { lsn, payload } of tail) {
        const event = decodeEvent(lsn, payload);
        if (event.type !== 'opened')
          this.#turnover.set(event.account, (this.#turnover.get(event.account) ?? 0) + event.amount);
        this.#position = lsn;
        this.onEvent(lsn);
        if (++this.#unsaved >= this.#saveEvery) await this.save();
      }
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  /** Makes what was counted durable, and only then lets the log go on. Not while `run` is between two events. */
  async save(): Promise<void> {
    this.#unsaved = 0;
    const saved: Saved = { position: this.#position, turnover: Object.fromEntries(this.#turnover) };
    await replaceFile(this.#file, JSON.stringify(saved));
    await this.#cursor.ack(saved.position);
  }
}

async function load(file: string): Promise<Saved> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Saved;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { position: 0, turnover: {} };
    throw error;
  }
}

/** The old content or the new one, also after a power cut: written aside, synced, renamed, and the directory synced. */
async function replaceFile(path: string, content: string): Promise<void> {
  await synced(`${path}.tmp`, 'w', (file) => file.writeFile(content));
  await rename(`${path}.tmp`, path);
  await synced(dirname(path), 'r', async () => {});
}

async function synced(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
