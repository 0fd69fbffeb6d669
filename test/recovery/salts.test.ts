/** salts: what makes the groups of one segment none of another: random, and new with every use of a file. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: true };

// Classes 5, 56.
it('are 16 random bytes of every segment its own, also when its file is used again, in every log', async () => {
  const salts = new Map<string, string>();
  const inodes = new Map<number, Set<string>>();
  const note = (directory: string): void => {
    for (const name of segmentsIn(directory)) {
      const path = join(directory, name);
      const salt = readFileSync(path).toString('hex', 32, 48);
      expect(salts.get(salt) ?? path, 'a salt that two segments have').toBe(path);
      salts.set(salt, path);
      const { ino } = statSync(path);
      inodes.set(ino, (inodes.get(ino) ?? new Set()).add(salt));
    }
  };
  for (const directory of [tempDir(), tempDir()]) {
    for (let life = 0; life < 10; life++) {
      const log = await openLog(directory, SMALL);
      for (let i = 0; i < 24; i++) await log.append(new Uint8Array(8000));
      await log.truncateBefore(log.durableLsn);
      for (let i = 0; i < 10; i++) await log.append(new Uint8Array(8000));
      await log.close();
      note(directory); // while nobody removes and reuses files
    }
  }
  expect(salts.size).toBeGreaterThan(30);
  expect([...inodes.values()].some((own) => own.size > 1)).toBe(true); // a file was used again
  const bytes = Buffer.from([...salts.keys()].join(''), 'hex');
  expect(new Set(bytes).size).toBeGreaterThan(150); // and they are no counters: nearly all values of a byte occur
});
