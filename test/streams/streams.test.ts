/** streams: records come out and go in as through the log itself, at the stream's pace, and nothing is left hanging. */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { type LogOptions, type LogRecord, openLog, openReader } from '../../dist/src/index.js';
import { appendStream, appendWritableStream, toReadable, toWebStream } from '../../dist/src/streams/index.js';
import { tempDir } from '../support/temp-dir.js';
import { turn } from '../support/turns.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

const textOf = ({ payload }: LogRecord): string => Buffer.from(payload).toString();

/** A log whose appends are acknowledged by hand. */
function manual() {
  const waiting: { resolve: (lsn: number) => void; reject: (error: Error) => void }[] = [];
  let most = 0;
  const append = (): Promise<number> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      most = Math.max(most, waiting.length);
    });
  return { log: { append } as never, waiting, most: () => most };
}

describe('streams of records', () => {
  it('give what a read gives, as a Node stream and as a web stream', async () => {
    const log = await openLog(tempDir(), SMALL);
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
    await Promise.all(lines.map((line) => log.append(line)));
    const node: string[] = [];
    for await (const record of toReadable(log.read())) node.push(textOf(record as LogRecord));
    expect(node).toEqual(lines);
    const web: string[] = [];
    for await (const record of toWebStream(log.read())) web.push(textOf(record));
    expect(web).toEqual(lines);
    await log.close();
  });

  it('end a tail that waits when they are destroyed or cancelled', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    await log.append('x');
    await using reader = await openReader(directory);
    for (const tail of [() => log.tail(), () => reader.tail()]) {
      const node = toReadable(tail());
      expect(textOf((await once(node, 'data'))[0] as LogRecord)).toBe('x');
      node.destroy();
      await once(node, 'close');
      const web = toWebStream(tail()).getReader();
      expect(textOf((await web.read()).value as LogRecord)).toBe('x');
      const waiting = web.read();
      await web.cancel();
      expect((await waiting).done).toBe(true);
      const plain = tail();
      await plain.next();
      const next = plain.next();
      await plain.return();
      expect((await next).done).toBe(true);
    }
    await log.close();
  });

  it('pass on what the read throws', async () => {
    const log = await openLog(tempDir(), SMALL);
    await expect(async () => {
      for await (const _ of toReadable(log.read({ from: 5 })));
    }).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(
      toWebStream(log.read({ from: 5 }))
        .getReader()
        .read(),
    ).rejects.toMatchObject({
      code: 'RINGWAL_OUT_OF_RANGE',
    });
    await log.close();
  });
});

describe('streams into a log', () => {
  it('append every chunk as a record, in order, and finish when all are durable', async () => {
    const log = await openLog(tempDir(), SMALL);
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
    const lsns: number[] = [];
    await pipeline(lines, appendStream(log, { onAppend: (lsn) => lsns.push(lsn) }));
    expect(log.durableLsn).toBe(500);
    const writer = appendWritableStream(log, { onAppend: (lsn) => lsns.push(lsn) }).getWriter();
    for (const line of lines) await writer.write(line);
    await writer.close();
    expect(log.durableLsn).toBe(1000);
    expect(lsns).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    const read: string[] = [];
    for await (const record of log.read()) read.push(textOf(record));
    expect(read).toEqual([...lines, ...lines]);
    await log.close();
  });

  it('acknowledge a chunk when it is durable, and keep a bounded number under way', async () => {
    const { log, waiting, most } = manual();
    const stream = appendStream(log, { highWaterMark: 4 });
    let acknowledged = 0;
    let isFull = false;
    for (let i = 0; i < 4; i++) isFull = !stream.write('x', () => acknowledged++);
    expect(isFull).toBe(true);
    await turn();
    expect({ acknowledged, waiting: waiting.length }).toEqual({ acknowledged: 0, waiting: 1 });
    waiting.shift()?.resolve(1);
    await turn();
    expect({ acknowledged, waiting: waiting.length }).toEqual({ acknowledged: 1, waiting: 3 });
    for (const { resolve } of waiting.splice(0)) resolve(2);
    await once(stream, 'drain');
    expect(acknowledged).toBe(4);

    const web = appendWritableStream(log, { highWaterMark: 3 }).getWriter();
    const writes = Array.from({ length: 5 }, () => web.write('x'));
    await turn();
    expect({ waiting: waiting.length, most: most() }).toEqual({ waiting: 3, most: 3 });
    while (waiting.length > 0) {
      waiting.shift()?.resolve(3);
      await turn();
    }
    await Promise.all(writes);
    expect(most()).toBe(3);

    const exact = appendWritableStream(log, { highWaterMark: 1 }).getWriter();
    let isDurable = false;
    const written = exact.write('x').then(() => {
      isDurable = true;
    });
    await turn();
    expect(isDurable).toBe(false);
    waiting.shift()?.resolve(9);
    await written;
  });

  it('fail with the reason of the first append that is rejected', async () => {
    const { log, waiting } = manual();
    const stream = appendStream(log);
    stream.write('x');
    waiting.shift()?.reject(new Error('disk'));
    expect(((await once(stream, 'error')) as [Error])[0].message).toBe('disk');
    const web = appendWritableStream(log).getWriter();
    await web.write('x');
    waiting.shift()?.reject(new Error('disk'));
    await expect(web.close()).rejects.toThrow('disk');
    await web.closed.catch(() => {});
  });

  it('are in error as soon as an append is rejected, also when nobody writes any more', async () => {
    const { log, waiting } = manual();
    const web = appendWritableStream(log).getWriter();
    await web.write('x');
    waiting.shift()?.reject(new Error('disk'));
    await expect(web.closed).rejects.toThrow('disk');
  });

  it('tell the LSNs of the chunks that are durable, also when another of their batch is rejected', async () => {
    const { log, waiting } = manual();
    const lsns: number[] = [];
    const stream = appendStream(log, { onAppend: (lsn) => lsns.push(lsn) });
    for (let i = 0; i < 3; i++) stream.write('x');
    waiting.shift()?.resolve(1);
    await turn();
    waiting.shift()?.resolve(2);
    waiting.shift()?.reject(new Error('disk'));
    await once(stream, 'error');
    expect(lsns).toEqual([1, 2]);
  });

  it('refuse to have no chunk under way, with which nothing would ever be written', () => {
    const { log } = manual();
    for (const make of [appendStream, appendWritableStream])
      for (const highWaterMark of [0, -1, 1.5, Number.NaN])
        expect(() => make(log, { highWaterMark })).toThrow(
          expect.objectContaining({ code: 'RINGWAL_INVALID_ARGUMENT' }),
        );
  });
});
