/**
 * interrupted-calls: cases of the layer failing-sync: strace has the n-th call of a writer's thread fail with EINTR before
 * the kernel begins it. It is made again, and nobody notices.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { failingLife } from '../support/failing-life.js';
import { Prng } from '../support/prng.js';
import { reopen } from '../support/reopening.js';
import { BrokenPromise } from '../support/witness.js';
import { optionsFrom, Writers } from '../support/writers.js';

/** Calls that change the directory, and about how often one thread makes them. */
const CALLS: readonly (readonly [name: string, most: number])[] = [
  ['pwritev', 12],
  ['fdatasync', 6],
  ['fsync', 3],
  ['pwrite64', 2],
  ['ftruncate', 2],
  ['link', 2],
  ['unlink', 2],
];

/** Resolves with whether the call was made, and so interrupted. */
export async function tryInterrupted(folder: string, number: number, seed: number): Promise<boolean> {
  const prng = new Prng(seed * 1_000_003 + 700_000 + number);
  const [call, most] = prng.pick(CALLS);
  const nth = prng.between(1, most);
  const directory = join(folder, `${number}`);
  const trace = join(folder, `trace-${number}`);
  const under = ['strace', '-f', '--seccomp-bpf', '-qqq', '-o', trace, '-e', `trace=${call}`];
  under.push('-e', `inject=${call}:error=EINTR:when=${nth}`);
  const what = `interrupted call ${number}, seed ${seed}: ${call} ${nth}`;
  const options = optionsFrom(prng, ['fdatasync', 'fsync']);
  const writers = new Writers(directory, join(folder, `witness-${number}`), options, prng, what);
  try {
    const end = { by: 'itself', ops: 40, isClosed: true } as const;
    await failingLife(writers, { end, under }, { isLasting: false, isHidden: true });
    await reopen(directory, writers.witness, 'the same boot');
    return readFileSync(trace, 'utf8').includes('(INJECTED)');
  } catch (error) {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new BrokenPromise(`${cause}\n${writers.story}`, { cause: error });
  } finally {
    for (const path of [directory, trace]) rmSync(path, { recursive: true, force: true });
  }
}
