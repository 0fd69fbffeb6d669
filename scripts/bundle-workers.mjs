/**
 * bundle-workers: makes each built worker one file that imports nothing but Node's own modules, and writes down whose
 * code is in it.
 *
 * A thread loads its modules anew, one after the other: seventy of them, and three packages, are half of the time that
 * opening a log takes (docs/PERFORMANCE.md has the figures). And one file can be copied to where an application's bundle is.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = join(root, 'dist/workers');

const { metafile } = await build({
  ...{ absWorkingDir: root, outdir: directory, metafile: true, allowOverwrite: true, logLevel: 'warning' },
  ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20.15', mainFields: ['module', 'main'] },
  entryPoints: ['io-worker', 'scan-worker'].map((name) => join(directory, `${name}.js`)),
});

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
);
const notices = ['.', ...[...packages].sort()].map((path) => {
  const at = resolve(root, path);
  const { name, version, license } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no file with its licence: it must not be bundled`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(at, file), 'utf8').trim()}\n`;
});
writeFileSync(
  join(directory, 'LICENSES.txt'),
  ['The workers beside this file hold code of these packages:\n', ...notices].join(`\n${'-'.repeat(80)}\n\n`),
);
