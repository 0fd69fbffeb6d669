/** ringwal-plugin: a log as a part of a fastify application: opened before it is ready, closed when it closes. */
import type { FastifyInstance } from 'fastify';
import { type Log, type LogOptions, openLog } from 'ringwal';

declare module 'fastify' {
  interface FastifyInstance {
    readonly wal: Log;
  }
}

export interface RingwalPluginOptions {
  readonly directory: string;
  readonly log?: LogOptions;
}

async function plugin(app: FastifyInstance, { directory, log }: RingwalPluginOptions): Promise<void> {
  const wal = await openLog(directory, log);
  app.decorate('wal', wal);
  // Fastify calls this when the last request has been answered: nothing that was accepted is given up.
  app.addHook('onClose', () => wal.close());
}

/** Not in a context of its own: `app.wal` is there for all routes (what the package fastify-plugin does). */
export const ringwalPlugin = Object.assign(plugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'ringwal',
});
