/** native: compiles the small C programs of test/layers/native, once per process, into a directory of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programPath } from './scratch.js';

const compiled = new Map<string, string>();

/** The path of the program that test/layers/native/<name>.c makes, with what `pkg-config` knows of `packages`. */
export function compiledProgram(name: string, packages: readonly string[] = []): string {
  const before = compiled.get(name);
  if (before !== undefined) return before;
  const source = fileURLToPath(new URL(`../../test/layers/native/${name}.c`, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'ringwal-native-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, name);
  const flags =
    packages.length === 0
      ? []
      : execFileSync('pkg-config', ['--cflags', '--libs', ...packages], { encoding: 'utf8' })
          .trim()
          .split(/\s+/);
  execFileSync('cc', ['-O1', '-Wall', '-o', target, source, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  compiled.set(name, target);
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
