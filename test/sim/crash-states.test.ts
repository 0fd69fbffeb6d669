/**
 * crash-states.test: the enumeration contains every state that the crash model allows, no other, each once.
 */
import { describe, expect, it } from 'vitest';
import { CrashChoices } from '../support/crash-choices.js';
import { type CrashStateOptions, crashStates } from '../support/crash-states.js';
import { Prng } from '../support/prng.js';
import type { Image } from '../support/sim-image.js';
import { PAGE_BYTES, SECTOR_BYTES } from '../support/sim-sector.js';
import { SimStorage } from '../support/sim-storage.js';
import { contentOf, filled, publish, sizesOf, text } from './sim-helpers.js';

/** First byte of each sector of file `a`. */
function sectorsOf(image: Image): string {
  const bytes = image.files.get('a')?.bytes() ?? new Uint8Array();
  let sectors = '';
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) sectors += String.fromCharCode(bytes[at] ?? 0);
  return sectors;
}

function imagesOf(storage: SimStorage, options: CrashStateOptions = {}): Image[] {
  return [...crashStates(storage, options)].map(({ image }) => image);
}

const O = 'o'.charCodeAt(0);
const N = 'n'.charCodeAt(0);

describe('an unsynced write', () => {
  it('can vanish, and can tear at any of its sectors, in any combination (M1)', async () => {
    const { storage, file } = await publish('a', filled(6 * SECTOR_BYTES, O));
    await file.write(filled(4 * SECTOR_BYTES, N), SECTOR_BYTES);
    const found = imagesOf(storage).map(sectorsOf).sort();
    const possible = Array.from({ length: 16 }, (_, mask) => {
      const torn = [0, 1, 2, 3].map((bit) => (((mask >> bit) & 1) === 1 ? 'n' : 'o'));
      return `o${torn.join('')}o`;
    });
    expect(found).toEqual(possible.sort());
  });

  it('changes a sector as a whole: no state holds a part of it', async () => {
    const { storage, file } = await publish('a', filled(SECTOR_BYTES, O));
    file.writeGroup([filled(100, N), filled(100, N)], 200, true);
    const counts = imagesOf(storage).map(
      ({ files }) =>
        files
          .get('a')
          ?.bytes()
          .filter((byte) => byte === N).length,
    );
    expect(counts).toEqual([0, 200]);
  });

  it('can be on the disk in each of its versions', async () => {
    const { storage, file } = await publish('a', filled(SECTOR_BYTES, O));
    await file.write(text('1'), 0);
    await file.write(text('2'), 0);
    expect(imagesOf(storage).map(sectorsOf).sort()).toEqual(['1', '2', 'o']);
  });

  it('cannot vanish once it was synced', async () => {
    const { storage, file } = await publish('a', filled(3 * SECTOR_BYTES, O));
    await file.write(filled(SECTOR_BYTES, N), 0);
    file.syncGroup();
    await file.write(filled(SECTOR_BYTES, N), SECTOR_BYTES);
    expect(imagesOf(storage).map(sectorsOf).sort()).toEqual(['nno', 'noo']);
  });

  it('can leave zeros or garbage in the bytes that it was to change, and in no others', async () => {
    const { storage, file } = await publish('a', filled(SECTOR_BYTES, O));
    await file.write(filled(100, N), 400);
    const images = imagesOf(storage, { tearsToZeros: true, tearsToGarbage: true });
    const tails = images.map(({ files }) => files.get('a')?.bytes().subarray(400, 500));
    expect(tails).toHaveLength(4);
    expect(tails).toContainEqual(filled(100, 0));
    for (const { files } of images) {
      const bytes = files.get('a')?.bytes() ?? new Uint8Array();
      expect(bytes.subarray(0, 400)).toEqual(filled(400, O));
      expect(bytes.subarray(500)).toEqual(filled(12, O));
    }
  });

  it('into a hole can leave garbage in all of the sector', async () => {
    const { storage, file } = await publish('a', '');
    await file.truncate(SECTOR_BYTES);
    await file.sync();
    await file.write(text('n'), 0);
    const images = imagesOf(storage, { tearsToGarbage: true });
    expect(images).toHaveLength(3);
    expect(images.some(({ files }) => files.get('a')?.bytes()[511] !== 0)).toBe(true);
  });
});

describe('size and data', () => {
  it('survive independently: a grown file may be short, or long and empty (M2)', async () => {
    const { storage, file } = await publish('a', filled(SECTOR_BYTES, O));
    await file.write(filled(SECTOR_BYTES, N), SECTOR_BYTES);
    expect(imagesOf(storage).map(sectorsOf).sort()).toEqual(['o', 'o\0', 'on']);
  });

  it('of a file whose size did not survive, the last sector shows nothing behind the end', async () => {
    const { storage, file } = await publish('a', 'old');
    await file.write(text('new'), 3);
    const contents = imagesOf(storage).map((image) => contentOf(image, 'a'));
    expect(contents.sort()).toEqual(['old', 'old\0\0\0', 'oldnew']);
    const short = imagesOf(storage).find((image) => contentOf(image, 'a') === 'old') ?? storage.liveImage();
    const after = SimStorage.boot(short);
    await (await after.open('a', 'write')).truncate(6);
    expect(contentOf(after.liveImage(), 'a')).toBe('old\0\0\0');
  });

  it('of a file that was made shorter: old bytes may come back', async () => {
    const { storage, file } = await publish('a', filled(2 * SECTOR_BYTES, O));
    await file.truncate(0);
    await file.truncate(2 * SECTOR_BYTES);
    const found = imagesOf(storage).map(sectorsOf).sort();
    expect(found).toEqual(['', '\0\0', '\0o', 'o\0', 'oo']);
  });
});

describe('without power-safe overwrite (M9)', () => {
  const model = { hasPowerSafeOverwrite: false };

  it('an append can destroy durable bytes of its own page, and of no other', async () => {
    const { storage, file } = await publish('a', filled(3 * PAGE_BYTES, O));
    await file.write(filled(10, N), PAGE_BYTES + 2000);
    const images = imagesOf(storage, model);
    expect(images).toHaveLength(3); // old, new, page lost
    const pages = images.map(({ files }) => {
      const bytes = files.get('a')?.bytes() ?? new Uint8Array();
      return [0, 1, 2].map(
        (page) => bytes[page * PAGE_BYTES] === O && bytes[(page + 1) * PAGE_BYTES - 1] === O,
      );
    });
    expect(pages.every(([first, , third]) => first && third)).toBe(true);
    expect(pages.filter(([, second]) => !second)).toHaveLength(1);
    const lost =
      images
        .find((_, i) => pages[i]?.[1] === false)
        ?.files.get('a')
        ?.bytes() ?? new Uint8Array();
    for (let sector = 8; sector < 16; sector++) {
      const from = sector * SECTOR_BYTES;
      expect(lost.subarray(from, from + SECTOR_BYTES)).not.toEqual(filled(SECTOR_BYTES, O));
    }
  });

  it('a write that begins on a fresh page costs nothing that was durable', async () => {
    const { storage, file } = await publish('a', filled(PAGE_BYTES, O));
    await file.truncate(2 * PAGE_BYTES);
    await file.sync();
    await file.write(filled(700, N), PAGE_BYTES);
    for (const { files } of imagesOf(storage, { ...model, tearsToGarbage: true })) {
      expect(files.get('a')?.bytes().subarray(0, PAGE_BYTES)).toEqual(filled(PAGE_BYTES, O));
    }
  });

  it('with it, no state loses a durable byte that no write has touched', async () => {
    const { storage, file } = await publish('a', filled(PAGE_BYTES, O));
    await file.write(filled(1000, N), 2000);
    for (const { files } of imagesOf(storage, { tearsToZeros: true, tearsToGarbage: true })) {
      const bytes = files.get('a')?.bytes() ?? new Uint8Array();
      expect(bytes.subarray(0, 2000)).toEqual(filled(2000, O));
      expect(bytes.subarray(3000)).toEqual(filled(PAGE_BYTES - 3000, O));
    }
  });
});

describe('the number of states', () => {
  it('is the product over independent parts, each counted once', async () => {
    const { storage, file } = await publish('a', filled(8 * SECTOR_BYTES, O));
    await file.write(filled(3 * SECTOR_BYTES, N), 0); // 2^3
    const second = await storage.create('b');
    await second.write(filled(2 * SECTOR_BYTES, N), 0); // absent, empty, or 2^2 with the new size
    await storage.link('a', 'c'); // 2
    expect(imagesOf(storage)).toHaveLength(8 * (1 + 1 + 4) * 2);
  });

  it('is 4^n for n sectors that may be old, new, zeros or garbage', async () => {
    const { storage, file } = await publish('a', filled(4 * SECTOR_BYTES, O));
    await file.write(filled(4 * SECTOR_BYTES, N), 0);
    expect(imagesOf(storage, { tearsToZeros: true, tearsToGarbage: true })).toHaveLength(4 ** 4);
  });

  it('is one when all is synced, and when a write changed nothing', async () => {
    const { storage, file } = await publish('a', filled(SECTOR_BYTES, O));
    await file.write(filled(SECTOR_BYTES, O), 0);
    expect(imagesOf(storage)).toHaveLength(1);
  });

  it('does not grow by files that no name can lead to', async () => {
    const { storage } = await publish('a', 'x');
    const doomed = await storage.create('b');
    await doomed.write(filled(8 * SECTOR_BYTES, N), 0);
    await storage.unlink('b');
    await storage.syncDirectory();
    expect(imagesOf(storage)).toHaveLength(1);
  });

  it('does not grow by zeros written into a hole, nor by anything written over itself', async () => {
    const { storage, file } = await publish('a', '');
    await file.truncate(64 * SECTOR_BYTES);
    await file.sync();
    await file.write(filled(64 * SECTOR_BYTES, 0), 0);
    await file.write(filled(2 * SECTOR_BYTES, N), 0);
    await file.write(filled(SECTOR_BYTES, N), 0);
    expect(new CrashChoices(storage).combinations).toBe(4);
  });

  it('holds 2^12 exhaustively', async () => {
    const { storage, file } = await publish('a', filled(12 * SECTOR_BYTES, O));
    await file.write(filled(12 * SECTOR_BYTES, N), 0);
    const images = imagesOf(storage);
    expect(images).toHaveLength(4096);
    expect(new Set(images.map(sectorsOf)).size).toBe(4096);
  });
});

describe('when there are too many states', () => {
  async function large(): Promise<SimStorage> {
    const { storage, file } = await publish('a', filled(40 * SECTOR_BYTES, O));
    for (const first of [0, 16, 32]) {
      file.writeGroup([filled(8 * SECTOR_BYTES, N)], first * SECTOR_BYTES, true);
    }
    return storage;
  }

  it('comes as many as asked for, all different, and the same ones for the same seed', async () => {
    const storage = await large();
    const first = imagesOf(storage, { samples: 500, seed: 7 }).map(({ hash }) => hash);
    expect(new Set(first).size).toBe(500);
    expect(imagesOf(storage, { samples: 500, seed: 7 }).map(({ hash }) => hash)).toEqual(first);
    expect(imagesOf(storage, { samples: 500, seed: 8 }).map(({ hash }) => hash)).not.toEqual(first);
  });

  it('always has nothing, everything, only the last write, all but it, and all but one sector', async () => {
    const storage = await large();
    const found = new Set(imagesOf(storage, { samples: 300 }).map(sectorsOf));
    const [o, n] = ['o'.repeat(8), 'n'.repeat(8)];
    expect(found).toContain(o + o + o + o + o);
    expect(found).toContain(n + o + n + o + n);
    expect(found).toContain(o + o + o + o + n);
    expect(found).toContain(n + o + n + o + o);
    expect(found).toContain(n + o + o + o + o);
    const many = await publish('a', filled(40 * SECTOR_BYTES, O));
    for (let i = 0; i < 40; i++) await many.file.write(filled(SECTOR_BYTES, N), i * SECTOR_BYTES);
    const few = imagesOf(many.storage, { samples: 8 }).map(sectorsOf);
    expect(few.slice(0, 4)).toEqual([o.repeat(5), n.repeat(5), `${'o'.repeat(39)}n`, `${'n'.repeat(39)}o`]);
    for (let sector = 0; sector < 8; sector++) {
      expect(found).toContain(`${n}${o}${n}${o}${'n'.repeat(sector)}o${'n'.repeat(7 - sector)}`);
    }
  });
});

describe('images', () => {
  it('are equal when a program could not tell them apart, however they came about', async () => {
    const hole = await publish('a', '');
    await hole.file.truncate(2000);
    await hole.file.sync();
    const zeros = await publish('a', new Uint8Array(2000));
    expect(hole.storage.durableImage().hash).toBe(zeros.storage.durableImage().hash);
    await hole.file.write(text('x'), 700);
    await hole.file.write(text('\0'), 700);
    expect(hole.storage.liveImage().hash).toBe(zeros.storage.durableImage().hash);
  });

  it('differ by name, size, position of content, and by sharing a file under two names', async () => {
    const sector = filled(SECTOR_BYTES, N);
    const hashes = new Set<number>();
    for (const name of ['a', 'b']) {
      for (const position of [0, SECTOR_BYTES, 2 * SECTOR_BYTES]) {
        const { storage, file } = await publish(name, '');
        await file.write(sector, position);
        await file.truncate(4 * SECTOR_BYTES);
        hashes.add(storage.liveImage().hash);
        await file.truncate(5 * SECTOR_BYTES);
        hashes.add(storage.liveImage().hash);
      }
    }
    expect(hashes.size).toBe(12);
    const { storage, file } = await publish('a', 'x');
    const copy = await storage.create('b');
    await copy.write(text('x'), 0);
    const copied = storage.liveImage();
    await storage.unlink('b');
    await storage.link('a', 'b');
    expect(sizesOf(storage.liveImage())).toEqual(sizesOf(copied));
    expect(storage.liveImage().hash).not.toBe(copied.hash);
    await file.close();
  });

  it('come lazily, with a description, and not again when their hash was seen', async () => {
    const { storage, file } = await publish('a', filled(3 * SECTOR_BYTES, O));
    await file.write(filled(2 * SECTOR_BYTES, N), SECTOR_BYTES);
    await storage.link('a', 'b');
    const seen = new Set<number>();
    const states = crashStates(storage, { seen });
    const first = states.next().value;
    expect(first?.image.hash).toBe(storage.durableImage().hash);
    expect(seen.size).toBe(1);
    const rest = [...states];
    expect(rest.at(-1)?.hash).toBe(storage.liveImage().hash);
    expect(rest[0]?.describe()).toBe('names: b is file 1 (new)\na|b: sector 1 old, sector 2 old');
    expect([...crashStates(storage, { seen })]).toEqual([]);
  });

  it('contain what is live and what is durable, whatever was done before', async () => {
    const prng = new Prng(20);
    for (let run = 0; run < 40; run++) {
      const storage = new SimStorage({ checksOverwrites: false });
      const files = [await storage.create('a'), await storage.create('b')];
      for (let step = 0; step < 12; step++) {
        const file = prng.pick(files);
        const action = prng.below(6);
        if (action === 0) await file.sync();
        else if (action === 1) await storage.syncDirectory();
        else if (action === 2) await file.truncate(prng.below(3000));
        else if (action === 3) await storage.link('a', `c${step}`);
        else await file.write(prng.bytes(prng.below(900)), prng.below(2000));
      }
      const seen = new Set<number>();
      for (const { hash } of crashStates(storage, { samples: 50, exhaustiveUpTo: 64 })) seen.add(hash);
      expect(seen).toContain(storage.liveImage().hash);
      expect(seen).toContain(storage.durableImage().hash);
    }
  });
});
