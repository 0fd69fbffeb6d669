/** cut-files: a newest segment that is shorter than its writer left it; cutting must not look like a clean end. */
import { describe, expect, it } from 'vitest';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import {
  boot,
  bytesOf,
  copyOf,
  type Disk,
  diskOf,
  flip,
  groups,
  open,
  refused,
  segments,
  text,
  texts,
  used,
} from './disk.js';

describe('a newest segment that was cut short', () => {
  async function closedLog(segmentCount: number): Promise<{ disk: Disk; name: string }> {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    for (let i = 1; i <= segmentCount; i++) {
      if (i > 1) await log.rotate();
      for (const value of ['one', 'two', 'three']) await log.append(text(`${value} ${i}`));
    }
    await log.close();
    const disk = diskOf(storage);
    return { disk, name: must(used(disk).at(-1)) };
  }

  it('is refused at every length that does not reach the end of the mark of its closing', async () => {
    for (const segmentCount of [1, 2]) {
      const { disk, name } = await closedLog(segmentCount);
      const mark = must(groups(bytesOf(disk, name)).at(-1));
      const end = mark + 64 + 16;
      const lengths = new Set([0, 1, 4095, 4096, 4097, 4223, 4224, mark - 1, mark, mark + 64, end - 1]);
      for (let length = 4100; length < end; length += 37) lengths.add(length);
      for (const length of lengths) {
        const cut = copyOf(disk);
        cut.set(name, bytesOf(cut, name).slice(0, length));
        await refused(cut);
        // Whether or not there is a spare behind it, whose presence alone would prove something missing.
        for (const spare of segments(cut).filter((other) => other > name)) cut.delete(spare);
        await refused(cut);
      }
      for (const length of [end, end + 1, bytesOf(disk, name).length]) {
        const whole = copyOf(disk);
        whole.set(name, bytesOf(whole, name).slice(0, length));
        expect(await texts(await open(boot(whole))), `${length}`).toHaveLength(3 * segmentCount);
      }
    }
  });

  it('says how long it should be, which LSNs may be lost, and leaves the files as they are', async () => {
    const { disk, name } = await closedLog(1);
    const [, , , third] = groups(bytesOf(disk, name));
    const cut = copyOf(disk);
    cut.set(name, bytesOf(cut, name).slice(0, must(third)));
    const { details, message } = await refused(cut);
    expect(details).toMatchObject({ file: name, offset: third, expectedLsn: 3, lastGoodLsn: 2 });
    expect(details.evidence).toMatch(/size of the file/);
    expect(message).toContain(`${third} of 32768 bytes`);
  });

  it('is refused as well when it had not been closed, or sealed and not yet followed', async () => {
    const crashed = new SimStorage();
    const unclosed = await open(crashed);
    for (const value of ['one', 'two', 'three']) await unclosed.append(text(value));
    const disk = diskOf(crashed);
    const name = must(used(disk).at(-1));
    for (const offset of groups(bytesOf(disk, name))) {
      const cut = copyOf(disk);
      cut.set(name, bytesOf(cut, name).slice(0, offset));
      await refused(cut);
    }
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    await log.rotate(); // shortened behind the SEAL; the LINK of the next segment is not written yet
    const sealed = diskOf(storage);
    const [first = '', ...others] = used(sealed);
    expect(others).toEqual([]);
    expect(bytesOf(sealed, first).length).toBeLessThan(24_576);
    expect(await texts(await open(boot(sealed)))).toEqual(['1 one']);
    const seal = must(groups(bytesOf(sealed, first)).at(-1));
    for (const length of [seal, seal + 1, seal + 64, seal + 64 + 32]) {
      const cut = copyOf(sealed);
      cut.set(first, bytesOf(cut, first).slice(0, length));
      await refused(cut);
    }
  });

  it('does not hide behind a damaged mark: a shortened file whose mark does not verify is refused', async () => {
    const { disk, name } = await closedLog(1);
    flip(bytesOf(disk, name), must(groups(bytesOf(disk, name)).at(-1)) + 64);
    expect((await refused(disk)).details).toMatchObject({ file: name, expectedLsn: 4, lastGoodLsn: 3 });
  });
});
