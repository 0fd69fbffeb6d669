/**
 * kill9: writers are killed with SIGKILL, at random moments and at every file-system call, one after another in the
 * same directory; a witness outside of the log knows what each was promised. Each opening is one after a kill.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { Prng } from '../support/prng.js';
import { inScratch, programPath } from '../support/scratch.js';
import { endFrom, type Life, optionsFrom, Writers } from '../support/writers.js';

const AT_RANDOM = 'kills at random';
const AT_CALLS = 'kills at calls';
/** Lives in one directory. */
const LIVES = 10;
const RANDOM_CASES = 255;
const CALL_CASES = 50;

/** Calls with which a log reads and changes its directory, and about how often one thread makes them in a life. */
const CALLS: readonly (readonly [name: string, most: number])[] = [
  ['pwritev', 12],
  ['pwritev', 12],
  ['fdatasync', 10],
  ['fsync', 2],
  ['pwrite64', 2],
  ['ftruncate', 2],
  ['link', 2],
  ['unlink', 2],
  ['pread64', 2],
  ['getdents64', 2],
  ['bind', 1],
  ['listen', 1],
];

export const layer: Layer = {
  name: 'kill9',
  title: 'kill -9 at random and at every file-system call, with an outside witness of acknowledgements',
  targets: { [AT_RANDOM]: 2800, [AT_CALLS]: 200 },
  parts: 8,
  minutes: 27,
  isWaiting: true,

  lacking: () => {
    const why = straceLacks();
    return why === undefined ? {} : { [AT_CALLS]: why };
  },

  run: (task) =>
    inScratch(async (path) => {
      const figures = { [AT_RANDOM]: 0, [AT_CALLS]: 0 };
      for (const number of casesOf(task, RANDOM_CASES)) {
        await lives(path, task, number, (prng) => ({ end: endFrom(prng, 'kill') }));
        figures[AT_RANDOM] += LIVES + 1;
        task.progress(`${figures[AT_RANDOM]} kills at random`);
      }
      if (straceLacks() !== undefined) return figures;
      for (const number of casesOf(task, CALL_CASES)) {
        const kills = await lives(path, task, 10_000 + number, atCall);
        figures[AT_CALLS] += kills;
        figures[AT_RANDOM] += LIVES + 1 - kills;
        task.progress(`${figures[AT_CALLS]} kills at calls`);
      }
      return figures;
    }),
};

async function lives(
  path: string,
  task: LayerTask,
  number: number,
  lifeFrom: (prng: Prng) => Life,
): Promise<number> {
  const prng = new Prng(task.seed * 100_000 + number);
  const folder = join(path, `${number}`);
  mkdirSync(folder);
  const options = optionsFrom(prng, ['fdatasync', 'fdatasync', 'fdatasync', 'dsync', 'fsync', 'none']);
  const writers = new Writers(join(folder, 'log'), join(folder, 'witness'), options, prng);
  let aimed = 0;
  for (let life = 0; life < LIVES; life++) {
    const one = lifeFrom(prng);
    const lines = await writers.live(one);
    // A call that the writer has not made so often kills nobody; it is then killed when it has closed the log.
    if (one.under === undefined || lines.at(-1)?.startsWith('c ') !== true) aimed++;
  }
  // The last one's promises are checked by one more, which is killed as well.
  await writers.live({ end: { by: 'kill', acks: 1 } });
  return aimed;
}

/** Killed when it enters the n-th such call of some thread, which is not done any more. */
function atCall(prng: Prng): Life {
  const [call, most] = prng.pick(CALLS);
  return {
    under: underStrace(call, prng.between(1, most)),
    end: { by: 'kill', ops: prng.between(40, 60), callers: prng.between(1, 2), isClosed: true },
  };
}

export function underStrace(call: string, which: number): string[] {
  const inject = `inject=${call}:signal=SIGKILL:when=${which}`;
  return ['strace', '-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
}

let straceWhy: string | undefined | null = null;

/** Why writers can't be killed at calls here. */
export function straceLacks(): string | undefined {
  if (straceWhy !== null) return straceWhy;
  if (programPath('strace') === undefined) straceWhy = 'strace is not installed';
  else {
    const [program = '', ...options] = underStrace('getpid', 60_000);
    const { status, stderr } = spawnSync(program, [...options, '/bin/true'], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    straceWhy = status === 0 ? undefined : `strace can't trace here: ${stderr.trim()}`;
  }
  return straceWhy;
}
