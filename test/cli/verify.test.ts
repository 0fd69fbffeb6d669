/** verify: `ringwal verify` says with its exit code whether a log is sound, damaged, or could not be looked at. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { cli, startCli } from '../support/cli.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 65_536 };
let directory = '';

beforeEach(async () => {
  directory = tempDir();
  const log = await openLog(directory, SMALL);
  for (let segment = 0; segment < 3; segment++) {
    await log.appendBatch(Array.from({ length: 100 }, () => 'x'.repeat(100)));
    if (segment < 2) await log.rotate();
  }
  await log.close();
});

const damage = (name = ''): void => edit(directory, name, (bytes) => bytes.fill(0x55, 6000, 6010));

it('exits with 0 when the log is sound', async () => {
  const before = fingerprint(directory);
  const { code, out, err } = await cli(['verify', directory, '--threads', '2']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('3 segments, 300 records, LSN 1 to 300');
  expect(out).toContain('The log is sound.');
  expect(fingerprint(directory)).toEqual(before);
});

it('exits with 1 when it is damaged, and names file and offset of all damage', async () => {
  const [first, second] = segmentsIn(directory);
  damage(first);
  damage(second);
  const { code, out } = await cli(['verify', directory]);
  expect(code).toBe(1);
  expect(out.match(/^damaged {2}/gm)).toHaveLength(2);
  expect(out).toContain(first);
  expect(out).toContain('ringwal repair');
  const json = await cli(['verify', directory, '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({
    isSound: false,
    segments: 3,
    damage: [{ code: 'RINGWAL_CORRUPT', file: first }, { file: second }],
  });
});

it('exits with 1 when the files do not even hang together', async () => {
  const [, second = ''] = segmentsIn(directory);
  edit(directory, second, (bytes) => bytes.fill(0xff, 0, 4096));
  const { code, out } = await cli(['verify', directory, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ isSound: false, damage: [{ code: 'RINGWAL_CORRUPT' }] });
});

it.skipIf(process.getuid?.() === 0)('exits with 2 when it could not look', async () => {
  chmodSync(join(directory, segmentsIn(directory)[0] ?? ''), 0);
  expect((await cli(['verify', directory])).code).toBe(2);
});

it('shows a bar with its rate on stderr when that is a terminal, and none when it is not', async () => {
  const { code, out, err } = await cli(['verify', directory, '--json'], { isTty: true });
  expect(code).toBe(0);
  expect(err).toContain('verifying  [');
  expect(err).toMatch(/100 % .*\/s/);
  expect(JSON.parse(out)).toMatchObject({ isSound: true });
});

it('ends at once when it is interrupted, with exit code 130', async () => {
  const { ended, interrupt } = startCli(['verify', directory]);
  interrupt();
  expect(await ended).toBe(130);
});

it('refuses a number of threads that makes no sense', async () => {
  const { code, err } = await cli(['verify', directory, '--threads', '0']);
  expect(code).toBe(2);
  expect(err).toContain('whole number from 1 to 64');
});
