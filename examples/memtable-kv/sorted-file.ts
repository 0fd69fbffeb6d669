/**
 * sorted-file: an immutable file of keys in ascending order, each with its value or as deleted.
 *
 *   header   8 bytes "KVSORTED", u64 first LSN, u64 last LSN that it covers
 *   entries  u32 key bytes, u32 value bytes (0xffffffff: deleted), key, value
 *   footer   u32 number of entries, u32 CRC-32 of everything before this field
 *
 * Little-endian. The checksum is verified when the file is opened; keys then stay in memory, values on disk.
 */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LsnRange } from 'ringwal';
import { keyBytes, lowerBound } from './keys.js';
import type { SortedSource } from './sorted-source.js';

const MAGIC = Buffer.from('KVSORTED');
const HEADER_BYTES = 24;
const FOOTER_BYTES = 8;
const DELETED = 0xffff_ffff;
const CHUNK_BYTES = 64 * 1024;

export type Entry = readonly [key: string, value: Uint8Array | undefined];

/**
 * Writes a file so that it is there whole and durable, or not at all: under another name, synced, renamed, and
 * the directory synced, without which the new name could be gone after a power failure.
 */
export async function writeSortedFile(
  path: string,
  range: LsnRange,
  entries: AsyncIterable<Entry>,
): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await writeFile(handle, encode(range, entries));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // opening removes it too; the first error is the one to tell
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function* encode(range: LsnRange, entries: AsyncIterable<Entry>): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64LE(BigInt(range.first), 8);
  header.writeBigUInt64LE(BigInt(range.last), 16);
  let parts: Uint8Array[] = [header];
  let bytes = header.length;
  let count = 0;
  let checksum = 0;
  const chunk = (): Buffer => {
    const joined = Buffer.concat(parts);
    checksum = crc32(joined, checksum);
    parts = [];
    bytes = 0;
    return joined;
  };
  for await (const [text, value] of entries) {
    const key = keyBytes(text);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(key.length, 0);
    lengths.writeUInt32LE(value?.length ?? DELETED, 4);
    parts.push(lengths, key, value ?? new Uint8Array(0));
    bytes += lengths.length + key.length + (value?.length ?? 0);
    count++;
    if (bytes >= CHUNK_BYTES) yield chunk();
  }
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(count, 0);
  parts.push(footer.subarray(0, 4));
  yield chunk();
  footer.writeUInt32LE(checksum, 4);
  yield footer.subarray(4);
}

export class SortedFile implements SortedSource {
  readonly path: string;
  readonly range: LsnRange;
  readonly keys: readonly string[];
  /** Offset and length of the values, by the key's index; length `DELETED` for deleted ones. */
  readonly #offsets: readonly number[];
  readonly #lengths: readonly number[];
  readonly #handle: FileHandle;
  /** The store itself, and scans that are under way; the last one closes the file. */
  #users = 1;

  /** Opens a file and verifies all of it. Rejects when it is damaged, or covers other LSNs than `range`. */
  static async open(path: string, range: LsnRange): Promise<SortedFile> {
    const handle = await open(path, 'r');
    try {
      return new SortedFile(path, range, handle, await handle.readFile());
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(path: string, range: LsnRange, handle: FileHandle, bytes: Buffer) {
    const damaged = (what: string) => new Error(`${path} is damaged: ${what}`);
    const end = bytes.length - FOOTER_BYTES;
    if (end < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) throw damaged('it is no sorted file');
    if (crc32(bytes.subarray(0, end + 4)) !== bytes.readUInt32LE(end + 4))
      throw damaged('its checksum is wrong');
    const inside = [bytes.readBigUInt64LE(8), bytes.readBigUInt64LE(16)].map(Number);
    if (inside[0] !== range.first || inside[1] !== range.last) throw damaged('it has the name of another');
    const keys: string[] = [];
    const offsets: number[] = [];
    const lengths: number[] = [];
    for (let at = HEADER_BYTES; at < end; ) {
      const keyEnd = at + 8 + bytes.readUInt32LE(at);
      const length = bytes.readUInt32LE(at + 4);
      keys.push(bytes.toString('latin1', at + 8, keyEnd));
      offsets.push(keyEnd);
      lengths.push(length);
      at = keyEnd + (length === DELETED ? 0 : length);
    }
    if (keys.length !== bytes.readUInt32LE(end)) throw damaged('it has another number of entries');
    this.path = path;
    this.range = range;
    this.keys = keys;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#handle = handle;
  }

  /** Index of a key, -1 if it is not there. */
  indexOf(key: string): number {
    const index = lowerBound(this.keys, key);
    return this.keys[index] === key ? index : -1;
  }

  async read(index: number): Promise<Uint8Array | undefined> {
    const length = this.#lengths[index] as number;
    if (length === DELETED) return undefined;
    const value = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = (this.#offsets[index] as number) + done;
      const { bytesRead } = await this.#handle.read(value, done, length - done, at);
      if (bytesRead === 0) throw new Error(`${this.path} is damaged: it has become shorter`);
      done += bytesRead;
    }
    return value;
  }

  /** Keeps the file readable, even when it is merged away, until `release`. */
  retain(): void {
    this.#users++;
  }

  async release(): Promise<void> {
    if (--this.#users === 0) await this.#handle.close();
  }
}
