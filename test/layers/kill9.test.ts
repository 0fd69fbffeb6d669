/** kill9: a share of the layer, copies of a live directory, and the witness itself, which must be able to complain. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openedLog } from '../support/opening.js';
import { Prng, testSeed } from '../support/prng.js';
import { programPath } from '../support/scratch.js';
import { tempDir } from '../support/temp-dir.js';
import { Witness } from '../support/witness.js';
import { linesOf, optionsFrom, Writers } from '../support/writers.js';
import { layer, straceLacks } from './kill9.js';

const quiet = { part: 0, parts: 1, progress: () => {} };

it('keeps what writers were promised that were killed at random and at file-system calls', {
  timeout: 180_000,
}, async () => {
  const figures = await layer.run({ ...quiet, share: 0.004, seed: testSeed(1) });
  expect(figures['kills at random']).toBeGreaterThanOrEqual(11);
  if (straceLacks() === undefined) expect(figures['kills at calls']).toBeGreaterThan(0);
  else expect(Object.keys(layer.lacking?.() ?? {})).toEqual(['kills at calls']);
});

it('says so when strace is not there, and for the kills that need it only', () => {
  const lacking = layer.lacking?.() ?? {};
  if (programPath('strace') === undefined)
    expect(lacking).toEqual({ 'kills at calls': 'strace is not installed' });
  else for (const what of Object.keys(lacking)) expect(what).toBe('kills at calls');
});

// class 52: a copy of a live directory is not made at one moment.
it('finds in a copy of a live directory what was acknowledged before the copy, or refuses it', {
  timeout: 180_000,
}, async () => {
  const prng = new Prng(testSeed(2));
  const path = tempDir();
  const log = join(path, 'log');
  const witnessFile = join(path, 'witness');
  const writers = new Writers(log, witnessFile, optionsFrom(prng, ['fdatasync']), prng);
  const life = writers.live({ end: { by: 'kill', ops: 800 } });
  const copies: { readonly target: string; readonly before: readonly string[] }[] = [];
  let isOver = false;
  void life.finally(() => {
    isOver = true;
  });
  for (let attempt = 0; !isOver && copies.length < 12; attempt++) {
    await pause(prng.between(5, 60));
    const before = linesOf(witnessFile);
    const target = join(path, `copy-${attempt}`);
    mkdirSync(target);
    try {
      // Not by copyFileSync(), which never returns when a segment is cut to its contents meanwhile.
      for (const name of readdirSync(log).filter((one) => !one.includes('lock')))
        writeFileSync(join(target, name), readFileSync(join(log, name)));
    } catch (error) {
      // A file was freed meanwhile: such a copy has told its maker that it is none.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      continue;
    }
    copies.push({ target, before });
  }
  await life;
  expect(copies.length).toBeGreaterThan(0);
  const all = linesOf(witnessFile);
  let opened = 0;
  for (const { target, before } of copies) {
    const witness = new Witness();
    for (const line of before) witness.hear(line);
    for (const line of all.slice(before.length)) if (/^[im] /.test(line)) witness.hear(line);
    try {
      const opening = await openedLog(target);
      witness.check(opening, true);
      opened++;
    } catch (error) {
      expect((error as { code?: string }).code, String(error)).toBe('RINGWAL_CORRUPT');
    }
  }
  console.log(`copies of a live directory: ${copies.length}, of which ${opened} could be opened`);
});

it.each([
  ['a lost record', 'W2', ['r 1 1 A', 'o 1 1 0']],
  ['another LSN', 'W2', ['r 1 1 A', 'r 3 3 B', 'r 4 4 C', 'r 5 5 D', 'o 1 5 0']],
  ['a foreign record', 'W1', ['r 1 1 A', 'r 2 2 B', 'r 3 3 C', 'r 4 4 D', 'r 5 5 F', 'o 1 5 0']],
  ['a record twice', 'W1', ['r 1 1 A', 'r 2 2 B', 'r 3 3 C', 'r 4 4 D', 'r 5 5 A', 'o 1 5 0']],
  ['half a batch', 'W3', ['r 1 1 A', 'r 2 2 B', 'r 3 3 C', 'o 1 3 0']],
  ['an aborted transaction', 'W3', ['r 1 1 A', 'r 2 2 B', 'r 5 6 X', 'o 1 6 0']],
  ['a hole', 'W4', ['r 1 1 A', 'r 2 2 B', 'r 5 5 E', 'o 1 5 0']],
  ['a late beginning', 'W5', ['r 2 2 B', 'o 2 2 0']],
])('complains of %s', (_, rule, lines) => {
  const witness = new Witness();
  for (const line of ['o 1 0 0', 'i 0 record A', 'i 1 record B', 'i 2 batch C D', 'i 3 record E'])
    witness.hear(line);
  witness.takeOpening();
  for (const line of ['a 0 1', 'a 1 2', 'i 4 aborted X', ...lines]) witness.hear(line);
  const opening = witness.takeOpening();
  if (opening === undefined) throw new Error('nothing was opened');
  expect(() => witness.check(opening, true)).toThrow(rule);
});
