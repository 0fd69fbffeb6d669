/** esbuild: a bundled application finds its workers, in a directory where nothing is installed (docs/BUNDLERS.md). */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { expect, it } from 'vitest';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const worker = (name: string): string => join(root, 'dist/workers', `${name}.js`);

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

it('appends and reads with the I/O worker as a second entry point, and without piscina', async () => {
  const outdir = tempDir();
  await build({ ...common, outdir, ...application(APPEND + TELL) });
  await build({ ...common, outdir, entryPoints: [worker('io-worker')] });
  expect(readFileSync(join(outdir, 'stdin.mjs'), 'utf8')).not.toContain('ThreadPool');
  expect(await run(outdir)).toEqual({ lsn: 1, read: ['from a bundle'] });
});

it('verifies with the scan worker and piscina beside it', async () => {
  const outdir = tempDir();
  const esm: BuildOptions = { ...common, outdir, banner: { js: BANNER } };
  await build({ ...esm, ...application(APPEND + VERIFY) });
  await build({ ...esm, entryPoints: [worker('io-worker'), worker('scan-worker')] });
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
