/** interruptible: a generator that is aborted or left while it waits ends, and leaves no listener at its signal. */
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { interruptible } from '../../dist/src/read/interruptible.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** Yields 1, and then waits for its signal. */
function waiting(signal: AbortSignal): AsyncGenerator<number, void, void> {
  return interruptible({ signal }, async function* (own: { signal: AbortSignal }) {
    own.signal.throwIfAborted();
    yield 1;
    await new Promise((resolve) => own.signal.addEventListener('abort', resolve, { once: true }));
    own.signal.throwIfAborted();
  });
}

// Iterators that were made and never started piled up at a signal that outlives them.
it('listens from its first step on, and until it ends, is left, thrown into or aborted', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const made = Array.from({ length: 5 }, () => waiting(signal));
  expect(listeners(signal)).toBe(0);
  for (const generator of made) expect(await generator.next()).toEqual({ done: false, value: 1 });
  expect(listeners(signal)).toBe(5);
  const [left, thrownInto, leftWhileWaiting, ...aborted] = made as [
    ...[(typeof made)[0], (typeof made)[0], (typeof made)[0]],
    ...typeof made,
  ];
  await left.return();
  await expect(thrownInto.throw(new Error('into it'))).rejects.toThrow('into it');
  const step = leftWhileWaiting.next();
  await leftWhileWaiting.return();
  expect(await step).toEqual({ done: true, value: undefined });
  expect(listeners(signal)).toBe(2);
  const steps = aborted.map((generator) => generator.next());
  controller.abort(new Error('enough'));
  for (const waitingStep of steps) await expect(waitingStep).rejects.toThrow('enough');
  expect(listeners(signal)).toBe(0);
});

it('that is aborted before its first step rejects that at once, and one that was left listens no more', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const [early, left] = [waiting(signal), waiting(signal)];
  await left.return();
  expect(await left.next()).toEqual({ done: true, value: undefined });
  expect(listeners(signal)).toBe(0);
  controller.abort(new Error('enough'));
  for (const generator of [early, waiting(signal)]) await expect(generator.next()).rejects.toThrow('enough');
  expect(listeners(signal)).toBe(0);
});
