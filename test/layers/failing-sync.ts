/**
 * failing-sync: the package as it is, in a process of its own, while the real file system's calls fail: a preloaded
 * library has the n-th write, sync, open, truncate, link or unlink fail. The witness of what was acknowledged is
 * outside; the log is then opened again in the same boot.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../dist/src/index.js';
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { Prng } from '../support/prng.js';

const CALLS = ['write', 'sync', 'open', 'truncate', 'link', 'unlink'] as const;
const ERRNOS = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EINTR', 'EACCES', 'EMFILE', 'EBUSY'] as const;
const SYNC_MODES = ['fdatasync', 'fsync', 'dsync', 'direct'] as const;
/** Up to which call of its kind is made to fail: a run makes about as many. */
const MOST: Readonly<Record<(typeof CALLS)[number], number>> = {
  write: 40,
  sync: 40,
  open: 8,
  truncate: 8,
  link: 6,
  unlink: 8,
};
const CASES = 1200;
const CASES_ON_PAGE_CACHE = 'calls that failed, opened in the same boot';

export const layer: Layer = {
  name: 'failing-sync',
  title: 'the real thing on a real file system whose calls fail, then opened in the same boot',
  targets: { [CASES_ON_PAGE_CACHE]: CASES },
  parts: 2,
  minutes: 12,
  isWaiting: true,
  lacking: () => {
    const why = lackedHere();
    return why === undefined ? {} : { all: why };
  },
  run: (task) => runFailingSync(task),
};

/** Why the library can't be made or preloaded here. */
export function lackedHere(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD works on Linux only';
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no C compiler (cc)';
  }
}

export interface FailingSyncOptions {
  /** The program that appends, relative to the root. */
  readonly writer?: string;
}

export async function runFailingSync(
  task: LayerTask,
  options: FailingSyncOptions = {},
): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'ringwal-failing-'));
  try {
    const library = join(directory, 'failing-calls.so');
    const source = join(process.cwd(), 'test/layers/native/failing-calls.c');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: 'pipe' });
    let tried = 0;
    for (const number of casesOf(task, CASES)) {
      await tryCase(directory, library, number, task.seed, options);
      tried++;
      if (tried % 50 === 0) task.progress(`${tried} cases`);
    }
    return { [CASES_ON_PAGE_CACHE]: tried };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function tryCase(
  directory: string,
  library: string,
  number: number,
  seed: number,
  { writer = 'test/fixtures/failing-sync-writer.mjs' }: FailingSyncOptions,
): Promise<void> {
  const prng = new Prng(seed * 1_000_003 + number);
  const call = CALLS[number % CALLS.length] ?? 'write';
  const errno = prng.pick(ERRNOS);
  const mode = prng.pick(call === 'write' ? ['once', 'sticky', 'short'] : ['once', 'sticky']);
  // libuv tries again for ever when a call is interrupted for ever (class 23).
  const isOnce = mode !== 'sticky' || errno === 'EINTR' ? 'once' : mode;
  const log = join(directory, `log-${number}`);
  const nth = 1 + prng.below(MOST[call]);
  const faults: Record<string, string> = {
    LD_PRELOAD: library,
    FAIL_DIR: log,
    FAIL_CALL: call,
    FAIL_NTH: String(nth),
    FAIL_ERRNO: String(constants.errno[errno]),
    FAIL_MODE: mode === 'short' ? mode : isOnce,
  };
  const syncMode = prng.pick(SYNC_MODES);
  const said: string[] = [];
  try {
    said.push(
      ...(await witness(writer, [log, syncMode, `${number}`, `${prng.pick([20, 600, 3000])}`, '24'], faults)),
    );
    await check(log, said);
  } catch (error) {
    const what = `case ${number}, seed ${seed}: ${call} ${nth} fails with ${errno}, ${faults.FAIL_MODE}, ${syncMode}`;
    throw new Error(`${what}\n${error}\n--- the witness\n${said.join('\n')}`, { cause: error });
  }
  rmSync(log, { recursive: true, force: true });
}

/** Runs the writer with these faults; returns what it told. */
function witness(writer: string, args: string[], faults: Record<string, string>): Promise<string[]> {
  const child = spawn(process.execPath, [join(process.cwd(), writer), ...args], {
    env: { ...process.env, ...faults },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  return new Promise((resolve, reject) => {
    // A disk that stays full holds appends back for as long as it is full; the process is then killed.
    const timer = setTimeout(() => child.kill('SIGKILL'), 1500);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(text.split('\n').filter((line) => line !== ''));
    });
  });
}

async function check(directory: string, said: readonly string[]): Promise<void> {
  for (const line of said) {
    const [what, code] = line.split(' ');
    if (what === 'unhandled' || what === 'acked-later') throw new Error(line);
    if (what === 'failed' && !/^(RINGWAL_(POISONED|IO|CLOSED)|E[A-Z]+)$/.test(code ?? ''))
      throw new Error(`an error of the wrong type: ${line}`);
  }
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 32_768, syncMode: 'fdatasync' });
  try {
    const found = new Map<number, string>();
    for await (const { lsn, payload } of log.read())
      found.set(lsn, Buffer.from(payload).toString().split(' ')[0] ?? '');
    const marks = said
      .filter((line) => line.startsWith('truncating '))
      .map((line) => Number(line.split(' ')[1]));
    const from = Math.max(1, ...marks);
    for (const line of said) {
      const [what, lsn, id] = line.split(' ');
      if (what === 'acked' && Number(lsn) >= from && found.get(Number(lsn)) !== id)
        throw new Error(`LSN ${lsn} was acknowledged as ${id} and is ${found.get(Number(lsn))}`);
    }
    await log.append('after');
  } finally {
    await log.close();
  }
}
