/** disposable: an async generator that `await using` takes, as its type says, also where Node's own have no such method. */

/** `generator` itself. Node has the method from version 24 on. */
export function disposable<T>(generator: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  if (Symbol.asyncDispose in generator) return generator;
  return Object.assign(generator, {
    [Symbol.asyncDispose]: async () => {
      await (generator as AsyncGenerator<T, void, void>).return();
    },
  });
}
