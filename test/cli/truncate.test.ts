/** truncate: `ringwal truncate` and `ringwal gc` drop and free what they say, and nothing in a dry run. */
import { beforeEach, describe, expect, it } from 'vitest';
import { openLog, openReader } from '../../dist/src/index.js';
import { cli, cliJson } from '../support/cli.js';
import { fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 65_536 };
let directory = '';

/** Segments with LSN 1 and 2, 3 and 4, 5 and 6; LSN 4 is a checkpoint. */
beforeEach(async () => {
  directory = tempDir();
  const log = await openLog(directory, SMALL);
  for (let segment = 0; segment < 3; segment++) {
    await log.append(`record of ${segment}`);
    await (segment === 1 ? log.checkpoint('state') : log.append(`another of ${segment}`));
    if (segment < 2) await log.rotate();
  }
  await log.close();
});

const ends = async (): Promise<unknown> => {
  const { firstLsn, lastLsn } = (await cliJson(['info', directory])) as Record<string, unknown>;
  return [firstLsn, lastLsn];
};

describe.each([
  {
    args: ['truncate', '--before', '4'],
    result: { firstLsn: 4, lastLsn: 6, droppedLsns: 3, freed: { segments: 1 } },
  },
  {
    args: ['truncate', '--before', '7'],
    result: { firstLsn: 7, lastLsn: 6, droppedLsns: 6, freed: { segments: 3 } },
  },
  {
    args: ['truncate', '--before', '1'],
    result: { firstLsn: 1, lastLsn: 6, droppedLsns: 0, freed: { segments: 0 } },
  },
  { args: ['truncate', '--after', '3'], result: { firstLsn: 1, lastLsn: 3, droppedLsns: 3 } },
  { args: ['truncate', '--after', '6'], result: { firstLsn: 1, lastLsn: 6, droppedLsns: 0 } },
  { args: ['gc'], result: { firstLsn: 4, lastLsn: 6, droppedLsns: 3, freed: { segments: 1 } } },
  {
    args: ['gc', '--before-segment', '3'],
    result: { firstLsn: 5, lastLsn: 6, droppedLsns: 4, freed: { segments: 2 } },
  },
])('$args', ({ args: [name = '', ...options], result }) => {
  it('says what it would do, and changes nothing', async () => {
    const before = fingerprint(directory);
    expect(await cliJson([name, directory, ...options, '--dry-run'])).toMatchObject({
      isDryRun: true,
      ...result,
    });
    expect((await cli([name, directory, ...options, '--dry-run'])).out).toMatch(
      /^Would be: .*Nothing was changed\.\n$/,
    );
    expect(fingerprint(directory)).toEqual(before);
  });

  it('does that', async () => {
    const gone = segmentsIn(directory).slice(0, result.freed?.segments ?? 0);
    expect(await cliJson([name, directory, ...options])).toMatchObject({ isDryRun: false, ...result });
    expect(await ends()).toEqual([result.firstLsn, result.lastLsn]);
    for (const file of gone) expect(segmentsIn(directory)).not.toContain(file);
  });
});

it('says what it did', async () => {
  const { out, code, err } = await cli(['gc', directory]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^3 LSNs dropped, 1 segment \(.*\) freed\. The log holds LSN 4 to 6\.\n$/);
});

it('names the cursor that holds it back, and passes it with --force', async () => {
  const log = await openLog(directory, SMALL);
  await (await log.cursor('mailer')).ack(2);
  await log.close();
  const planned = await cli(['gc', directory, '--dry-run']);
  const held = await cli(['gc', directory]);
  expect(planned.err).toBe(held.err);
  expect(planned.out).toContain('The log would hold LSN 3 to 6.');
  expect(held.err).toContain('Held back at LSN 3 by the cursor "mailer" at LSN 2.');
  expect(held.out).toContain('The log holds LSN 3 to 6.');
  expect((await cli(['gc', directory, '--force'])).out).toContain('The log holds LSN 4 to 6.');
});

it.each([
  [['truncate'], 'Say where to truncate'],
  [['truncate', '--before', '2', '--after', '3'], 'cannot be used with'],
  [['truncate', '--before', '8'], 'truncated before 7 at most'],
  [['truncate', '--before', '8', '--dry-run'], 'truncated before 7 at most'],
  [['truncate', '--after', '7'], 'made to end with 0 to 6'],
  [['gc', '--before-segment', '9'], 'The newest segment is 3'],
])('refuses %j', async ([name = '', ...options], what) => {
  const before = fingerprint(directory);
  const { code, err, out } = await cli([name, directory, ...options]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(what);
  expect(fingerprint(directory)).toEqual(before);
});

it('asks for what is no longer needed when there is no checkpoint', async () => {
  const other = tempDir();
  const log = await openLog(other, SMALL);
  await log.append('x');
  await log.close();
  const { code, err } = await cli(['gc', other]);
  expect(code).toBe(2);
  expect(err).toContain('--before-segment N');
});

it('says which process has the log open and what to do', async () => {
  const log = await openLog(directory, SMALL);
  for (const args of [
    ['gc', directory],
    ['truncate', directory, '--before', '2'],
    ['truncate', directory, '--after', '5'],
  ]) {
    const { code, err } = await cli(args);
    expect(code).toBe(2);
    expect(err).toContain(`is open in process ${process.pid}`);
    expect(err).toContain('log.truncateBefore');
  }
  await log.close();
});

it('needs no key to truncate an encrypted log, also in the middle of a group', async () => {
  const other = tempDir();
  const encryption = { keyId: 1, key: () => new Uint8Array(32) };
  const log = await openLog(other, { ...SMALL, encryption });
  await log.appendBatch(['a', 'b', 'c', 'd']);
  await log.close();
  expect(await cliJson(['truncate', other, '--after', '3'])).toMatchObject({ lastLsn: 3 });
  expect(await cliJson(['truncate', other, '--before', '2'])).toMatchObject({ firstLsn: 2 });
  await using reader = await openReader(other, { key: encryption.key });
  expect((await reader.readAll()).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['b', 'c']);
});

it('says what stays for the sake of a transaction that reaches out of it, which a dry run does not know', async () => {
  const other = tempDir();
  const log = await openLog(other, SMALL);
  const transaction = log.begin();
  await Promise.all([transaction.append('begun'), log.append('x')]);
  await log.rotate();
  await log.append('y');
  await log.rotate();
  await transaction.commit();
  await log.checkpoint('state');
  await log.close();
  expect(await cliJson(['gc', other, '--dry-run'])).toMatchObject({ freed: { segments: 2 } });
  const { out, err } = await cli(['gc', other]);
  expect(out).toContain('0 segments (0 B) freed');
  expect(err).toMatch(/^2 segments \(.*\) can not go yet: .* reaches out of them/);
});
