/** process-held: an append keeps its process running from the call until it is settled, and no longer. */
import { expect, it, vi } from 'vitest';
import { KeepAlive } from '../../dist/src/append/keep-alive.js';
import type { LogOptions } from '../../dist/src/options.js';
import { commitAll, deferred, frame, type Joined, joined } from '../support/joined-submitter.js';
import { turn } from '../support/turns.js';

it.each<[string, LogOptions, (one: Joined) => Promise<unknown>]>([
  ['a plain append', {}, ({ appender }) => appender.append('x')],
  ['a batch', {}, ({ appender }) => appender.appendBatch(['x', 'y'])],
  ['an append with options', {}, ({ appender }) => appender.append('x', { receipt: true })],
  ['a large record', {}, ({ appender }) => appender.append(Buffer.alloc(100_000))],
  [
    'one that is tried, and compressed',
    { compression: 'deflate' },
    ({ appender }) => appender.tryAppend('x'.repeat(200)) as Promise<number>,
  ],
  [
    'one whose bytes are being made',
    {},
    ({ submitter }) => {
      const { appended, know } = deferred(submitter);
      setImmediate(() => know([frame(8)]));
      return appended;
    },
  ],
])('the process is held for %s from the call until it is settled, and no longer', async (_, options, append) => {
  const hold = vi.spyOn(KeepAlive.prototype, 'hold');
  const release = vi.spyOn(KeepAlive.prototype, 'release');
  const one = joined(options);
  const appended = append(one);
  expect([hold.mock.calls.length, release.mock.calls.length]).toEqual([1, 0]);
  for (let i = 0; i < 3; i++) await turn();
  one.submitter.stateChanged();
  expect([hold.mock.calls.length, release.mock.calls.length]).toEqual([1, 0]);
  await commitAll(one, 1);
  await appended;
  expect([hold.mock.calls.length, release.mock.calls.length]).toEqual([1, 1]);
  one.submitter.detach();
});

it('the process stays held for an append whose bytes are being made, when all else is settled', async () => {
  const hold = vi.spyOn(KeepAlive.prototype, 'hold');
  const release = vi.spyOn(KeepAlive.prototype, 'release');
  const one = joined();
  const before = one.submitter.submit([frame(8)], {});
  const { appended, know } = deferred(one.submitter);
  await commitAll(one, 1);
  expect(await before).toBe(1);
  expect([hold.mock.calls.length, release.mock.calls.length]).toEqual([1, 0]);
  know([frame(8)]);
  await turn();
  await commitAll(one, 2);
  expect(await appended).toBe(2);
  expect([hold.mock.calls.length, release.mock.calls.length]).toEqual([1, 1]);
  one.submitter.detach();
});
