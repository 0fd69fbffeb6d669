/** memtable-kv: the example store: what it acknowledged survives SIGKILL at any moment, and its files are judged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WriteBatch } from 'ringwal/operations';
import { describe, expect, it } from 'vitest';
import { KvStore, type StoreOptions } from '../../dist-examples/memtable-kv/store.js';
import { filesOpenIn } from '../support/files-open.js';
import { must } from '../support/must.js';
import { Prng, testSeed } from '../support/prng.js';
import { edit, tempDir } from '../support/temp-dir.js';

const CYCLES = 6;
/** A memtable is full after some 150 operations, and a segment after two of them. */
const SMALL: StoreOptions = {
  memtableBytes: 24 * 1024,
  maxFiles: 3,
  log: { segmentBytes: 65_536, ringBytes: 16_384 },
};
const EVENTS = ['write-out', 'truncate', 'merge'] as const;

type Contents = Map<string, string>;
/** What one write does: new values, null for deletions. */
type Effects = Record<string, string | null>;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function contents(store: KvStore): Promise<Contents> {
  const found: Contents = new Map();
  for await (const { key, value } of store.scan()) found.set(text(key), text(value));
  return found;
}

function apply(contents: Contents, effects: Effects): void {
  for (const [key, value] of Object.entries(effects)) {
    if (value === null) contents.delete(key);
    else contents.set(key, value);
  }
}

const sortedFiles = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.sorted'));

async function withStore<T>(
  directory: string,
  options: StoreOptions,
  use: (store: KvStore) => Promise<T>,
): Promise<T> {
  const store = await KvStore.open(directory, options);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

describe('killed with SIGKILL', () => {
  /** Lets a writer run until `isTime` says so of what it told, and kills it. Returns what was in doubt then. */
  async function killedWriter(
    directory: string,
    seed: number,
    acknowledged: Contents,
    isTime: (line: string) => boolean,
  ): Promise<Effects[]> {
    const fixture = fileURLToPath(new URL('../fixtures/memtable-kv-writer.mjs', import.meta.url));
    const child = spawn(process.execPath, [fixture, directory, `${seed}`, JSON.stringify(SMALL)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const started = new Map<string, Effects>();
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, what, caller = '', effects = ''] = /^(\w+) (\S+) ?(.*)$/.exec(line) ?? [];
        if (what === 'start') started.set(caller, JSON.parse(effects));
        if (what === 'done') {
          apply(acknowledged, must(started.get(caller)));
          started.delete(caller);
        }
        if (isTime(line)) child.kill('SIGKILL');
      }
    });
    const [code, signal] = await once(child, 'close');
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
    return [...started.values()];
  }

  it(`has every acknowledged write, batches all or none, and nothing else (${CYCLES} times)`, async () => {
    const seed = testSeed(1);
    const prng = new Prng(seed);
    const directory = tempDir();
    const events = new Map<string, number>();
    let expected: Contents = new Map();
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const where = `cycle ${cycle}, seed ${seed}`;
      // Either after so many acknowledgements, or right at a moment at which files change.
      const moment = prng.chance(0.5) ? `event ${prng.pick(EVENTS)}` : 'done';
      let left = moment === 'done' ? prng.between(1, 2500) : prng.between(1, 3);
      const inDoubt = await killedWriter(directory, cycle, expected, (line) => {
        if (line.startsWith('event')) events.set(line, (events.get(line) ?? 0) + 1);
        return line.startsWith(moment) && --left === 0;
      });
      const found = await withStore(directory, SMALL, async (store) => {
        const scanned = await contents(store);
        for (const [key, value] of scanned) {
          expect(text(must(await store.get(key), `${where}: ${key}`))).toBe(value);
        }
        for (const key of expected.keys()) {
          if (!scanned.has(key)) expect(await store.get(key), `${where}, ${key}`).toBeUndefined();
        }
        return scanned;
      });
      // A write in doubt may be there, whole: if one of its changes shows, then all of them must.
      for (const effects of inDoubt) {
        const shows = ([key, value]: [string, string | null]) =>
          (expected.get(key) ?? null) !== value && (found.get(key) ?? null) === value;
        if (Object.entries(effects).some(shows)) apply(expected, effects);
      }
      expect(Object.fromEntries(found), where).toEqual(Object.fromEntries(expected));
      expected = found;
    }
    for (const event of EVENTS)
      expect(events.get(`event ${event}`), event).toBeGreaterThanOrEqual(CYCLES / 2);
    expect(sortedFiles(directory).length).toBeLessThanOrEqual(4);
  });
});

describe('in order', () => {
  /** Writes what fills several memtables; a value tells its key and which round put it. */
  async function fill(store: KvStore, rounds: number): Promise<Contents> {
    const expected: Contents = new Map();
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => {
          const key = `key/${String((i * 7) % 200).padStart(3, '0')}`;
          if ((i + round) % 9 === 0) {
            expected.delete(key);
            return store.delete(key);
          }
          expected.set(key, `${key} in round ${round} ${'.'.repeat(i % 50)}`);
          return store.put(key, must(expected.get(key)));
        }),
      );
    }
    return expected;
  }

  it('gives the newest values, sorted, while memtables are written out and files merged', async () => {
    const directory = tempDir();
    const happened: string[] = [];
    const options: StoreOptions = { ...SMALL, onEvent: (event) => happened.push(event) };
    const expected = await withStore(directory, options, async (store) => {
      const before = await fill(store, 6);
      const scan = store.scan();
      const first = must((await scan.next()).value ?? undefined);
      const files = sortedFiles(directory);
      expect(files.length).toBeGreaterThan(0);
      const filled = await fill(store, 12);
      // What the scan reads is merged away under it, but it goes on with what there was when it began.
      expect(sortedFiles(directory).filter((name) => files.includes(name))).toEqual([]);
      const scanned: Contents = new Map([[text(first.key), text(first.value)]]);
      for await (const { key, value } of scan) scanned.set(text(key), text(value));
      expect(Object.fromEntries(scanned)).toEqual(Object.fromEntries(before));
      const sorted = [...filled].sort(([a], [b]) => (a < b ? -1 : 1));
      expect([...(await contents(store))]).toEqual(sorted);
      const some = sorted.filter(([key]) => key >= 'key/050' && key < 'key/150');
      const found: string[] = [];
      for await (const { key } of store.scan({ from: 'key/050', to: 'key/150' })) found.push(text(key));
      expect(found).toEqual(some.map(([key]) => key));
      expect(await store.get('no such key')).toBeUndefined();
      return filled;
    });
    expect(new Set(happened)).toEqual(new Set(EVENTS));
    await withStore(directory, SMALL, async (store) => {
      expect(await contents(store)).toEqual(expected);
      expect(store.logged).toBeLessThan(1000);
    });
  });

  it('keeps keys and values that are any bytes, and its own copy of both', async () => {
    const directory = tempDir();
    const key = Uint8Array.of(0, 255, 128);
    const value = Uint8Array.of(1, 0, 254);
    await withStore(directory, SMALL, async (store) => {
      const batch = new WriteBatch().put(key, value).put('ü', '').delete('never there');
      const written = store.write(batch);
      batch.clear();
      value.fill(9);
      expect(await written).toEqual({ first: 1, last: 3 });
      must(await store.get(key)).fill(7);
      expect(await store.get(key)).toEqual(Uint8Array.of(1, 0, 254));
      expect(await store.get('ü')).toEqual(new Uint8Array(0));
    });
    await withStore(directory, { ...SMALL, memtableBytes: 1 }, (store) =>
      store.put('z', 'fills the memtable'),
    );
    expect(sortedFiles(directory).length).toBeGreaterThan(0);
    await withStore(directory, SMALL, async (store) => {
      expect(await store.get(key)).toEqual(Uint8Array.of(1, 0, 254));
      expect(await contents(store)).toHaveProperty('size', 3);
    });
  });

  it('removes what a crash in the middle of a merge leaves, and is none the worse for it', async () => {
    const directory = tempDir();
    const aside = join(tempDir(), 'aside');
    mkdirSync(aside);
    const lazy: StoreOptions = { ...SMALL, maxFiles: 100 };
    const expected = await withStore(directory, lazy, (store) => fill(store, 6));
    const parts = sortedFiles(directory);
    for (const name of parts) copyFileSync(join(directory, name), join(aside, name));
    // One more write-out, with a limit of one file, merges all.
    await withStore(directory, { ...SMALL, maxFiles: 1, memtableBytes: 1 }, (store) =>
      store.put('last', '1'),
    );
    expect(sortedFiles(directory)).toHaveLength(1);
    for (const name of parts) renameSync(join(aside, name), join(directory, name));
    writeFileSync(join(directory, 'half.sorted.tmp'), 'half a file');
    expected.set('last', '1');
    await withStore(directory, SMALL, async (store) => expect(await contents(store)).toEqual(expected));
    expect(readdirSync(directory).filter((name) => name !== 'log')).toHaveLength(1);
  });
});

describe('when a memtable can not be written out', () => {
  it('keeps what it acknowledged, refuses to take more, and goes on after reopening', async () => {
    const directory = tempDir();
    const obstacle = join(directory, '0000000000000001-0000000000000001.sorted.tmp');
    const tiny: StoreOptions = { ...SMALL, memtableBytes: 1 };
    await withStore(directory, tiny, async (store) => {
      mkdirSync(obstacle);
      expect(await store.put('a', '1')).toBe(1);
      expect(await store.put('b', '2')).toBe(2);
      const refused = { cause: { code: 'EISDIR' } };
      await expect(store.put('c', '3')).rejects.toMatchObject(refused);
      expect(await contents(store)).toEqual(new Map(Object.entries({ a: '1', b: '2' })));
    });
    expect(sortedFiles(directory)).toEqual([]);
    rmSync(obstacle, { recursive: true });
    await withStore(directory, tiny, async (store) => {
      expect(await store.put('c', '3')).toBe(3);
      expect(await contents(store)).toEqual(new Map(Object.entries({ a: '1', b: '2', c: '3' })));
    });
    expect(sortedFiles(directory)).not.toEqual([]);
  });
});

describe('opening refuses', () => {
  async function written(): Promise<{ directory: string; files: string[] }> {
    const directory = tempDir();
    await withStore(directory, { ...SMALL, memtableBytes: 1, maxFiles: 100 }, async (store) => {
      for (let i = 0; i < 3; i++) await store.put(`key ${i}`, `value ${i}`);
    });
    return { directory, files: sortedFiles(directory) };
  }

  it('a damaged file, whichever byte it is', async () => {
    const { directory, files } = await written();
    const name = must(files[1]);
    const { length } = readFileSync(join(directory, name));
    const prng = new Prng(testSeed(3));
    for (const at of prng.sample(length, 6)) {
      const flip = () =>
        edit(directory, name, (bytes) => {
          bytes[at] = (bytes[at] ?? 0) ^ 16;
          return bytes;
        });
      flip();
      await expect(KvStore.open(directory, SMALL), `byte ${at}`).rejects.toThrow(/is damaged/);
      flip();
    }
    edit(directory, name, (bytes) => bytes.subarray(0, length - 1));
    await expect(KvStore.open(directory, SMALL)).rejects.toThrow(/is damaged/);
  });

  it('a missing file in the middle, at the start, and at the end', async () => {
    const { directory, files } = await written();
    expect(files).toHaveLength(3);
    for (const [i, name] of files.entries()) {
      renameSync(join(directory, name), join(directory, 'elsewhere'));
      const error = i < 2 ? /is missing/ : /truncated away/;
      await expect(KvStore.open(directory, SMALL), name).rejects.toThrow(error);
      expect(filesOpenIn(directory)).toBe(0);
      renameSync(join(directory, 'elsewhere'), join(directory, name));
    }
    await withStore(directory, SMALL, async (store) => expect((await contents(store)).size).toBe(3));
  });

  it('a log that ends before what the files cover, and a second opener', async () => {
    const { directory } = await written();
    await withStore(directory, SMALL, async () => {
      await expect(KvStore.open(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
    });
    rmSync(join(directory, 'log'), { recursive: true });
    await expect(KvStore.open(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  });
});
