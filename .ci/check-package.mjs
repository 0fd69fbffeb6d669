/** check-package: packs the package, installs it into an empty project, uses it and type-checks against it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const project = mkdtempSync(join(tmpdir(), 'ringwal-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const use = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openLog, openReader, verifyLog } from 'ringwal';
import { decodeOperation, WriteBatch, writeBatch } from 'ringwal/operations';
import { appendStream, toReadable } from 'ringwal/streams';
const log = await openLog('data');
const lsn = await log.append('from the opener');
const handle = log.handle();
const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: handle, transferList: [handle] });
const [other] = await once(worker, 'message');
const read = [];
for await (const record of log.read()) read.push(Buffer.from(record.payload).toString());
const { last } = await writeBatch(log, new WriteBatch().put('key', 'value').delete('key'));
for await (const record of log.read({ from: last })) read.push(decodeOperation(record.payload).kind);
await once(appendStream(log).end('streamed'), 'finish');
for await (const record of toReadable(log.read({ from: last + 1 }))) read.push(Buffer.from(record.payload).toString());
await log.close();
const reader = await openReader('data');
read.push((await reader.readAll()).length);
await reader.close();
const report = await verifyLog('data');
console.log(JSON.stringify({ lsn, other, read, damage: report.damage.length, records: report.records }));
`;
const worker = `
import { parentPort, workerData } from 'node:worker_threads';
import { attachLog } from 'ringwal';
const log = await attachLog(workerData);
const lsn = await log.append('from a worker');
await log.close();
parentPort.postMessage(lsn);
`;
const consumer = `
import { type Log, type LogRecord, type LsnRange, openLog } from 'ringwal';
import { decodeOperation, type Operation, WriteBatch, writeBatch } from 'ringwal/operations';
import { appendWritableStream, toWebStream } from 'ringwal/streams';
const log: Log = await openLog('data', { windowUs: 100 });
const lsn: number = await log.append(new Uint8Array(3));
for await (const record of log.read({ from: lsn })) {
  const own: LogRecord = record;
  const bytes: Uint8Array<ArrayBuffer> = own.payload;
  console.log(bytes.length);
}
const range: LsnRange = await writeBatch(log, new WriteBatch().put('key', new Uint8Array(3)));
const operation: Operation = decodeOperation(new Uint8Array(8));
if (operation.kind === 'put') console.log(range.last, operation.value.length);
await toWebStream(log.tail()).getReader().cancel();
await appendWritableStream(log, { highWaterMark: 8 }).getWriter().write('text');
// @ts-expect-error a delete has no value
console.log(new WriteBatch().delete('key', 'value'));
// @ts-expect-error a record is bytes or a string
await log.append(42);
`;

try {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], root),
  );
  const stray = packed.files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(dist\/(src|workers)\/.+\.(js|d\.ts)|dist\/workers\/LICENSES\.txt|dashboards\/grafana\.json|package\.json|README\.md|LICENSE)$/.test(
          path,
        ),
    );
  if (stray.length > 0) throw new Error(`the package holds what it should not: ${stray.join(', ')}`);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  run('npm', ['install', '--no-audit', '--no-fund', join(project, packed.filename), ...tools], project);
  writeFileSync(join(project, 'use.mjs'), use);
  writeFileSync(join(project, 'worker.mjs'), worker);
  writeFileSync(join(project, 'consumer.ts'), consumer);
  const result = run(process.execPath, ['use.mjs'], project).trim();
  const expected = JSON.stringify({
    lsn: 1,
    other: 2,
    read: ['from the opener', 'from a worker', 'delete', 'streamed', 5],
    damage: 0,
    records: 5,
  });
  if (result !== expected) throw new Error(`used from the package it says ${result}, not ${expected}`);
  // README's first two examples, as they are printed there.
  const says = ['1 paid: order 17\n', 'recovered up to LSN 1\n3 debit 5\n4 credit 5\n5 a\n6 b\n7 c\n'];
  const examples = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)];
  for (const [i, expected] of says.entries()) {
    writeFileSync(join(project, 'readme.mjs'), examples[i][1]);
    const said = run(process.execPath, ['readme.mjs'], project);
    if (said !== expected) throw new Error(`README's example ${i + 1} says:\n${said}`);
  }
  const told = JSON.parse(run('npx', ['ringwal', 'info', 'data', '--json'], project));
  if (told.lastLsn !== 5) throw new Error(`the command says: ${JSON.stringify(told)}`);
  run(
    'npx',
    [
      'tsc',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
      '--types',
      'node',
      'consumer.ts',
    ],
    project,
  );
  // What linters of packages have to say: every entry point is there, and its types are what is loaded.
  const tarball = join(project, packed.filename);
  run('npx', ['-y', 'publint@0.3.25', '--strict', tarball], project);
  run('npx', ['-y', '@arethetypeswrong/cli@0.18.5', tarball, '--profile', 'esm-only'], project);
  const kept = readdirSync(join(project, 'data')).filter((name) => name.endsWith('.wal')).length;
  console.log(
    `packed: ${packed.files.length} files, ${packed.size} bytes; installed, used (${kept} segments) and type-checked`,
  );
} finally {
  rmSync(project, { recursive: true, force: true });
}
