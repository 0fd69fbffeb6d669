/** tidy: the walls of the code base, as docs/ARCHITECTURE.md draws them, kept by a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const MAX_LINES = 350;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Without comments, so that prose may name what code may not. */
  readonly code: string;
  /** Modules imported at run time, as paths from the root. */
  readonly imports: readonly string[];
}

const sources: Source[] = ['src', 'workers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => load(join(folder, name))),
);

function load(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const imports = [...code.matchAll(/^(?:import|export)\s+(?!type\b)([^;]*?)from '(\.[^']+)';/gms)]
    .filter(([, names = '']) => !/^\{(\s*type\s+\w+,?)+\s*\}\s*$/.test(names))
    .map(([, , target = '']) => relative(root, resolve(root, dirname(path), target)).replace(/\.js$/, '.ts'));
  return { path, text, code, imports };
}

const within =
  (...folders: string[]) =>
  (path: string): boolean =>
    folders.some((folder) => path.startsWith(folder));

it('touches Atomics in the ring folder only', () => {
  expect(
    sources
      .filter(({ path, code }) => /\bAtomics\./.test(code) && !within('src/ring/')(path))
      .map(({ path }) => path),
  ).toEqual([]);
});

it('touches the file system in the storage module, the lock, the count of CPUs and the command line only', () => {
  const isAllowed = within('src/storage/', 'src/lock/directory-lock.ts', 'src/cpus.ts', 'src/cli/');
  const found = sources.filter(({ code }) => /from 'node:fs/.test(code)).map(({ path }) => path);
  expect(found.filter((path) => !isAllowed(path))).toEqual([]);
});

it('keeps the callers side and the worker side apart', () => {
  const isCaller = within(
    'src/append/',
    'src/transaction/',
    'src/lifecycle/',
    'src/followed-log.ts',
    'src/log.ts',
    'src/open-log.ts',
    'src/thread.ts',
    'src/thread-log.ts',
    'src/ring/producer.ts',
    'src/ring/claim.ts',
  );
  const isWorker = within(
    'src/commit/',
    'src/engine/',
    'src/maintenance/',
    'src/ring/consumer.ts',
    'src/lock/',
    'workers/',
  );
  for (const { path, imports } of sources) {
    if (isCaller(path)) expect(imports.filter(isWorker), path).toEqual([]);
    if (isWorker(path)) expect(imports.filter(isCaller), path).toEqual([]);
  }
});

it.each([
  ['operations', []],
  ['streams', ['node:stream', 'node:stream/web']],
  ['prometheus', ['prom-client']],
  ['opentelemetry', ['@opentelemetry/api', 'node:diagnostics_channel']],
  ['dashboard', ['node:http', 'node:crypto', 'node:net']],
  ['cli', undefined],
])('keeps ringwal/%s on top of the public surface, and the core without knowledge of it', (name, others) => {
  const isOnTop = within(`src/${name}/`);
  const isPublic = (target: string): boolean => /^(\.\.\/)+(index|errors|check-options)\.js$/.test(target);
  for (const { path, code, imports } of sources) {
    if (!isOnTop(path)) expect(imports.filter(isOnTop), path).toEqual([]);
    else {
      const targets = [...code.matchAll(/from '([^']+)'/g)].map(([, target = '']) => target);
      const isOwn = (target: string): boolean => isOnTop(join(dirname(path), target));
      const isOther = (target: string): boolean =>
        others === undefined ? !target.startsWith('.') : others.some((other) => other === target);
      expect(
        targets.filter((target) => !isOwn(target) && !isPublic(target) && !isOther(target)),
        path,
      ).toEqual([]);
    }
  }
});

it('keeps readers apart from what writes: neither knows of the other', () => {
  const isReader = within('src/reader/');
  const isWriter = within('src/append/', 'src/commit/', 'src/engine/', 'src/maintenance/', 'src/ring/');
  for (const { path, imports } of sources) {
    if (isReader(path)) expect(imports.filter(isWriter), path).toEqual([]);
    else if (path !== 'src/index.ts') expect(imports.filter(isReader), path).toEqual([]);
  }
});

it('has no import cycles', () => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    expect(way, 'a cycle').not.toContain(path);
    if (done.has(path)) return;
    for (const next of byPath.get(path)?.imports ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
});

it.each([
  [/\bDate\.now\b|\bnew Date\b/, 'wall time: use the environment'],
  [/\bconsole\./, 'output: a library says nothing'],
  [/\bTODO\b|\bFIXME\b/, 'unfinished work'],
  [/:\s*any\b|<any>|\bas any\b/, 'any'],
])('never uses %s (%s)', (pattern) => {
  expect(sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
});

it('says in the first line of every file what the file is, and keeps files short', () => {
  for (const { path, text } of sources) {
    const name = path.split('/').at(-1)?.replace('.ts', '');
    const title = path === 'src/index.ts' ? 'ringwal' : name;
    expect(text.slice(0, 200), path).toMatch(new RegExp(`^(#!.*\n)?/\\*\\*[\\s*]*${title}: `, 'i'));
    expect(text.split('\n').length, path).toBeLessThanOrEqual(MAX_LINES);
  }
});
