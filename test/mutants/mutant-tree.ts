/** mutant-tree: a copy of the package and its tests in which one mutant at a time is planted and met by the tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../support/compile.js';
import { type Folder, type Mutant, makeMutants } from './mutants.js';

/** The repository: this module runs from dist-test/mutants, or from test/mutants. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Wall time after which a stage counts as hung; processes that work end themselves long before. */
const MOST_MS = 120_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) endWithAll(child);
});

/** Ends a process, and what it has started. */
function endWithAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {} // nothing is left
}

/** Test files by folder, in order: what kills most in least time first. A name with a slash at its end is a folder. */
const OWN: Readonly<Record<Folder, readonly string[]>> = {
  format: ['format/'],
  recovery: [
    'recovery/links',
    'recovery/truncated-part',
    'recovery/continuation',
    'recovery/evidence',
    'recovery/groups-seen',
    'recovery/survey',
    'recovery/scan-newest',
    'recovery/recover',
    'recovery/verdict',
    'recovery/summary',
    'recovery/lost-records',
    'recovery/chain',
    'recovery/housekeeping',
  ],
  segment: ['segment/', 'commit/', 'recovery/chain', 'recovery/housekeeping'],
  commit: ['commit/', 'recovery/housekeeping'],
  ring: ['ring/', 'commit/'],
};
const LIGHT = [
  'segment/',
  'commit/',
  'format/',
  'recovery/chain',
  'recovery/verdict',
  'recovery/summary',
  'recovery/housekeeping',
  'recovery/phantom-names',
  'recovery/groups-seen',
  'recovery/reopening',
  'recovery/end-of-log',
  'recovery/cut-files',
  'recovery/point-in-time',
  'maintenance/',
  'lifecycle/gc',
  'lifecycle/retention',
  'read/after-failure',
  'read/seal-offset',
  'storage/directory-turns',
  'failure/left-open',
  'failure/odd-files',
  'failure/declared-dead',
];
/** What needs threads, or takes seconds; for those that all else has let pass. */
const HEAVY: Readonly<Record<Folder, readonly string[]>> = {
  format: ['lifecycle/cursors', 'read/record-checksums'],
  recovery: ['recovery/seal-index', 'failure/planted-files'],
  segment: ['recovery/seal-index', 'read/record-checksums', 'api/sync'],
  commit: ['api/append-terms', 'api/append-options', 'api/sync', 'api/metrics'],
  ring: [
    'read/record-checksums',
    'api/append-terms',
    'api/append',
    'api/thread-ends',
    'follow/wait-for-durable',
    'api/transactions',
  ],
};

export type Stage = 'probes' | 'tests' | 'more' | 'heavy';
export const STAGES: readonly Stage[] = ['probes', 'tests', 'more', 'heavy'];

/** Whether a stage is the same whichever folder the mutant is in. */
export const isOfAllFolders = (stage: Stage): boolean => stage === 'probes' || stage === 'more';

export type Outcome = 'survived' | 'killed' | 'hung' | 'invalid';

export class MutantTree {
  readonly mutants: readonly Mutant[];
  readonly #path: string;

  static async make(): Promise<MutantTree> {
    const path = mkdtempSync(join(tmpdir(), 'ringwal-mutants-'));
    try {
      compile('tsconfig.json', '--sourceMap', '--declaration', 'false', '--outDir', join(path, 'dist'));
      compile('test/tsconfig.full.json', '--outDir', join(path, 'dist-test'));
      for (const name of ['test', 'package.json', 'tsconfig.json'])
        cpSync(join(ROOT, name), join(path, name), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(path, 'node_modules'));
      mkdirSync(join(path, 'tmp'));
      return new MutantTree(path, await makeMutants(ROOT, join(path, 'dist')));
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(path: string, mutants: readonly Mutant[]) {
    this.#path = path;
    this.mutants = mutants;
  }

  /** Has the stages meet a mutant, until one kills it; `undefined`: the package as it is. */
  async meet(
    mutant: Mutant | undefined,
    folder: Folder,
    stages: readonly Stage[],
  ): Promise<{ outcome: Outcome; stage?: Stage }> {
    const path = mutant && join(this.#path, 'dist', mutant.built);
    const sound = path && readFileSync(path, 'utf8');
    if (mutant && path && sound)
      writeFileSync(path, sound.slice(0, mutant.from) + mutant.replacement + sound.slice(mutant.to));
    try {
      for (const stage of stages) {
        const outcome = await this.#run(stage, folder);
        if (outcome !== 'survived') return { outcome, stage };
      }
      return { outcome: 'survived' };
    } finally {
      if (path && sound) writeFileSync(path, sound);
    }
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }

  #run(stage: Stage, folder: Folder): Promise<Outcome> {
    const isProbe = isOfAllFolders(stage);
    const files = stage === 'tests' ? [...new Set([...OWN[folder], ...LIGHT])] : HEAVY[folder];
    const args = isProbe
      ? [join(this.#path, 'dist-test/mutants/probes.js'), stage]
      : [
          join(this.#path, 'node_modules/vitest/vitest.mjs'),
          ...['run', '--root', this.#path, '--config', join(this.#path, 'test/mutants/vitest.config.ts')],
        ];
    const child = spawn(process.execPath, args, {
      cwd: this.#path,
      env: { ...process.env, TMPDIR: join(this.#path, 'tmp'), RINGWAL_TEST_FILES: files.join(',') },
      stdio: process.env.RINGWAL_MUTANTS_SHOW ? 'inherit' : 'ignore',
      detached: true,
    });
    running.add(child);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => endWithAll(child), MOST_MS);
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        running.delete(child);
        endWithAll(child);
        rmSync(join(this.#path, 'tmp'), { recursive: true, force: true });
        mkdirSync(join(this.#path, 'tmp'));
        if (signal !== null) resolve('hung');
        else if (code === 0) resolve('survived');
        else resolve(code === 3 ? 'invalid' : 'killed');
      });
    });
  }
}
