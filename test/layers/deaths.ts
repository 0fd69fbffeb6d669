/**
 * deaths: the I/O worker dies in 8 ways at 6 moments under 3 kinds of caller, and the process around it ends in 4 ways,
 * on each line of Node: all promises settle, what was acknowledged is there, the process ends, the directory opens.
 * Then processes race to open.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../dist/src/index.js';
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { Prng } from '../support/prng.js';
import { lackingNamespaces, RaceTrack, ROUNDS } from './open-races.js';

export const WAYS = ['throw', 'reject', 'exit0', 'exit1', 'return', 'oom', 'terminate', 'blocked'] as const;
export const PHASES = ['opening', 'idle', 'flight', 'window', 'rotation', 'closing'] as const;
export const CALLERS = ['opener', 'attached', 'waiting'] as const;
const ENDS = ['exit', 'sigterm', 'exception', 'nothing left'] as const;
const NODES = [20, 22, 24, 26] as const;
const DEATHS = WAYS.length * PHASES.length * CALLERS.length;
const EXITS = ENDS.length * 2;
const RACES = 500;
const RACES_APART = 100;
/** Deaths that share a process. */
const BATCH = 12;
const PATIENCE_MS = 180_000;

const onNode = (major: number): string => `deaths and ends on Node ${major}`;
const PLAIN_RACES = 'races to open a directory';
const APART_RACES = 'races among namespaces';

export const layer: Layer = {
  name: 'deaths',
  title: 'workers that die, processes that end, on four lines of Node; processes that race to open',
  targets: {
    ...Object.fromEntries(NODES.map((major) => [onNode(major), DEATHS + EXITS])),
    [PLAIN_RACES]: RACES,
    [APART_RACES]: RACES_APART,
  },
  parts: 6,
  minutes: 21,
  isWaiting: true,
  lacking: () => {
    const lacking: Record<string, string> = {};
    for (const major of NODES)
      if (nodeOf(major) === undefined) lacking[onNode(major)] = `npx node@${major} does not work here`;
    const why = lackingNamespaces();
    if (why !== undefined) lacking[APART_RACES] = why;
    return lacking;
  },
  async run(task) {
    const figures: Record<string, number> = {};
    for (const major of NODES) {
      const node = nodeOf(major);
      if (node !== undefined) figures[onNode(major)] = await runDeaths(task, node);
    }
    figures[PLAIN_RACES] = await runRaces(task, RACES, {});
    if (lackingNamespaces() === undefined)
      figures[APART_RACES] = await runRaces(task, RACES_APART, { isApart: true });
    return figures;
  },
};

/** The program of that line of Node: this one, or what npx has or gets; undefined without. */
function nodeOf(major: number): string | undefined {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  try {
    const said = execFileSync('npx', ['-y', `node@${major}`, '-p', 'process.execPath'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 120_000,
    });
    return said.trim();
  } catch {
    return undefined;
  }
}

export interface DeathOptions {
  /** Workers acknowledge what they don't write. */
  readonly isLying?: boolean;
}

/** Returns how many deaths and ends were tried with the program `node`. */
export async function runDeaths(task: LayerTask, node: string, options: DeathOptions = {}): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'ringwal-deaths-'));
  try {
    const cases = [...casesOf(task, DEATHS)].map((number) => {
      // Coprime to their number: a share has something of every way, phase and caller.
      const at = (number * 55 + task.seed * 7) % DEATHS;
      const way = WAYS[at % 8];
      const phase = PHASES[Math.floor(at / 8) % 6];
      const caller = CALLERS[Math.floor(at / 48)];
      return { number: at, way, phase, caller, directory: join(root, `${at}`), ...options };
    });
    for (let from = 0; from < cases.length; from += BATCH) {
      const batch = cases.slice(from, from + BATCH);
      const { status, out } = await run(node, ['test/fixtures/death-cases.mjs', JSON.stringify(batch)]);
      const done = out.split('\n').filter((line) => line.startsWith('ok '));
      if (status !== 0 || done.length !== batch.length)
        throw new Error(`${node}, seed ${task.seed}, status ${status}:\n${JSON.stringify(batch)}\n${out}`);
      task.progress(`${from + batch.length} deaths`);
    }
    let ends = 0;
    for (const number of casesOf(task, EXITS)) {
      const directory = join(root, `end-${number}`);
      const how = ENDS[number % 4] ?? 'exit';
      const caller = number < 4 ? 'opener' : 'attached';
      await endOf(node, directory, how, caller).catch((error: unknown) => {
        throw new Error(`${node}, ${caller}, ends by ${how}: ${error}`, { cause: error });
      });
      ends++;
    }
    return cases.length + ends;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Runs a program of the root; it must end by itself. */
async function run(
  node: string,
  args: readonly string[],
  onOut: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<{ status: number | string; out: string }> {
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      out += data;
      onOut(out, (signal) => child.kill(signal));
    });
  const timer = setTimeout(() => {
    out += '\nIt does not end by itself.';
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { status: signal ?? code, out };
}

/** A process ends with appends under way: what it told is there, and all of it when nothing made it end. */
async function endOf(node: string, directory: string, how: string, caller: string): Promise<void> {
  let isKilled = false;
  const { status, out } = await run(
    node,
    ['test/fixtures/ending-process.mjs', directory, how, caller],
    (text, kill) => {
      if (how !== 'sigterm' || isKilled || !text.includes('acked 50 ')) return;
      isKilled = true;
      kill('SIGTERM');
    },
  );
  const expected = { exit: 0, sigterm: 'SIGTERM', exception: 1, 'nothing left': 0 }[how];
  if (status !== expected) throw new Error(`status ${status}:\n${out}`);
  const told = out.split('\n').filter((line) => line.startsWith('acked '));
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 16_384 });
  try {
    const found = new Map<number, string>();
    for await (const { lsn, payload } of log.read()) found.set(lsn, Buffer.from(payload).toString());
    for (const line of told) {
      const [, lsn, text] = line.split(' ');
      if (found.get(Number(lsn)) !== text)
        throw new Error(`LSN ${lsn} was acknowledged as ${text} and is ${found.get(Number(lsn))}`);
    }
    if (told.length === 0) throw new Error(`nothing was acknowledged:\n${out}`);
    if (how === 'nothing left' && (told.length !== 500 || found.size !== 500))
      throw new Error(`${told.length} of 500 were acknowledged, ${found.size} are there`);
  } finally {
    await log.close();
  }
}

export interface RaceSetup {
  readonly isApart?: boolean;
  readonly workerUrl?: string;
}

/** Returns how many races were run. */
export async function runRaces(task: LayerTask, races: number, setup: RaceSetup): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'ringwal-races-'));
  const track = new RaceTrack();
  let run = 0;
  try {
    for (const number of casesOf(task, Math.ceil(races / ROUNDS))) {
      const prng = new Prng(task.seed * 1_000_003 + number);
      await track.run(join(root, `${number}`), { isApart: false, ...setup, prng }).catch((error: unknown) => {
        throw new Error(`seed ${task.seed}, directory ${number}: ${error}`, { cause: error });
      });
      run += ROUNDS;
      task.progress(`${run} races`);
    }
    return run;
  } finally {
    await track.close();
    rmSync(root, { recursive: true, force: true });
  }
}
