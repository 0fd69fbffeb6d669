/**
 * sim-helpers: short words for the tests of the simulator.
 */
import type { StorageFile } from '../../dist/src/storage/storage.js';
import type { Image } from '../support/sim-image.js';
import { SimStorage, type SimStorageOptions } from '../support/sim-storage.js';

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

/** The file's content as text; undefined when there is no such file. */
export function contentOf(image: Image, name: string): string | undefined {
  const file = image.files.get(name);
  return file === undefined ? undefined : new TextDecoder().decode(file.bytes());
}

export function sizesOf(image: Image): Record<string, number> {
  return Object.fromEntries([...image.files].map(([name, { size }]) => [name, size]));
}

/** A storage that holds one file, all of it durable, after four operations. */
export async function publish(
  name: string,
  content: string | Uint8Array,
  options: SimStorageOptions = {},
): Promise<{ storage: SimStorage; file: StorageFile }> {
  const storage = new SimStorage(options);
  const file = await storage.create(name);
  await file.write(typeof content === 'string' ? text(content) : content, 0);
  await file.sync();
  await storage.syncDirectory();
  return { storage, file };
}
