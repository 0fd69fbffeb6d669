/** event-stream: a page that does not keep up misses events, and gets the whole anew; one that takes nothing is let go. */
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { type EventOutput, EventStream } from '../../dist/src/dashboard/event-stream.js';

/** Takes one write at a time, when it is told to. */
class SlowOutput extends Writable {
  readonly taken: string[] = [];
  #take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 64, decodeStrings: false });
  }

  override _write(chunk: string, _: BufferEncoding, done: () => void): void {
    this.#take = () => {
      this.taken.push(chunk);
      done();
    };
  }

  /** All that waits, and what is written meanwhile. */
  async takeAll(): Promise<void> {
    while (this.#take !== undefined) {
      const take = this.#take;
      this.#take = undefined;
      take();
      await new Promise(setImmediate);
    }
  }

  get events(): string[] {
    return this.taken
      .flatMap((text) => text.match(/(?<=^event: ).*\ndata: .*/gm) ?? [])
      .map((text) => text.replace('\ndata: ', ' '));
  }
}

const asOutput = (output: Writable): EventOutput => output as unknown as EventOutput;

it('begins with the whole, goes on with updates', async () => {
  const output = new SlowOutput();
  const stream = new EventStream(asOutput(output), () => 'all');
  await output.takeAll();
  for (const update of [1, 2]) {
    stream.update(update);
    await output.takeAll();
  }
  expect(output.events).toEqual(['history "all"', 'update 1', 'update 2']);
});

it('holds no more than a few events for a page that reads nothing, and gives it the whole when it reads again', async () => {
  const output = new SlowOutput();
  let number = 0;
  const stream = new EventStream(asOutput(output), () => `all up to ${number}`);
  await output.takeAll();
  for (number = 1; number <= 10_000; number++) stream.update(number);
  expect(output.writableLength).toBeLessThan(200);
  await output.takeAll();
  expect(output.events.at(-1)).toMatch(/^update \d$/);
  stream.update(number);
  await output.takeAll();
  expect(output.events.at(-1)).toBe('history "all up to 10001"');
  stream.update(++number);
  await output.takeAll();
  expect(output.events.at(-1)).toBe('update 10002');
});

it('lets a page go that has taken nothing for a minute', async () => {
  const output = new SlowOutput();
  let now = 0;
  const stream = new EventStream(
    asOutput(output),
    () => 'a'.repeat(100),
    () => now,
  );
  for (now = 0; now < 60_000; now += 500) stream.update('b');
  expect(output.destroyed).toBe(false);
  stream.update('b');
  expect(output.destroyed).toBe(true);
});
