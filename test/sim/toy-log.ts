/**
 * toy-log: a log of forty lines that is right, and can be made wrong in one way at a time, to see that the
 * simulator and the oracle notice. It shares nothing with the engine.
 *
 * One file of frames: u32 length, u32 LSN, u32 CRC-32 of the two and the payload. It is prepared as
 * `log.new`, linked to `log.wal`, and read up to the first frame that does not verify. Opening copies what it
 * found to the next file, so that nothing is returned that is not durable.
 */
import { crc32 } from 'node:zlib';
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';
import type { RecoveredRecord } from '../support/oracle.js';

const FILE_BYTES = 4096;
const HEAD_BYTES = 12;

export type Mistake =
  | 'none'
  | 'acks before the sync'
  | 'forgets to sync the directory'
  | 'forgets to sync the new file'
  | 'checks no checksum'
  | 'returns what is not durable'
  | 'retries a failed sync'
  | 'writes two frames with a sync for the first only'
  | 'appends to the old file';

export class ToyLog {
  readonly records: RecoveredRecord[] = [];
  readonly #storage: Storage;
  readonly #mistake: Mistake;
  #file: StorageFile | undefined;
  #end = 0;
  #isPoisoned = false;

  private constructor(storage: Storage, mistake: Mistake) {
    this.#storage = storage;
    this.#mistake = mistake;
  }

  static async open(storage: Storage, mistake: Mistake): Promise<ToyLog> {
    const log = new ToyLog(storage, mistake);
    const names = await storage.list();
    const numbers = names.filter((name) => name.endsWith('.wal')).map((name) => Number.parseInt(name, 10));
    const newest = Math.max(0, ...numbers);
    if (newest > 0) await log.#read(`${newest}.wal`);
    if (newest > 0 && mistake === 'appends to the old file') {
      log.#file = await storage.open(`${newest}.wal`, 'write');
      return log;
    }
    if (names.includes('log.new')) await storage.unlink('log.new');
    const file = await storage.create('log.new');
    await file.truncate(FILE_BYTES);
    const body = Buffer.concat(log.records.map(({ lsn, payload }) => frame(lsn, payload)));
    await file.write(body, 0);
    if (mistake !== 'forgets to sync the new file') await file.sync();
    await storage.link('log.new', `${newest + 1}.wal`);
    if (mistake !== 'forgets to sync the directory' && mistake !== 'returns what is not durable') {
      await storage.syncDirectory();
    }
    log.#file = file;
    log.#end = body.length;
    return log;
  }

  get nextLsn(): number {
    return (this.records.at(-1)?.lsn ?? 0) + 1;
  }

  /** Returns the LSN once the record is durable. */
  append(payload: Uint8Array, acknowledge: (lsn: number) => void): void {
    const file = this.#file;
    if (file === undefined || this.#isPoisoned) throw new Error('not open');
    const lsn = this.nextLsn;
    const bytes = frame(lsn, payload);
    try {
      if (this.#mistake === 'acks before the sync') acknowledge(lsn);
      file.writeGroup([bytes], this.#end, true);
      if (this.#mistake !== 'writes two frames with a sync for the first only' || lsn % 2 === 1)
        this.#sync(file);
    } catch (error) {
      this.#isPoisoned = true;
      throw error;
    }
    if (this.#mistake !== 'acks before the sync') acknowledge(lsn);
    this.records.push({ lsn, payload });
    this.#end += bytes.length;
  }

  #sync(file: StorageFile): void {
    try {
      file.syncGroup();
    } catch (error) {
      if (this.#mistake !== 'retries a failed sync') throw error;
      file.syncGroup();
    }
  }

  async #read(name: string): Promise<void> {
    const file = await this.#storage.open(name, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    await file.close();
    while (this.#end + HEAD_BYTES <= bytes.length) {
      const length = bytes.readUInt32LE(this.#end);
      const lsn = bytes.readUInt32LE(this.#end + 4);
      const payload = bytes.subarray(this.#end + HEAD_BYTES, this.#end + HEAD_BYTES + length);
      const isWhole = lsn === this.nextLsn && payload.length === length;
      if (!isWhole) return;
      const isSound = frame(lsn, payload).equals(bytes.subarray(this.#end, this.#end + HEAD_BYTES + length));
      if (!isSound && this.#mistake !== 'checks no checksum') return;
      this.records.push({ lsn, payload: Uint8Array.from(payload) });
      this.#end += HEAD_BYTES + length;
    }
  }
}

function frame(lsn: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(lsn, 4);
  bytes.set(payload, HEAD_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEAD_BYTES), crc32(bytes.subarray(0, 8))), 8);
  return bytes;
}
