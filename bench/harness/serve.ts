/** serve: a web service as our users have it: fastify, which answers a POST when its body is durable. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fastify } from 'fastify';
import type { System } from './system.js';

export interface Serving {
  readonly port: number;
  /** Ends it; how late its event loop was, at worst of 99 %. */
  end(): Promise<{ readonly loopDelayP99Ms: number }>;
}

/** `system`: undefined: it answers at once. */
export async function serve(system: System | undefined): Promise<Serving> {
  const app = fastify();
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/', async (request, reply) => {
    await system?.append(request.body as Buffer);
    reply.code(204);
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const { port } = app.server.address() as { port: number };
  return {
    port,
    async end() {
      loop.disable();
      await app.close();
      return { loopDelayP99Ms: loop.percentile(99) / 1e6 };
    },
  };
}
