/** pipelines: a log between two files, as docs/STREAMS-AND-THREADS.md shows it. */
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { type LogRecord, openLog, openReader } from 'ringwal';
import { appendStream, toReadable } from 'ringwal/streams';
import { expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';

it('takes a file in line by line, all durable when the pipeline ends, and gives it out again', async () => {
  const directory = tempDir();
  const [input, output] = ['input.txt', 'output.txt'].map((name) => join(directory, name)) as [
    string,
    string,
  ];
  const texts = Array.from({ length: 1000 }, (_, i) => `line ${i} ${'.'.repeat(i % 90)}`);
  writeFileSync(input, `${texts.join('\n')}\n`);
  const log = await openLog(join(directory, 'log'), { segmentBytes: 65_536, ringBytes: 16_384 });
  const lsns: number[] = [];
  const lines = createInterface({ input: createReadStream(input) });
  await pipeline(lines, appendStream(log, { onAppend: (lsn) => lsns.push(lsn) }));
  expect(log.durableLsn).toBe(1000);
  expect(lsns).toEqual(texts.map((_, i) => i + 1));
  await pipeline(
    toReadable(log.read({ from: 1 })),
    async function* (records: AsyncIterable<LogRecord>) {
      for await (const { lsn, payload } of records) yield `${lsn} ${Buffer.from(payload)}\n`;
    },
    createWriteStream(output),
  );
  await log.close();
  expect(readFileSync(output, 'utf8')).toBe(texts.map((text, i) => `${i + 1} ${text}\n`).join(''));
});

it('follows a log from another opener, and ends when the stream is destroyed', async () => {
  const directory = tempDir();
  const log = await openLog(directory);
  await log.append('before');
  await using reader = await openReader(directory);
  const following = toReadable(reader.tail());
  const appended = log.append('behind');
  const seen: string[] = [];
  for await (const { payload } of following as AsyncIterable<LogRecord>) {
    seen.push(Buffer.from(payload).toString());
    if (seen.length === 2) break; // destroys the stream
  }
  expect(seen).toEqual(['before', 'behind']);
  expect(following.destroyed).toBe(true);
  expect(await appended).toBe(2);
  await log.close();
});
