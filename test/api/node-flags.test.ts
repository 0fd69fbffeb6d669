/** node-flags: what a log does in a process that was started in a way which takes something from it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';

const PACKAGE = JSON.stringify(pathToFileURL(join(process.cwd(), 'dist/src/index.js')).href);

/** What a program tells that was started with `flags`; those of `everywhere` are for its threads, too. */
function run(flags: readonly string[], program: string, everywhere = ''): unknown {
  const source = `import { openLog, openReader } from ${PACKAGE};
    const directory = process.argv[1];
    const told = [];
    ${program}
    console.log(JSON.stringify(told));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '-e', source, join(tempDir(), 'wal')],
    { encoding: 'utf8', timeout: 20_000, env: { ...process.env, NODE_OPTIONS: everywhere } },
  );
  return stdout === '' ? stderr : JSON.parse(stdout);
}

// The memory for direct writes is WebAssembly's, and each piece reserves gigabytes of addresses, which `ulimit -v` may refuse.
it('where there is no memory for direct writes, a log is opened and read all the same', () => {
  const refusing = "WebAssembly.Memory = function () { throw new RangeError('could not allocate memory'); };";
  const program = `
    const log = await openLog(directory, { segmentBytes: 65536, ringBytes: 16384 });
    told.push(await log.append('x'));
    for await (const { lsn } of log.read()) told.push(lsn);
    await log.close();
    const reader = await openReader(directory);
    for await (const { lsn } of reader.read()) told.push(lsn);
    await reader.close();
    await openLog(directory, { syncMode: 'direct' }).catch(({ code, message }) => told.push(code, /"direct"/.test(message)));`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(refusing)}`;
  expect(run([], program, preload)).toEqual([1, 1, 1, 'RINGWAL_IO', true]);
});

it('where no thread may be started, opening says so with a code, and the process ends by itself', () => {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const program = `
    await openLog(directory, { onSegmentFreed() {} })
      .catch(({ code, cause }) => told.push(code, cause.code));`;
  expect(run([flag, '--allow-fs-read=*'], program)).toEqual(['RINGWAL_IO', 'ERR_ACCESS_DENIED']);
});
