/** disk: a log directory as plain bytes by name, to be damaged by hand and opened again on a simulated machine. */
import { expect } from 'vitest';
import type { CorruptError } from '../../dist/src/index.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { EngineHarness } from '../support/engine-harness.js';
import { must } from '../support/must.js';
import { FileImage, Image } from '../support/sim-image.js';
import { SECTOR_BYTES, Sector } from '../support/sim-sector.js';
import { SimStorage, type SimStorageOptions } from '../support/sim-storage.js';

export type Disk = Map<string, Uint8Array>;
type Options = Partial<ResolvedOptions>;

export const BLOCK = 4096;
/** Behind the header block and the LINK. */
export const FIRST_GROUP = BLOCK + 64 + 64;
const GROUP_MAGIC = 0x52475752;

/** What a program sees in the directory now: what a process finds that starts after a kill -9. */
export function diskOf(storage: SimStorage): Disk {
  const files = [...storage.liveImage().files].map(([name, file]) => [name, file.bytes()] as const);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function copyOf(disk: Disk): Disk {
  return new Map([...disk].map(([name, bytes]) => [name, bytes.slice()]));
}

export function boot(disk: Disk, options: SimStorageOptions = {}): SimStorage {
  const files = [...disk].map(([name, bytes]) => {
    const sectors: Sector[] = [];
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      const sector = new Uint8Array(SECTOR_BYTES);
      sector.set(bytes.subarray(at, at + SECTOR_BYTES));
      sectors.push(new Sector(sector));
    }
    return [name, new FileImage(sectors, bytes.length)] as const;
  });
  return SimStorage.boot(new Image(new Map(files)), options);
}

let seed = 1000;

/** Opens the log of a disk, each time with random bytes of its own. */
export async function open(storage: SimStorage, options: Options = {}): Promise<EngineHarness> {
  seed += 1;
  return EngineHarness.open(storage, undefined, options, seed);
}

/** Opening is refused with `code`, and every file is afterwards as it was before. */
export async function refused(
  disk: Disk,
  options: Options = {},
  code = 'RINGWAL_CORRUPT',
): Promise<CorruptError> {
  const storage = boot(disk);
  const outcome: unknown = await open(storage, options).then(
    (log) => `it opened, with last LSN ${log.engine.summary.lastLsn}`,
    (error: unknown) => error,
  );
  expect(outcome).toMatchObject({ code });
  expect((outcome as Error).message.length).toBeGreaterThan(20);
  expect(sameDisk(diskOf(storage), disk), 'the files are as before').toBe(true);
  expect(storage.openFiles).toEqual([]);
  expect(storage.violations).toEqual([]);
  return outcome as CorruptError;
}

export function sameDisk(a: Disk, b: Disk): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, bytes]) => Buffer.compare(bytes, b.get(name) ?? Buffer.of(1)) === 0);
}

/** Names of the segment files, oldest first. */
export function segments(disk: Disk): string[] {
  return [...disk.keys()].filter((name) => name.endsWith('.wal')).sort();
}

/** Names of the segments that hold a LINK: no spares. */
export function used(disk: Disk): string[] {
  return segments(disk).filter((name) => groups(bytesOf(disk, name)).length > 0);
}

export function bytesOf(disk: Disk, name: string): Uint8Array {
  return must(disk.get(name), name);
}

/** Where groups of this file's present life start: its magic, followed at byte 48 by the segment's own salt. */
export function groups(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: number[] = [];
  for (let at = BLOCK; at + 64 <= bytes.length; ) {
    const isHere = view.getUint32(at, true) === GROUP_MAGIC;
    const isOwn = isHere && [0, 4].every((i) => view.getUint32(at + 48 + i) === view.getUint32(32 + i));
    if (isOwn) found.push(at);
    // Over the body: a copy of a group inside a payload is none.
    at = isOwn ? at + 64 + view.getUint32(at + 36, true) : at + 8;
  }
  return found;
}

export function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
}

/** What can be read, as text. */
export async function texts(log: EngineHarness): Promise<string[]> {
  return (await log.readAll()).map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload).toString('latin1')}`);
}

export const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');
