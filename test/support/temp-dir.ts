/** temp-dir: directories that are gone when the test is over, and a fingerprint of all that is in one. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory for one test. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'ringwal-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Names and bytes of the regular files, lock files apart. */
export function filesIn(directory: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (lstatSync(path).isFile()) files.set(name, readFileSync(path));
  }
  return files;
}

/** One line per regular file, with its size and a hash of its bytes. */
export function fingerprint(directory: string): string[] {
  return [...filesIn(directory)].map(
    ([name, bytes]) => `${name} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`,
  );
}

/** Names of the segment files, oldest first. */
export function segmentsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.wal'))
    .sort();
}

/** Changes the bytes of one file in place. */
export function edit(
  directory: string,
  name: string,
  change: (bytes: Uint8Array) => Uint8Array | undefined,
): void {
  const path = join(directory, name);
  const bytes = readFileSync(path);
  writeFileSync(path, change(bytes) ?? bytes);
}
