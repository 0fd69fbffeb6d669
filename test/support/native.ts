/** native: compiles the small C programs of test/layers/native when they are first needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programPath } from './scratch.js';

const root = new URL('../../', import.meta.url);

/**
 * The path of the program that test/layers/native/<name>.c makes, with what `pkg-config` knows of `packages`. It stays
 * in dist-test, so that nothing is left elsewhere by a run that was killed.
 */
export function compiledProgram(name: string, packages: readonly string[] = []): string {
  return compiled(name, name, () =>
    packages.length === 0
      ? []
      : execFileSync('pkg-config', ['--cflags', '--libs', ...packages], { encoding: 'utf8' })
          .trim()
          .split(/\s+/),
  );
}

/** The same for a library that is preloaded. */
export function compiledLibrary(name: string): string {
  return compiled(name, `${name}.so`, () => ['-shared', '-fPIC', '-pthread', '-ldl']);
}

function compiled(name: string, file: string, flags: () => string[]): string {
  const source = fileURLToPath(new URL(`test/layers/native/${name}.c`, root));
  const target = fileURLToPath(new URL(`dist-test/native/${file}`, root));
  const made = statSync(target, { throwIfNoEntry: false });
  if (made !== undefined && made.mtimeMs > statSync(source).mtimeMs) return target;
  mkdirSync(dirname(target), { recursive: true });
  // Others may be doing the same.
  const own = `${target}.${process.pid}`;
  execFileSync('cc', ['-O1', '-Wall', '-o', own, source, ...flags()], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(own, target);
  return target;
}

/** Why C programs can't be compiled here, with such packages. */
export function compilerLacks(packages: readonly string[] = []): string | undefined {
  if (programPath('cc') === undefined) return 'no C compiler (cc)';
  if (packages.length === 0) return undefined;
  if (programPath('pkg-config') === undefined) return 'pkg-config is not installed';
  const missing = packages.filter((name) => spawnSync('pkg-config', ['--exists', name]).status !== 0);
  return missing.length === 0 ? undefined : `development files are not installed: ${missing.join(', ')}`;
}
