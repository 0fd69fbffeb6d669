/** tail: `ringwal tail` writes the last records, and follows a log until it is interrupted. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { cli, startCli } from '../support/cli.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 65_536 };

it('writes the last ten records, or as many as asked for, of the type asked for', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await log.checkpoint('early');
  await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(`line ${i}`)));
  await log.close();
  const last = (count: number): string =>
    Array.from({ length: count }, (_, i) => `line ${100 - count + i}\n`).join('');
  expect(await cli(['tail', directory])).toEqual({ code: 0, out: last(10), err: '' });
  expect((await cli(['tail', directory, '-n', '2'])).out).toBe(last(2));
  expect((await cli(['tail', directory, '-n', '0'])).out).toBe('');
  expect((await cli(['tail', directory, '-n', '1000'])).out).toBe(`early\n${last(100)}`);
  expect((await cli(['tail', directory, '--type', 'checkpoint'])).out).toBe('early\n');
});

it('follows the log, across writers, and ends with exit code 0 when it is interrupted', async () => {
  const directory = tempDir();
  const first = await openLog(directory, SMALL);
  await first.append('one');
  const { stdout, stderr, ended, interrupt } = startCli(['tail', '-f', directory]);
  stdout.setEncoding('utf8');
  const next = async (): Promise<string> => String((await once(stdout, 'data'))[0]);
  expect(await next()).toBe('one\n');
  const two = next();
  await first.append('two');
  expect(await two).toBe('two\n');
  await first.close();
  const three = next();
  const second = await openLog(directory, SMALL);
  await second.append('three');
  expect(await three).toBe('three\n');
  interrupt();
  expect(await ended).toBe(0);
  expect(await text(stderr)).toBe('');
  await second.close();
});

it('ends with exit code 0 when it is interrupted before it has come to follow', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await log.append('one');
  await log.close();
  const { ended, interrupt } = startCli(['tail', '-f', directory]);
  interrupt();
  expect(await ended).toBe(0);
});
