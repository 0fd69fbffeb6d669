/** server: an HTTP service that answers 200 when the record is on stable storage, and not before. */
import { once } from 'node:events';
import { pipeline, Transform } from 'node:stream';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import {
  type LogAppender,
  type LogOptions,
  type LogRecord,
  RingwalError,
  type RingwalErrorCode,
} from 'ringwal';
import { toReadable } from 'ringwal/streams';
import { ringwalPlugin } from './ringwal-plugin.js';

export interface ServerOptions {
  readonly directory: string;
  readonly log?: LogOptions;
  /** Largest record, in bytes. Default 1 MiB. */
  readonly maxRecordBytes?: number;
}

/** What a client is told of a call that was rejected; for all other errors 500. */
const STATUS: Partial<Record<RingwalErrorCode, number>> = {
  RINGWAL_OVERLOADED: 503,
  RINGWAL_CLOSED: 503,
  RINGWAL_POISONED: 503, // the record may or may not be there: who must know asks again after a restart
  RINGWAL_WORKER_DIED: 503,
  RINGWAL_INVALID_ARGUMENT: 400,
  RINGWAL_TRUNCATED: 410,
  RINGWAL_OUT_OF_RANGE: 404,
};
/** Nothing was written: it can be sent again, to this process or the next one. */
const CAN_BE_SENT_AGAIN: readonly RingwalErrorCode[] = ['RINGWAL_OVERLOADED', 'RINGWAL_CLOSED'];

export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { directory, log, maxRecordBytes = 1024 * 1024 } = options;
  // Of what arrives while the service closes, fastify's own 503 says nothing: it goes its way, as the log is still open.
  const app = fastify({ bodyLimit: maxRecordBytes, return503OnClosing: false });
  await app.register(ringwalPlugin, { directory, ...(log && { log }) });

  // A record is bytes, whatever the client calls them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  endConnectionsOnClose(app);
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof RingwalError)) return reply.send(error);
    if (CAN_BE_SENT_AGAIN.includes(error.code)) void reply.header('retry-after', '1');
    return reply.code(STATUS[error.code] ?? 500).send({ code: error.code, message: error.message });
  });

  app.post('/records', async (request, reply) => {
    const body = request.body as Buffer | undefined;
    if (body === undefined || body.length === 0)
      return reply.code(400).send({ message: 'The record is empty.' });
    return { lsn: await app.wal.append(body) };
  });

  app.get<{ Querystring: { from?: number; to?: number } }>(
    '/records',
    {
      schema: {
        querystring: {
          type: 'object',
          properties: { from: { type: 'integer', minimum: 1 }, to: { type: 'integer', minimum: 1 } },
        },
      },
    },
    (request, reply) => sendRecords(app.wal, request.query, reply),
  );

  // `sync` rejects with what has happened to the log, if something has; it waits for what is in flight.
  app.get('/health', async () => ({ durableLsn: await app.wal.sync(), firstLsn: app.wal.firstLsn }));
  return app;
}

/**
 * `close` waits for connections that are open, and those that were busy when it was called stay open behind their answer
 * until the keep-alive limit: 72 seconds. So these answers say that they are the last ones.
 */
function endConnectionsOnClose(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) void reply.header('connection', 'close');
  });
}

/** A line of JSON for each record, at the client's pace; one that goes away ends the read. */
async function sendRecords(
  wal: LogAppender,
  range: { readonly from?: number; readonly to?: number },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const records = toReadable(wal.read(range));
  await once(records, 'readable'); // what is wrong with the range shows here, while a status can still be sent
  const lines = new Transform({
    writableObjectMode: true,
    transform({ lsn, payload }: LogRecord, _encoding, done) {
      done(null, `${JSON.stringify({ lsn, payload: Buffer.from(payload).toString('base64') })}\n`);
    },
  });
  // An error in the middle cuts the answer off, by which the client knows that it is not whole; fastify logs it.
  pipeline(records, lines, () => {});
  return reply.type('application/x-ndjson').send(lines);
}
