/** calls: a control call reaches a worker that sleeps where it can't hear its port. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { ControlChannel, serve } from '../../dist/src/control/calls.js';

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
