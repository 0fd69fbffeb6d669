/** refusals: what a stream can't be made of is refused when it is made, with a typed error, and not by its first chunk. */
import { describe, expect, it } from 'vitest';
import { appendStream, appendWritableStream, toReadable, toWebStream } from '../../dist/src/streams/index.js';

const REFUSED = expect.objectContaining({ code: 'RINGWAL_INVALID_ARGUMENT' });
const log = { append: async () => 1 } as never;

async function* none(): AsyncGenerator<never> {}

describe.each([
  ['appendStream', appendStream],
  ['appendWritableStream', appendWritableStream],
])('%s refuses', (_, make) => {
  // The records were durable, and the stream failed because nobody could be told.
  it.each([5, 'x', {}, null])('an onAppend that is no function: %s', (onAppend) => {
    expect(() => make(log, { onAppend: onAppend as never })).toThrow(REFUSED);
  });

  it.each([undefined, null, {}, 'x'])('what is no log: %s', (wrong) => {
    expect(() => make(wrong as never)).toThrow(REFUSED);
  });
});

describe('streams of records refuse', () => {
  it.each([-1, 1.5, Number.NaN, '4', null])('a highWaterMark of %s', (highWaterMark) => {
    expect(() => toReadable(none(), { highWaterMark: highWaterMark as never })).toThrow(REFUSED);
  });

  it.each([undefined, null, 5, 'text', {}, 5n])('what gives no records: %s', (wrong) => {
    for (const make of [toReadable, toWebStream]) expect(() => make(wrong as never)).toThrow(REFUSED);
  });
});
