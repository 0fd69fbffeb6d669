/**
 * interruptible: an async generator that can be returned from while it waits.
 *
 * A plain one queues `return` behind the `next` under way, which for a tail may be for ever: who destroys a stream
 * over it, or leaves it by another way than its loop, would not get away.
 */
import { isOptions } from '../check-options.js';

/** The generator that `run` makes with `options`, their signal replaced by one that `return` and `throw` also abort. */
export function interruptible<T, O extends { signal?: AbortSignal }>(
  options: O,
  run: (options: O) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  // What is wrong with the options is for `run` to say.
  if (!isOptions(options)) return run(options);
  const given: unknown = options.signal;
  if (given !== undefined && !(given instanceof AbortSignal)) return run(options);
  const controller = new AbortController();
  let isLeft = false;
  let isBegun = false;
  const abort = (): void => controller.abort(given?.reason);
  /** Not before the first `next`: of a generator that is only made nobody would ever take the listener away. */
  const begin = (): void => {
    if (isBegun || isLeft) return;
    isBegun = true;
    if (given?.aborted) abort();
    else given?.addEventListener('abort', abort);
  };
  const inner = run({ ...options, signal: controller.signal });
  const leave = (): void => {
    isLeft = true;
    given?.removeEventListener('abort', abort);
    controller.abort();
  };
  const generator: AsyncGenerator<T, void, void> = {
    next: async () => {
      begin();
      try {
        const result = await inner.next();
        if (result.done) leave();
        return result;
      } catch (error) {
        const isDone = isLeft;
        leave();
        if (isDone) return { done: true, value: undefined };
        throw error;
      }
    },
    return: (value) => {
      leave();
      return inner.return(value);
    },
    throw: (error) => {
      leave();
      return inner.throw(error);
    },
    [Symbol.asyncIterator]: () => generator,
    [Symbol.asyncDispose]: async () => {
      await generator.return();
    },
  };
  return generator;
}
