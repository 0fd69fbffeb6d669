/** esbuild: a bundled application finds copies of its workers, where nothing is installed (docs/BUNDLERS.md). */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { expect, it } from 'vitest';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workers = join(root, 'dist/workers');
const copyWorker = (name: string, outdir: string): void =>
  copyFileSync(join(workers, `${name}.js`), join(outdir, `${name}.mjs`));

const APPEND = `
import { openLog } from 'ringwal';
const workerUrl = new URL('./io-worker.mjs', import.meta.url);
const log = await openLog('data', { workerUrl });
const lsn = await log.append('from a bundle');
const read = [];
for await (const { payload } of log.read()) read.push(Buffer.from(payload).toString());
await log.close();
`;
const TELL = 'console.log(JSON.stringify({ lsn, read }));';
const VERIFY = `
import { verifyLog } from 'ringwal';
const { records, damage } = await verifyLog('data', { workerUrl: new URL('./scan-worker.mjs', import.meta.url) });
console.log(JSON.stringify({ lsn, read, records, damage: damage.length }));
`;
const BANNER = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const __dirname = import.meta.dirname;
`;

const common: BuildOptions = {
  ...{ bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } },
  ...{ absWorkingDir: root, logLevel: 'silent', external: ['@napi-rs/nice'] },
};

const application = (contents: string): BuildOptions => ({ stdin: { contents, resolveDir: root } });

/** Runs the application where no package can be found. Resolves with what it told. */
async function run(directory: string): Promise<unknown> {
  expect(existsSync(join(directory, 'node_modules'))).toBe(false);
  const { stdout } = await promisify(execFile)(process.execPath, ['stdin.mjs'], { cwd: directory });
  return JSON.parse(stdout);
}

it('appends and reads with a copy of the I/O worker beside it, and without piscina', async () => {
  const outdir = tempDir();
  await build({ ...common, outdir, ...application(APPEND + TELL) });
  copyWorker('io-worker', outdir);
  expect(readFileSync(join(outdir, 'stdin.mjs'), 'utf8')).not.toContain('ThreadPool');
  expect(await run(outdir)).toEqual({ lsn: 1, read: ['from a bundle'] });
});

it('verifies with a copy of the scan worker and piscina beside it', async () => {
  const outdir = tempDir();
  const esm: BuildOptions = { ...common, outdir, banner: { js: BANNER } };
  await build({ ...esm, ...application(APPEND + VERIFY) });
  copyWorker('io-worker', outdir);
  copyWorker('scan-worker', outdir);
  const piscina = dirname(createRequire(import.meta.url).resolve('piscina'));
  const pool: BuildOptions = { ...common, outdir, format: 'cjs', outExtension: { '.js': '.js' } };
  await build({ ...pool, entryPoints: [join(piscina, 'worker.js')] });
  expect(await run(outdir)).toEqual({ lsn: 1, read: ['from a bundle'], records: 1, damage: 0 });
});

it('says which file is missing when the worker was left behind', async () => {
  const outdir = tempDir();
  await build({ ...common, outdir, ...application(APPEND + TELL) });
  const failed = await promisify(execFile)(process.execPath, ['stdin.mjs'], { cwd: outdir }).catch(
    (error: { readonly stderr: string }) => error,
  );
  expect(must(failed.stderr)).toMatch(/RINGWAL_WORKER_DIED/);
  expect(failed.stderr).toMatch(/Cannot find module .*io-worker\.mjs/);
  expect(failed.stderr).toMatch(/say where it is \(option "workerUrl"\)/);
});

it('says with a code that CommonJS has no URL to look for the worker by', async () => {
  const outdir = tempDir();
  const contents = `
    import { openLog } from 'ringwal';
    openLog('data').catch(({ code, cause }) => console.log(JSON.stringify([code, cause.code])));`;
  await build({
    ...common,
    outdir,
    ...application(contents),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  const { stdout } = await promisify(execFile)(process.execPath, ['stdin.cjs'], { cwd: outdir });
  expect(JSON.parse(stdout)).toEqual(['RINGWAL_IO', 'ERR_INVALID_URL']);
});

it('names the packages whose code is in the workers, with their licences', () => {
  const notices = readFileSync(join(workers, 'LICENSES.txt'), 'utf8');
  const bundled = readdirSync(workers)
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => [
      ...readFileSync(join(workers, name), 'utf8').matchAll(/^\/\/ .*node_modules\/((?:@[^/]+\/)?[^/]+)\//gm),
    ])
    .map(([, name = '']) => name);
  expect([...new Set(bundled)].sort()).toEqual([
    'comlink',
    'crc-32',
    'eventemitter3',
    'p-queue',
    'p-timeout',
  ]);
  for (const name of ['ringwal', ...bundled])
    expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)$`, 'm'));
  expect(notices.match(/Permission is hereby granted|Grant of Copyright License/g)).toHaveLength(6);
});
