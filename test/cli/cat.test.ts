/** cat: `ringwal cat` writes the records that are asked for, in each format, also of encrypted logs. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CliIo } from '../../dist/src/cli/io.js';
import { formatter } from '../../dist/src/cli/record-format.js';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import { cli, startCli } from '../support/cli.js';
import { fingerprint, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 65_536 };

async function written(payloads: readonly (string | Uint8Array)[], options = SMALL): Promise<string> {
  const directory = tempDir();
  const log = await openLog(directory, options);
  for (const payload of payloads) await log.append(payload);
  await log.close();
  return directory;
}

it('writes payloads with a newline behind each, from, to and at most as many as asked for', async () => {
  const directory = await written(['a', 'b', '', 'd']);
  const before = fingerprint(directory);
  expect(await cli(['cat', directory])).toEqual({ code: 0, out: 'a\nb\n\nd\n', err: '' });
  expect((await cli(['cat', directory, '--from', '2', '--to', '3'])).out).toBe('b\n\n');
  expect((await cli(['cat', directory, '--from', '2', '--limit', '1'])).out).toBe('b\n');
  expect((await cli(['cat', directory, '--limit', '0'])).out).toBe('');
  expect(fingerprint(directory)).toEqual(before);
});

it('reads from the last checkpoint, and records of some types only', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await log.append('before');
  await log.checkpoint('state');
  const tx = log.begin();
  await tx.append('inside');
  await tx.commit();
  await log.close();
  expect((await cli(['cat', directory, '--from', 'checkpoint'])).out).toBe('state\ninside\n');
  expect((await cli(['cat', directory, '--type', 'checkpoint'])).out).toBe('state\n');
  const ends = await cli(['cat', directory, '--type', 'begin,commit', '--type', 'checkpoint', '--json']);
  expect(ends.out.match(/"type":"\w+"/g)).toEqual([
    '"type":"checkpoint"',
    '"type":"begin"',
    '"type":"commit"',
  ]);
  expect(await cli(['cat', directory, '--type', 'wat'])).toMatchObject({ code: 2, out: '' });
});

it('writes JSON, an object a line: text as it is, other bytes in base64', async () => {
  const directory = await written(['grüße\n', Uint8Array.of(0xff, 0)]);
  const { out } = await cli(['cat', directory, '--json']);
  const [text, bytes] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(text).toMatchObject({ lsn: 1, type: 'record', encoding: 'utf8', payload: 'grüße\n', bytes: 8 });
  expect(bytes).toMatchObject({
    lsn: 2,
    encoding: 'base64',
    payload: '/wA=',
    timestampUs: expect.any(Number),
  });
  expect((await cli(['cat', directory, '--format', 'json'])).out).toBe(out);
});

// DEL and the control characters above it came as they were: a terminal takes some for the begin of a command.
it('writes JSON in which every control character is escaped, and stands for itself', async () => {
  const payload = String.fromCharCode(...Array.from({ length: 0xa1 }, (_, code) => code));
  const directory = await written([payload]);
  for (const command of ['cat', 'tail']) {
    const { out } = await cli([command, directory, '--json']);
    expect(JSON.parse(out)).toMatchObject({ lsn: 1, payload });
    expect(out.trimEnd()).not.toMatch(/\p{Control}/u);
    expect(out).toContain('~\\u007f\\u0080');
  }
});

it('writes hexadecimal to look at', async () => {
  const directory = await written(['seventeen letters', Uint8Array.of(0)]);
  const [title, first, second, , last] = (await cli(['cat', directory, '--format', 'hex'])).out.split('\n');
  expect(title).toMatch(/^LSN 1 {2}record {2}17 B {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(first).toBe('  00000000  73 65 76 65 6e 74 65 65  6e 20 6c 65 74 74 65 72  seventeen letter');
  expect(second).toBe(`  00000010  73${' '.repeat(48)}s`);
  expect(last).toBe(`  00000000  00${' '.repeat(48)}.`);
});

it('says which LSNs there are not, with exit code 2', async () => {
  const { code, err } = await cli(['cat', await written(['a']), '--from', '5']);
  expect(code).toBe(2);
  expect(err).toContain('(RINGWAL_OUT_OF_RANGE)');
  expect(err).toContain('ringwal info');
});

it('reads an encrypted log with its key, as bytes or in hexadecimal, and asks for it without', async () => {
  const key = randomBytes(32);
  const directory = await written(['secret'], { ...SMALL, encryption: { keyId: 7, key: () => key } });
  const keys = tempDir();
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(keys, name), content);
    return join(keys, name);
  };
  for (const content of [key, `${key.toString('hex')}\n`])
    expect((await cli(['cat', directory, '--key-file', file('good', content)])).out).toBe('secret\n');
  const without = await cli(['cat', directory]);
  expect(without).toMatchObject({ code: 2, out: '' });
  expect(without.err).toContain('--key-file FILE');
  for (const [content, what] of [
    [randomBytes(32), 'RINGWAL_DECRYPTION'],
    ['short', 'must hold 32 bytes'],
  ] as const) {
    const { code, err } = await cli(['cat', directory, '--key-file', file('bad', content)]);
    expect(code).toBe(2);
    expect(err).toContain(what);
  }
  expect((await cli(['cat', directory, '--key-file', join(keys, 'none')])).err).toContain("can't be read");
});

// It read on to the end, and then ended with 0.
it.each([
  'cat',
  'tail',
])('%s ends when it is interrupted, also while no record is what is asked for', async (command) => {
  const directory = await written(['a', 'b']);
  const { ended, interrupt } = startCli([command, directory, '--type', 'abort']);
  interrupt();
  expect(await ended).toBe(130);
});

// "Invalid string length" was all that was said.
it.each([
  'json',
  'hex',
] as const)('says of a record that is too large for %s which one it is, and what to do', (format) => {
  const payload = new Uint8Array(420_000_000); // in base64, longer than a string can be
  payload[0] = 0xff;
  const record = {
    lsn: 17,
    type: 'record',
    payload,
    timestampUs: 0,
    transaction: undefined,
    commitLsn: 17,
  } as const;
  expect(() => formatter({ hasColour: false } as CliIo, { format })(record)).toThrow(
    expect.objectContaining({
      code: 'TOO_LARGE',
      message: expect.stringContaining('LSN 17'),
      hint: expect.stringContaining('--frames'),
    }),
  );
});

it('refuses what is in plain in an encrypted log, but before the LSN that is given', async () => {
  const key = randomBytes(32);
  const directory = await written(['plain'], SMALL);
  const log = await openLog(directory, { ...SMALL, encryption: { keyId: 7, key: () => key } });
  await log.append('secret');
  await log.close();
  const file = join(tempDir(), 'key');
  writeFileSync(file, key);
  for (const command of ['cat', 'tail']) {
    const whole = await cli([command, directory, '--key-file', file]);
    expect(whole).toMatchObject({ code: 2, out: '' });
    expect(whole.err).toContain('--plain-before');
    const said = await cli([command, directory, '--key-file', file, '--plain-before', '2']);
    expect(said).toMatchObject({ code: 0, out: 'plain\nsecret\n' });
  }
});
