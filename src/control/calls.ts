/**
 * calls: comlink between two Node threads, with what it lacks for us mended in this one place.
 *
 *   - comlink carries an error's message only. Here a call never throws across: it returns its error as data.
 *   - A call whose other side died never settles. Here it is raced against the end of the other side.
 *   - A proxy that is garbage-collected closes its channel. Here it lives as long as the object that holds it.
 */
import type { MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { ClosedError, fromWire, toWire, type WireError } from '../errors.js';

type Outcome = { readonly value: unknown } | { readonly error: WireError };
type Api = Record<string, (...args: never[]) => unknown>;

/** What the calling side sees of an API: the same methods, asynchronous. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** Answers calls that come through `port` with the methods of `api`. */
export function serve(port: MessagePort, api: object): void {
  const target: Record<string, (...args: unknown[]) => Promise<Outcome>> = {};
  for (const [name, method] of Object.entries(api as Api)) {
    target[name] = async (...args) => {
      try {
        return { value: await (method as (...args: unknown[]) => unknown)(...args) };
      } catch (error) {
        return { error: toWire(error) };
      }
    };
  }
  Comlink.expose(target, endpoint(port));
}

/** The calling side of a control channel. */
export class ControlChannel<T extends object> {
  readonly #proxy: Comlink.Remote<Record<string, (...args: unknown[]) => Promise<Outcome>>>;
  readonly #port: MessagePort;
  readonly #ring: () => void;
  #end: Error | undefined;
  readonly #waiting = new Set<(error: Error) => void>();

  /** `ring` wakes the other side: it may sleep where it can't hear its port. One that comes too early is harmless. */
  constructor(port: MessagePort, ring: () => void = () => {}) {
    this.#port = port;
    this.#ring = ring;
    this.#proxy = Comlink.wrap(endpoint(port));
    port.unref(); // calls under way are held by the caller's KeepAlive
  }

  /** Calls a method of the other side. Rejects with its error, or with `fail`'s when it ends before. */
  async call<K extends keyof T & string>(
    name: K,
    ...args: T[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<T[K] extends (...args: never[]) => infer R ? Awaited<R> : never> {
    if (this.#end) throw this.#end;
    let give: (error: Error) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      give = reject;
    });
    this.#waiting.add(give);
    try {
      const method = this.#proxy[name] as unknown as (...args: unknown[]) => Promise<Outcome>;
      const answer = method(...args);
      this.#ring(); // after the message
      const outcome = await Promise.race([answer, ended]);
      if ('error' in outcome) throw fromWire(outcome.error);
      return outcome.value as never;
    } finally {
      this.#waiting.delete(give);
    }
  }

  /** Sends a port to the other side as the only argument of a call. */
  async send<K extends keyof T & string>(name: K, port: MessagePort): Promise<void> {
    await this.call(name, ...([Comlink.transfer(port, [port as never])] as never));
  }

  /** Rejects all calls under way, and all later ones, with `error`. */
  fail(error: Error): void {
    this.#end ??= error;
    for (const reject of this.#waiting) reject(error);
  }

  close(): void {
    this.fail(new ClosedError('The log is closed.'));
    this.#port.close();
  }
}

/** Node's MessagePort has the methods that comlink calls; only the types, which name the browser's, differ. */
function endpoint(port: MessagePort): Comlink.Endpoint {
  return port as unknown as Comlink.Endpoint;
}
