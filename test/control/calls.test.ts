/** calls: a control call reaches a worker that sleeps where it can't hear its port. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ControlChannel, serve } from '../../dist/src/control/calls.js';
import * as errors from '../../dist/src/errors.js';

interface Api {
  double(value: number): number;
}

it('rings after each call, when its message can already be received', () => {
  const { port1, port2 } = new MessageChannel();
  const seen: boolean[] = [];
  const channel = new ControlChannel<Api>(port1, () => seen.push(receiveMessageOnPort(port2) !== undefined));
  channel.call('double', 4).catch(() => {});
  channel.call('double', 5).catch(() => {});
  expect(seen).toEqual([true, true]);
  channel.close();
});

it('gives the answer of the other side', async () => {
  const { port1, port2 } = new MessageChannel();
  serve(port2, { double: (value: number) => 2 * value });
  const channel = new ControlChannel<Api>(port1);
  port1.ref();
  expect(await channel.call('double', 21)).toBe(42);
  channel.close();
  port2.close();
});

describe('an error of the other side', () => {
  const cause = Object.assign(new RangeError('too far'), { code: 'ERR_FAR' });
  const system = Object.assign(new Error('no space'), { code: 'ENOSPC', errno: -28, syscall: 'write' });
  const thrown: Error[] = [
    new errors.ConflictError(7),
    new errors.CorruptError('damaged', { file: 'a.wal', offset: 4096 }),
    new errors.DecryptionError(5, 2, 'there is no key', { cause }),
    new errors.IoError('Writing', system),
    cause,
    system,
    Object.assign(new TypeError('odd'), { code: 'toString' }),
  ];

  // A ConflictError came without the LSN, a DecryptionError without its details, a TypeError as an Error, and one with a
  // code such as toString made this throw another.
  it.each(
    thrown.map((error) => [error.name, error] as const),
  )('comes with all that it says (%s)', async (name, error) => {
    const { port1, port2 } = new MessageChannel();
    const fail = (): never => {
      throw error;
    };
    serve(port2, { fail });
    const channel = new ControlChannel<{ fail(): void }>(port1);
    port1.ref();
    const told = (await channel.call('fail').catch((reason: unknown) => reason)) as Error;
    channel.close();
    port2.close();
    expect(told.name).toBe(name);
    expect(told.message).toBe(error.message);
    expect({ ...told }).toEqual({ ...error });
    expect(told instanceof errors.RingwalError).toBe(error instanceof errors.RingwalError);
    if (error instanceof errors.RingwalError) expect(told).toBeInstanceOf(error.constructor);
    expect((told.cause as Error | undefined)?.name).toBe((error.cause as Error | undefined)?.name);
    expect({ ...(told.cause as object) }).toEqual({ ...(error.cause as object) });
  });
});
