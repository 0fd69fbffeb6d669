/** append: `ringwal append` acknowledges what is on stable storage, says what is not, and never mixes up encryption. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { appendInput } from '../../dist/src/cli/append-input.js';
import { openLog, openReader, salvage } from '../../dist/src/index.js';
import { cli, startCli } from '../support/cli.js';
import { must } from '../support/must.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL = ['--segment-bytes', '64k'];

async function payloadsIn(directory: string): Promise<string[]> {
  await using reader = await openReader(directory);
  return (await reader.readAll()).map(({ payload }) => Buffer.from(payload).toString('latin1'));
}

describe('lines and frames', () => {
  it('appends each line as it lies, empty ones and a last one without newline too, and makes the log', async () => {
    const directory = join(tempDir(), 'new');
    const { code, out, err } = await cli(['append', directory, ...SMALL], { stdin: 'one\r\n\ntwo\nlast' });
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('Made a new log');
    expect(err).toContain('4 records on stable storage, LSN 1 to 4.');
    expect(await payloadsIn(directory)).toEqual(['one\r', '', 'two', 'last']);
  });

  it('joins lines that come in pieces', async () => {
    const directory = tempDir();
    const pieces = ['he', 'llo\nwor', 'ld', '\n', '\nend'].map((piece) => Buffer.from(piece));
    await cli(['append', directory, ...SMALL], { stdin: Readable.from(pieces) });
    expect(await payloadsIn(directory)).toEqual(['hello', 'world', '', 'end']);
  });

  it('takes the frames that cat writes: both together copy any content', async () => {
    const [from, to] = [tempDir(), tempDir()];
    const log = await openLog(from, { segmentBytes: 65_536, ringBytes: 65_536 });
    for (const payload of ['', 'a\nb', randomBytes(40_000), '\0']) await log.append(payload);
    await log.close();
    for (const pieceBytes of [1, 7, 100_000]) {
      const { stdout, ended } = startCli(['cat', from, '--frames']);
      const frames = Buffer.concat(await stdout.toArray());
      expect(await ended).toBe(0);
      const pieces = Array.from({ length: Math.ceil(frames.length / pieceBytes) }, (_, i) =>
        frames.subarray(i * pieceBytes, (i + 1) * pieceBytes),
      );
      expect(await cli(['append', to, '--frames', ...SMALL], { stdin: Readable.from(pieces) })).toMatchObject(
        { code: 0 },
      );
    }
    const copied = await payloadsIn(from);
    expect(await payloadsIn(to)).toEqual([...copied, ...copied, ...copied]);
  });

  it('appends the whole frames of an input that ends within one, and fails', async () => {
    const directory = tempDir();
    const stdin = Buffer.from('\0\0\0\x01a\0\0\0\x05bc', 'latin1');
    const { code, err } = await cli(['append', directory, '--frames', ...SMALL], { stdin });
    expect(code).toBe(1);
    expect(err).toContain('1 record on stable storage, LSN 1.');
    expect(err).toContain('ended within frame 2');
    expect(await payloadsIn(directory)).toEqual(['a']);
  });

  it('refuses a frame that no record can be, and says that lines are appended without --frames', async () => {
    const { code, err } = await cli(['append', tempDir(), '--frames', ...SMALL], { stdin: 'hello\nworld\n' });
    expect(code).toBe(1);
    expect(err).toContain('without --frames');
  });
});

describe('acknowledgement', () => {
  it('prints LSNs as records become durable, while the input goes on', async () => {
    const directory = tempDir();
    const stdin = new PassThrough();
    const { stdout, ended } = startCli(['append', directory, '--ack', ...SMALL], { stdin });
    stdout.setEncoding('utf8');
    stdin.write('one\n');
    expect((await once(stdout, 'data'))[0]).toBe('1\n');
    await using reader = await openReader(directory);
    expect((await reader.tail().next()).value).toMatchObject({ lsn: 1 });
    stdin.end('two\n');
    expect(await text(stdout)).toBe('2\n');
    expect(await ended).toBe(0);
  });

  it('tells all of it as JSON', async () => {
    const { out } = await cli(['append', tempDir(), '--ack', '--json', ...SMALL], { stdin: 'a\nb\n' });
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { lsn: 1 },
      { lsn: 2 },
      expect.objectContaining({
        read: 2,
        acknowledged: 2,
        firstLsn: 1,
        lastLsn: 2,
        rejected: 0,
        isComplete: true,
      }),
    ]);
  });

  it('keeps what was read before an interruption, and half a line not', async () => {
    const directory = tempDir();
    const stdin = new PassThrough();
    const { stdout, stderr, ended, interrupt } = startCli(['append', directory, '--ack', ...SMALL], {
      stdin,
    });
    stdin.write('whole\nhal');
    await once(stdout, 'data');
    interrupt();
    expect(await ended).toBe(130);
    expect(await text(stderr)).toContain('1 record on stable storage');
    expect(await payloadsIn(directory)).toEqual(['whole']);
  });

  it('keeps account of records that are rejected, and reads no further', async () => {
    const stop = new AbortController();
    let calls = 0;
    const log = {
      append: (): Promise<number> => {
        calls++;
        return calls < 3 ? Promise.resolve(calls) : Promise.reject(new Error(`disk ${calls}`));
      },
    };
    async function* endless(): AsyncGenerator<Uint8Array, void, void> {
      for (;;) yield Buffer.from('x');
    }
    const acks: number[] = [];
    const account = await appendInput(log as never, endless(), {
      onAck: (lsn) => acks.push(lsn),
      ready: () => Promise.resolve(),
      stop: () => stop.abort(),
      signal: stop.signal,
    });
    expect(acks).toEqual([1, 2]);
    expect(account).toMatchObject({ acknowledged: 2, firstLsn: 1, lastLsn: 2, firstRejected: 3 });
    expect(account.failure).toMatchObject({ message: 'disk 3' });
    expect(account.read).toBe(account.acknowledged + account.rejected);
  });

  it('holds a bounded part of the input, however slow the disk is', async () => {
    let release = (): void => {};
    const synced = new Promise<void>((resolve) => {
      release = resolve;
    });
    let lsn = 0;
    let read = 0;
    const log = { append: () => synced.then(() => ++lsn) };
    async function* input(): AsyncGenerator<Uint8Array, void, void> {
      const line = new Uint8Array(1024 * 1024);
      for (; read < 64; read++) yield line;
    }
    const done = appendInput(log as never, input(), {
      onAck: () => {},
      ready: () => Promise.resolve(),
      stop: () => {},
      signal: new AbortController().signal,
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeLessThan(16);
    release();
    expect(await done).toMatchObject({ read: 64, acknowledged: 64 });
  });

  it('names the process that has the log open, with exit code 2', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 65_536 });
    const { code, err } = await cli(['append', directory], { stdin: 'x\n' });
    expect(code).toBe(2);
    expect(err).toContain(`is open in process ${process.pid}`);
    expect(err).toContain('(RINGWAL_LOCKED)\nStop that process');
    await log.close();
  });
});

it('appends to an encrypted log with its key only, under the id of the last record', async () => {
  const key = randomBytes(32);
  const directory = tempDir();
  const keyFile = join(tempDir(), 'key');
  writeFileSync(keyFile, key.toString('hex'));
  const first = ['append', directory, '--key-file', keyFile, '--key-id', '7', ...SMALL];
  expect((await cli(first, { stdin: 'a\n' })).code).toBe(0);
  const without = await cli(['append', directory, ...SMALL], { stdin: 'plain\n' });
  expect(without.code).toBe(2);
  expect(without.err).toContain('nothing is appended in plain text');
  expect((await cli(['append', directory, '--key-file', keyFile, ...SMALL], { stdin: 'b\n' })).code).toBe(0);
  const asked: number[] = [];
  await using reader = await openReader(directory, {
    key: (keyId) => {
      asked.push(keyId);
      return key;
    },
  });
  expect((await reader.readAll()).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['a', 'b']);
  expect(asked).toEqual([7]);
});

// It went by the last entry, and appended in plain.
it('appends with the key only to an encrypted log that was salvaged, whose last entry keeps the place of what is lost', async () => {
  const encryption = { keyId: 7, key: () => Buffer.alloc(32, 1) };
  const damaged = tempDir();
  const log = await openLog(damaged, { segmentBytes: 65_536, ringBytes: 65_536, encryption });
  const transaction = log.begin();
  await transaction.append('its first record, in the segment that is lost');
  for (let i = 0; i < 5; i++) await log.append(randomBytes(15_000));
  await transaction.commit();
  await log.close();
  rmSync(join(damaged, must(segmentsIn(damaged)[0])));
  const directory = join(tempDir(), 'saved');
  const { plainBefore, lastLsn } = await salvage(damaged, directory);
  expect(plainBefore).toBe(lastLsn + 1);
  const without = await cli(['append', directory, ...SMALL], { stdin: 'plain\n' });
  expect(without).toMatchObject({ code: 2, err: expect.stringContaining('the last one with key 7') });
  const keyFile = join(tempDir(), 'key');
  writeFileSync(keyFile, Buffer.alloc(32, 1).toString('hex'));
  expect((await cli(['append', directory, '--key-file', keyFile, ...SMALL], { stdin: 'b\n' })).code).toBe(0);
  await using reader = await openReader(directory, { key: encryption.key, plainBefore });
  const last = (await reader.readAll({ from: plainBefore })).map(({ payload }) =>
    Buffer.from(payload).toString(),
  );
  expect(last).toEqual(['b']);
});

it('does not say that records are not in the log of which one may be, whichever was rejected first', async () => {
  const codes = ['RINGWAL_POISONED', 'RINGWAL_TOO_LARGE'];
  let failed = (): void => {};
  const isTooLarge = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const log = {
    async append(): Promise<number> {
      const code = codes.shift();
      if (code === 'RINGWAL_TOO_LARGE') failed();
      else await isTooLarge; // in flight still, when the disk fails
      throw Object.assign(new Error('refused'), { code });
    },
  };
  async function* two(): AsyncGenerator<Uint8Array, void, void> {
    yield new Uint8Array(1);
    yield new Uint8Array(1);
  }
  const { signal } = new AbortController();
  const account = await appendInput(log as never, two(), {
    ...{ onAck: () => {}, ready: async () => {}, stop: () => {}, signal },
  });
  expect(account.failure).toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
  expect(account).toMatchObject({ rejected: 2, isInDoubt: true });
});
