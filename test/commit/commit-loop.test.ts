/** commit-loop: what one round of the I/O worker does: requests, pauses, and groups, now or when their window is over. */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../dist/src/errors.js';
import { CLOSING, type LogState } from '../../dist/src/ring/log-state.js';
import { played } from '../support/played-loop.js';

describe('a round of the loop', () => {
  it('commits what is there, and says when nothing is', () => {
    const { loop, put, seen } = played();
    expect(loop.step()).toBe('idle');
    put();
    expect(loop.step()).toBe('committed');
    expect(loop.step()).toBe('idle');
    expect(seen.commits).toBe(1);
  });

  it('tries a request until it returns something, in front of the group, and counts as waiting for a segment', async () => {
    const { loop, put, seen } = played();
    const tries: number[] = [];
    const answer = loop.request(() => {
      tries.push(seen.commits);
      return tries.length < 3 ? undefined : 'done';
    });
    expect(loop.step()).toBe('no-segment');
    put();
    expect(loop.step()).toBe('committed');
    expect(loop.step()).toBe('idle');
    expect(await answer).toBe('done');
    expect(loop.step()).toBe('idle');
    expect(tries).toEqual([0, 0, 1]);
  });

  it('answers a refused request with its error and goes on; any other error ends the loop and all requests', async () => {
    const { loop, put, seen } = played();
    const refused = loop.request(() => {
      throw new InvalidArgumentError('no');
    });
    const fine = loop.request(() => 1);
    expect(loop.step()).toBe('idle');
    await expect(refused).rejects.toThrow('no');
    expect(await fine).toBe(1);
    const bad = new Error('EIO');
    const failing = loop.request(() => {
      throw bad;
    });
    const waiting = loop.request(() => 2);
    put();
    expect(loop.step()).toBe('failed');
    await expect(failing).rejects.toBe(bad);
    await expect(waiting).rejects.toBe(bad);
    await expect(loop.request(() => 3)).rejects.toBe(bad);
    expect(loop.step()).toBe('failed');
    expect(seen).toMatchObject({ failures: [bad], commits: 0 });
  });

  it('ends with the error of a group that could not be written', () => {
    const { loop, now, seen } = played();
    now.outcomes.push(new Error('ENOSPC'));
    expect(loop.step()).toBe('failed');
    expect(loop.step()).toBe('failed');
    expect(seen.failures).toEqual([new Error('ENOSPC')]);
  });

  it('commits nothing and tries no request between a pause and its end', async () => {
    const { loop, put, seen } = played();
    put();
    const paused = loop.pause();
    let tried = 0;
    const request = loop.request(() => ++tried);
    expect(loop.step()).toBe('paused');
    await paused;
    expect(loop.step()).toBe('paused');
    expect({ tried, commits: seen.commits }).toEqual({ tried: 0, commits: 0 });
    loop.resume();
    expect(loop.step()).toBe('committed');
    expect(await request).toBe(1);
    expect(seen.failures).toEqual([]);
  });

  it('ends when what paused it has failed', async () => {
    const { loop, seen } = played();
    void loop.pause();
    loop.step();
    const request = loop.request(() => 1);
    const bad = new Error('EIO');
    loop.resume(bad);
    expect(loop.step()).toBe('failed');
    await expect(request).rejects.toBe(bad);
    expect(seen.failures).toEqual([bad]);
  });
});

it('an idle mark is done with, whether or not there was room for it', () => {
  const { loop, now } = played();
  now.marks.push(true, false);
  expect([loop.idleMark(), loop.idleMark()]).toEqual([true, true]);
});

describe('a commit window', () => {
  it('opens with the first chunk, tells what is left of it, and closes with the group', () => {
    const { loop, now, put, seen } = played(500);
    expect(loop.step()).toBe('idle');
    now.us += 400; // nothing waits: no window is open yet
    put();
    expect(loop.step()).toEqual({ windowUs: 500 });
    now.us += 499;
    expect(loop.step()).toEqual({ windowUs: 1 });
    now.us += 1;
    expect(loop.step()).toBe('committed');
    put();
    expect(loop.step()).toEqual({ windowUs: 500 });
    expect(seen.commits).toBe(1);
  });

  it('is left open when the group finds no segment', () => {
    const { loop, now, put } = played(500);
    put();
    loop.step();
    now.us += 500;
    now.outcomes.push('no-segment');
    expect(loop.step()).toBe('no-segment');
    expect(loop.step()).toBe('committed');
  });

  it.each([
    ['somebody is in a hurry', (state: LogState) => state.hurry(), { bytes: 100, records: 1 }],
    ['the log closes', (state: LogState) => state.advance(CLOSING), { bytes: 100, records: 1 }],
    ['a group is full of bytes', () => {}, { bytes: 1000, records: 1 }],
    ['a group is full of records', () => {}, { bytes: 999, records: 10 }],
  ])('ends at once when %s', (_what, happen, { bytes, records }) => {
    const { loop, state, put } = played(500);
    put(999, 9);
    expect(loop.step()).toEqual({ windowUs: 500 });
    put(bytes, records);
    happen(state);
    expect(loop.step()).toBe('committed');
    expect(state.isHurried).toBe(false);
  });

  it('is not opened for what a full group has left over', () => {
    const { loop, now, put, state } = played(500);
    put(1000, 10);
    now.leftOver = true;
    expect(loop.step()).toBe('committed');
    now.leftOver = false;
    put();
    expect(loop.step()).toBe('committed');
    put();
    expect(loop.step()).toEqual({ windowUs: 500 });
    expect(state.isHurried).toBe(false);
  });

  it('that there is not needs no hurry either', () => {
    const { loop, now, put, state } = played(0);
    put();
    now.leftOver = true;
    expect(loop.step()).toBe('committed');
    expect(state.isHurried).toBe(false);
  });
});
