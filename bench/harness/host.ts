/** host: the process in which one system runs: opens it, measures it, closes it, as it is told by messages. */
import { kindOf } from './kinds.js';
import type { Load } from './load.js';
import { measure } from './measure.js';
import { type Serving, serve } from './serve.js';
import type { System } from './system.js';

export type HostCall =
  | { readonly call: 'open'; readonly kind: string; readonly directory: string; readonly options: unknown }
  | { readonly call: 'measure'; readonly load: Load }
  /** A web server that answers when the record is durable; `isDurable` false: at once. */
  | { readonly call: 'serve'; readonly isDurable: boolean }
  | { readonly call: 'served' }
  | { readonly call: 'close' };

export type HostAnswer = { readonly value: unknown } | { readonly error: string };

let system: System | undefined;
let serving: Serving | undefined;

function opened(): System {
  if (system === undefined) throw new Error('No system is open.');
  return system;
}

async function answer(call: HostCall): Promise<unknown> {
  switch (call.call) {
    case 'open':
      system = await kindOf(call.kind).open(call.directory, call.options);
      await system.warmUp?.();
      return undefined;
    case 'measure':
      return measure(opened(), call.load);
    case 'serve':
      serving = await serve(call.isDurable ? opened() : undefined);
      return serving.port;
    case 'served': {
      const figures = await serving?.end();
      serving = undefined;
      return figures;
    }
    case 'close':
      await system?.close();
      system = undefined;
      return undefined;
  }
}

process.on('message', (call: HostCall) => {
  answer(call).then(
    (value) => process.send?.({ value } satisfies HostAnswer),
    (error: Error) => process.send?.({ error: error.stack ?? String(error) } satisfies HostAnswer),
  );
});
process.once('disconnect', () => process.exit());
