/** append: what can be appended, what is refused, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

async function withLog<T>(options: LogOptions, use: (log: Log) => Promise<T>): Promise<T> {
  const log = await openLog(tempDir(), options);
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

async function contents(log: Log): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload));
  return all;
}

type Resizable = ArrayBuffer & { resize(bytes: number): void };

/** Node has it from 20 on; the types of its standard library do not. */
function resizable(bytes: number): Resizable {
  return Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]) as Resizable;
}

describe('append', () => {
  it('stores strings as UTF-8 and every kind of view as its bytes', async () => {
    await withLog(SMALL, async (log) => {
      const bytes = Buffer.from('0123456789abcdef');
      const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
      const given = ['', 'plain', 'grüße 🦀', '\ud800', bytes, bytes.subarray(3, 5), shared] as const;
      for (const payload of given) await log.append(payload);
      await log.append(new DataView(bytes.buffer, bytes.byteOffset, 8));
      await log.append(new Float64Array([1.5]));
      const expected = given.map((payload) => Buffer.from(payload as string));
      expected.push(bytes.subarray(0, 8), Buffer.from(new Float64Array([1.5]).buffer));
      expect(await contents(log)).toEqual(expected);
    });
  });

  it('gives dense LSNs from 1 on, in the order of the calls', async () => {
    await withLog(SMALL, async (log) => {
      const lsns = await Promise.all(Array.from({ length: 1000 }, (_, i) => log.append(`${i}`)));
      expect(lsns).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    });
  });

  it('has taken the bytes when it returns', async () => {
    await withLog(SMALL, async (log) => {
      const reused = Buffer.from('first');
      const done = log.append(reused);
      reused.fill(0);
      await done;
      expect(String((await contents(log))[0])).toBe('first');
    });
  });

  it('waits its turn when the ring is full, and has taken the bytes of what waits too', async () => {
    await withLog(SMALL, async (log) => {
      const reused = Buffer.alloc(1000);
      const lsns = await Promise.all(
        Array.from({ length: 500 }, (_, i) => {
          reused.fill(i % 251);
          return log.append(reused);
        }),
      );
      expect(lsns).toEqual(lsns.map((_, i) => i + 1));
      expect((await contents(log)).map((payload) => payload[999])).toEqual(lsns.map((_, i) => i % 251));
      expect((await log.stats()).waitingBytes).toBe(0);
    });
  });

  it('takes the largest batch, and refuses one byte more with RINGWAL_TOO_LARGE', async () => {
    await withLog({ ...SMALL, maxGroupBytes: 8192 }, async (log) => {
      expect(await log.appendBatch([Buffer.alloc(4088), Buffer.alloc(4088)])).toEqual({ first: 1, last: 2 });
      await expect(log.appendBatch([Buffer.alloc(4088), Buffer.alloc(4089)])).rejects.toMatchObject({
        code: 'RINGWAL_TOO_LARGE',
      });
      expect(log.tryAppend(Buffer.alloc(8184))).toBeInstanceOf(Promise);
      await expect(log.tryAppend(Buffer.alloc(8185))).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
      expect(await log.append('next')).toBe(4);
    });
  });

  it('refuses what is no payload with RINGWAL_INVALID_ARGUMENT', async () => {
    await withLog(SMALL, async (log) => {
      for (const wrong of [42, null, undefined, {}, [1], new ArrayBuffer(4)]) {
        await expect(log.append(wrong as never)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
      }
      expect(log.durableLsn).toBe(0);
    });
  });

  type MakeView = (buffer: ArrayBuffer, offset: number) => NodeJS.ArrayBufferView;
  const views: readonly (readonly [name: string, view: MakeView])[] = [
    ['Uint8Array', (buffer, offset) => new Uint8Array(buffer, offset, 16 - offset)],
    ['BigInt64Array', (buffer, offset) => new BigInt64Array(buffer, offset, (16 - offset) / 8)],
    ['DataView', (buffer, offset) => new DataView(buffer, offset, 16 - offset)],
  ];

  it.each(
    views,
  )('refuses a %s whose buffer is detached or too short, however it is given', async (_, view) => {
    const detached = new ArrayBuffer(16);
    const gone = [view(detached, 0)];
    structuredClone(detached, { transfer: [detached] });
    for (const [offset, left] of [
      [0, 15],
      [8, 4],
    ] as const) {
      const buffer = resizable(16);
      gone.push(view(buffer, offset));
      buffer.resize(left);
    }
    await withLog(SMALL, async (log) => {
      for (const payload of gone) {
        const attempts = [
          log.append(payload),
          log.append(payload, { receipt: true }),
          log.tryAppend(payload),
          log.appendBatch(['good', payload]),
          log.checkpoint(payload),
          log.begin().append(payload),
        ];
        for (const attempt of attempts)
          await expect(attempt).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
      }
      expect(await log.append('first')).toBe(1);
    });
  });

  it('takes views of resizable memory, and empty ones, as they are at the call', async () => {
    await withLog(SMALL, async (log) => {
      const buffer = resizable(16);
      const view = new Uint8Array(buffer).fill(1);
      const first = log.append(view);
      buffer.resize(8);
      const second = log.append(view);
      buffer.resize(0);
      await Promise.all([first, second, log.append(view), log.append(new DataView(new ArrayBuffer(0)))]);
      expect((await contents(log)).map(({ length }) => length)).toEqual([16, 8, 0, 0]);
    });
  });

  it('rejects with the reason of a signal that was aborted before, or while waiting, and writes nothing', async () => {
    await withLog(SMALL, async (log) => {
      const reason = new Error('enough');
      await expect(log.append('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const before = Array.from({ length: 30 }, () => log.append(Buffer.alloc(1000)));
      const aborted = log.append('aborted', { signal: controller.signal });
      const after = log.append('after');
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      await Promise.all([...before, after]);
      expect((await contents(log)).map(String)).not.toContain('aborted');
    });
  });

  it('refuses with RINGWAL_OVERLOADED when more would wait than may', async () => {
    await withLog({ ...SMALL, maxWaitingBytes: 2048 }, async (log) => {
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, () => log.append(Buffer.alloc(1000))),
      );
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'RINGWAL_OVERLOADED' });
      expect((await contents(log)).length).toBe(40 - refused.length);
    });
  });
});

/** Classes of views that say of themselves what is not so, as a growing buffer does that counts what it has used. */
const claims = { length: 10, byteLength: 10, byteOffset: 0, BYTES_PER_ELEMENT: 1 };
const liars: readonly (readonly [name: string, view: () => NodeJS.ArrayBufferView])[] = [
  ['Uint8Array', () => new Uint8Array(1000).fill(7)],
  ['Float64Array', () => new Float64Array(new Uint8Array(1000).fill(7).buffer)],
  ['DataView', () => new DataView(new Uint8Array(1000).fill(7).buffer)],
];

describe.each(liars)('a %s with a length of its own', (_, view) => {
  it.each([
    10,
    2000,
    Number.NaN,
  ])('of %d is a record of the bytes that it has, and harms no other', async (claimed) => {
    const liar = (): NodeJS.ArrayBufferView => {
      const own = Object.entries({ ...claims, length: claimed, byteLength: claimed });
      return Object.defineProperties(
        view(),
        Object.fromEntries(own.map(([name, value]) => [name, { value }])),
      );
    };
    const options = { ...SMALL, maxGroupRecords: 3, maxGroupBytes: 4096 };
    await withLog(options, async (log) => {
      const tx = log.begin();
      await Promise.all([
        log.append('before'),
        log.append(liar()),
        log.append(liar(), { receipt: true }),
        log.append(liar(), { durability: 'os' }),
        log.tryAppend(liar()),
        log.appendBatch([liar(), 'between', liar()]),
        log.checkpoint(liar()),
        tx.append(liar()),
        tx.commit(),
        log.append('after'),
      ]);
      const lengths = (await contents(log)).map((payload) =>
        payload.every((byte) => byte === 7) ? payload.length : String(payload),
      );
      expect(lengths).toEqual(['before', 1000, 1000, 1000, 1000, 1000, 'between', 1000, 1000, 1000, 'after']);
    });
  });
});

/** Their prototype is what `instanceof` goes by, and may be set to another class's. */
describe.each(liars)('a %s that says to be of another class', (_, view) => {
  it.each([
    ['a Uint8Array', Uint8Array.prototype],
    ['a Float64Array', Float64Array.prototype],
    ['a DataView', DataView.prototype],
    ['nothing', null],
  ])('%s, is a record of the bytes that it has', async (_claimed, prototype) => {
    const liar = (): NodeJS.ArrayBufferView => Object.setPrototypeOf(view(), prototype);
    await withLog({}, async (log) => {
      await Promise.all([
        log.append(liar()),
        log.appendBatch([liar(), 'between', liar()]),
        log.append('after'),
      ]);
      const lengths = (await contents(log)).map((payload) =>
        payload.every((byte) => byte === 7) ? payload.length : String(payload),
      );
      expect(lengths).toEqual([1000, 1000, 'between', 1000, 'after']);
    });
  });
});

describe('tryAppend', () => {
  it('says no by undefined when there is no room, and appends when there is', async () => {
    await withLog(SMALL, async (log) => {
      const results = Array.from({ length: 40 }, () => log.tryAppend(Buffer.alloc(1000)));
      const taken = results.filter((result) => result !== undefined);
      expect(taken.length).toBeLessThan(40);
      await Promise.all(taken);
      expect(await log.tryAppend('room again')).toBe(taken.length + 1);
    });
  });
});

describe('appendBatch', () => {
  it('gives a batch consecutive LSNs, in one group', async () => {
    await withLog(SMALL, async (log) => {
      const [a, b] = await Promise.all([
        log.appendBatch(['a', 'b', 'c']),
        log.appendBatch([Buffer.from('d')]),
      ]);
      expect([a, b]).toEqual([
        { first: 1, last: 3 },
        { first: 4, last: 4 },
      ]);
      expect((await contents(log)).map(String)).toEqual(['a', 'b', 'c', 'd']);
    });
  });

  // The second reading threw: the batch was rejected, what was in the ring of it was written, and each append behind it
  // was acknowledged for the record before.
  it('reads each payload of the array once', async () => {
    await withLog(SMALL, async (log) => {
      const reads = [0, 0];
      const payloads = ['a', 'b'].map((text, i) => ({
        get: () => {
          reads[i] = (reads[i] as number) + 1;
          if (reads[i] === 2) throw new Error('read twice');
          return text;
        },
      }));
      const batch = Object.defineProperties(['', ''], payloads as never);
      expect(await log.appendBatch(batch)).toEqual({ first: 1, last: 2 });
      expect(reads).toEqual([1, 1]);
      expect(await Promise.all([log.append('x'), log.append('y')])).toEqual([3, 4]);
      expect((await contents(log)).map(String)).toEqual(['a', 'b', 'x', 'y']);
    });
  });

  // What was measured before was copied after: that threw with a part of the batch in the ring, as above.
  it.each([
    ['plain', undefined],
    ['with options', { durability: 'os' }],
  ] as const)('%s, measures no payload before all are read, and refuses what the reading took away', async (_, options) => {
    await withLog(SMALL, async (log) => {
      const payload = new Uint8Array(200);
      const batch: unknown[] = ['good', payload, ''];
      const get = (): string => {
        structuredClone(payload.buffer, { transfer: [payload.buffer] });
        return 'third';
      };
      Object.defineProperty(batch, 2, { get });
      await expect(log.appendBatch(batch as string[], options)).rejects.toMatchObject({
        code: 'RINGWAL_INVALID_ARGUMENT',
      });
      expect(await log.append('after')).toBe(1);
      expect((await contents(log)).map(String)).toEqual(['after']);
    });
  });

  it('refuses an empty batch, one that is none, one with a bad payload, and one too large; nothing of it is there', async () => {
    await withLog({ ...SMALL, maxGroupBytes: 4096, maxGroupRecords: 10 }, async (log) => {
      const invalid = { code: 'RINGWAL_INVALID_ARGUMENT' };
      await expect(log.appendBatch([])).rejects.toMatchObject(invalid);
      await expect(log.appendBatch('abc' as never)).rejects.toMatchObject(invalid);
      await expect(log.appendBatch(['good', 5 as never])).rejects.toMatchObject(invalid);
      const large = { code: 'RINGWAL_TOO_LARGE' };
      await expect(log.appendBatch([Buffer.alloc(3000), Buffer.alloc(3000)])).rejects.toMatchObject(large);
      await expect(log.appendBatch(Array(11).fill('x'))).rejects.toMatchObject(large);
      expect(await log.append('only')).toBe(1);
    });
  });
});

describe('groups', () => {
  it('never hold more records than maxGroupRecords', async () => {
    await withLog({ ...SMALL, maxGroupRecords: 7 }, async (log) => {
      await Promise.all(Array.from({ length: 300 }, () => log.append('x')));
      expect((await log.stats()).groupRecords.max).toBeLessThanOrEqual(7);
    });
  });

  it('wait for company as long as windowUs says, and not when sync() asks', async () => {
    await withLog({ ...SMALL, windowUs: 1_000_000 }, async (log) => {
      const first = log.append('first');
      await new Promise((resolve) => setImmediate(resolve));
      const second = log.append('second');
      const start = performance.now();
      expect(await log.sync()).toBe(2);
      expect(await Promise.all([first, second])).toEqual([1, 2]);
      expect((await log.stats()).groups).toBe(1);
      expect(performance.now() - start).toBeLessThan(900);
    });
  });
});
