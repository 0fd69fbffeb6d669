/**
 * oracle.test: the oracle lets everything pass that a log may do, and catches every lie it might tell.
 */
import { describe, expect, it } from 'vitest';
import { Oracle, OracleError, type RecoveredRecord } from '../support/oracle.js';
import { Prng } from '../support/prng.js';
import { text } from './sim-helpers.js';

/** Records with these payloads, from `firstLsn` on. */
function records(firstLsn: number, ...payloads: string[]): RecoveredRecord[] {
  return payloads.map((payload, i) => ({ lsn: firstLsn + i, payload: text(payload) }));
}

/** Three acknowledged records, a batch of two under way, and another record behind it. */
function busy(oracle = new Oracle()): Oracle {
  const [a, b, c] = ['a', 'b', 'c'].map((payload) => oracle.submit(text(payload)));
  oracle.submit([text('d'), text('e')]);
  oracle.submit(text('f'));
  oracle.acked(a ?? -1, 1);
  oracle.acked(b ?? -1, 2);
  oracle.acked(c ?? -1, 3);
  return oracle;
}

describe('lets pass', () => {
  it.each([
    ['exactly what was acknowledged', ['a', 'b', 'c']],
    ['a batch that was under way, whole', ['a', 'b', 'c', 'd', 'e']],
    ['all that was submitted', ['a', 'b', 'c', 'd', 'e', 'f']],
  ])('%s', (_, payloads) => {
    expect(busy().check(records(1, ...payloads))).toEqual([]);
  });

  it('an empty log of which nothing was acknowledged', () => {
    const oracle = new Oracle();
    oracle.submit(text('a'));
    expect(oracle.check([], 1)).toEqual([]);
  });

  it('equal payloads of one producer', () => {
    const oracle = new Oracle();
    for (let i = 0; i < 3; i++) oracle.submit(text('same'));
    oracle.acked(0, 1);
    expect(oracle.check(records(1, 'same', 'same'))).toEqual([]);
    expect(oracle.check(records(1, 'same', 'same', 'same', 'same'))).toHaveLength(1);
  });

  it('producers in any order among each other', () => {
    const oracle = new Oracle();
    for (const payload of ['a1', 'a2']) oracle.submit(text(payload), 1);
    for (const payload of ['b1', 'b2']) oracle.submit(text(payload), 2);
    for (const order of [['b1', 'a1', 'a2'], ['a1', 'b1', 'b2'], ['b1', 'b2'], ['a1']]) {
      expect(oracle.check(records(1, ...order))).toEqual([]);
    }
    expect(oracle.check(records(1, 'b1', 'a2')).join()).toContain('O6');
  });

  it('a failed append, there or not', () => {
    const oracle = busy();
    oracle.failed(3);
    oracle.failed(4);
    expect(oracle.check(records(1, 'a', 'b', 'c'))).toEqual([]);
    expect(oracle.check(records(1, 'a', 'b', 'c', 'd', 'e', 'f'))).toEqual([]);
    expect(oracle.unanswered).toBe(0);
  });

  it('the LSN of a record that was neither acknowledged nor recovered, given again', () => {
    const oracle = busy();
    oracle.reopened(records(1, 'a', 'b', 'c'), 4);
    oracle.acked(oracle.submit(text('g')), 4);
    expect(oracle.check(records(1, 'a', 'b', 'c', 'g'), 5)).toEqual([]);
  });

  it('a batch under way whose head was truncated, and only so far', () => {
    const oracle = new Oracle();
    oracle.submit(['a', 'b', 'c'].map(text));
    oracle.truncating(3);
    expect(oracle.check(records(3, 'c'))).toEqual([]);
    expect(oracle.check(records(2, 'b', 'c'))).toEqual([]);
    expect(oracle.check(records(2, 'c'))).toHaveLength(1);
    expect(oracle.check(records(1, 'b', 'c'))).toHaveLength(1);
  });

  it('a cut: what it left stays, its LSNs are given anew, and what was under way comes behind it', () => {
    const oracle = busy();
    oracle.cut(1);
    expect(oracle.durableLsn).toBe(1);
    expect(oracle.check(records(1, 'a'))).toEqual([]);
    expect(oracle.check(records(1, 'a', 'd', 'e', 'f'))).toEqual([]);
    oracle.acked(3, 2);
    expect(oracle.check(records(1, 'a', 'd', 'e'))).toEqual([]);
    expect(oracle.check(records(1, 'a'))).not.toEqual([]);
    expect(oracle.check(records(1, 'a', 'b', 'c'))).not.toEqual([]);
    expect(oracle.check([], 1)).not.toEqual([]);
  });
});

describe('catches', () => {
  it.each<[lie: string, rule: string, recovered: RecoveredRecord[]]>([
    ['a lost acknowledged record at the end', 'O3', records(1, 'a', 'b')],
    ['the loss of everything', 'O3', []],
    ['a lost record at the front', 'O2', records(2, 'b', 'c')],
    ['a lost record in the middle, with a gap', 'O1', [...records(1, 'a'), ...records(3, 'c')]],
    ['a lost record in the middle, closed up', 'O5', records(1, 'a', 'c')],
    ['a duplicate', 'O5', records(1, 'a', 'b', 'c', 'c')],
    ['a duplicated LSN', 'O1', [...records(1, 'a', 'b'), ...records(2, 'b', 'c')]],
    ['two records that changed places', 'O5', records(1, 'b', 'a', 'c')],
    ['an acknowledged record pushed back by others', 'O6', records(1, 'a', 'b', 'd', 'e', 'c')],
    ['half a batch', 'O7', records(1, 'a', 'b', 'c', 'd')],
    ['the other half of a batch', 'O7', records(1, 'a', 'b', 'c', 'e')],
    ['half a batch with more behind it', 'O7', records(1, 'a', 'b', 'c', 'd', 'f')],
    ['a record behind a hole', 'O6', records(1, 'a', 'b', 'c', 'f')],
    ['an invented record', 'O4', records(1, 'a', 'b', 'c', 'x')],
    ['an invented record in an acknowledged place', 'O4', records(1, 'a', 'x', 'c')],
    ['a cut-off payload', 'O4', records(1, 'a', 'b', '')],
    ['the order from back to front', 'O1', records(1, 'a', 'b', 'c').reverse()],
    ['LSN 0', 'O2', records(0, 'a', 'b', 'c')],
  ])('%s (%s)', (_, rule, recovered) => {
    expect(
      busy()
        .check(recovered)
        .map((problem) => problem.slice(0, 2)),
    ).toContain(rule);
    expect(() => busy().reopened(recovered)).toThrow(OracleError);
  });

  it('a wrong next LSN (O8)', () => {
    const kept = records(1, 'a', 'b', 'c');
    expect(busy().check(kept, 4)).toEqual([]);
    expect(busy().check(kept, 3).join()).toContain('O8');
    expect(busy().check(kept, 5).join()).toContain('O8');
  });

  it('a refused append that is there all the same (O4), and none that is not', () => {
    const oracle = busy();
    oracle.refused(3);
    expect(oracle.check(records(1, 'a', 'b', 'c', 'f'))).toEqual([]);
    expect(oracle.check(records(1, 'a', 'b', 'c', 'd', 'e')).join()).toContain('O4');
  });

  it('a missing append before an acknowledged one of the same producer (O6)', () => {
    const oracle = new Oracle();
    oracle.submit(text('a'));
    oracle.acked(oracle.submit(text('b')), 1);
    expect(oracle.check(records(1, 'b')).join()).toContain('O6');
  });

  it('a batch whose second LSN was acknowledged to another append, even with the same bytes', () => {
    const oracle = new Oracle();
    oracle.submit([text('a'), text('same')], 1);
    oracle.acked(oracle.submit(text('same'), 2), 2);
    expect(oracle.check(records(1, 'a', 'same'))).not.toEqual([]);
  });

  it('answers that cannot be', () => {
    const twice = busy();
    twice.acked(0, 1);
    expect(twice.violations.join()).toContain('A1');
    const tooHigh = busy();
    tooHigh.acked(4, 9);
    expect(tooHigh.violations.join()).toContain('A2');
    const shared = busy();
    shared.acked(3, 2);
    expect(shared.violations.join()).toContain('A3');
    const disordered = busy();
    disordered.acked(4, 4);
    disordered.acked(3, 5);
    expect(disordered.check(records(1, 'a', 'b', 'c')).join()).toContain('A4');
    const undead = busy();
    undead.failed(3);
    undead.acked(4, 4);
    expect(undead.check(records(1, 'a', 'b', 'c', 'f')).join()).toContain('A5');
  });
});

describe('over generations', () => {
  it('what an open returned is durable from then on (O3)', () => {
    const oracle = busy();
    oracle.reopened(records(1, 'a', 'b', 'c', 'd', 'e'), 6);
    expect(oracle.generation).toBe(2);
    expect(oracle.durableLsn).toBe(5);
    expect(oracle.check(records(1, 'a', 'b', 'c')).join()).toContain('O3');
    expect(oracle.check(records(1, 'a', 'b', 'c', 'd', 'x')).join()).toContain('O3');
  });

  it('what an open had shown to be gone stays gone (O4)', () => {
    const oracle = busy();
    oracle.reopened(records(1, 'a', 'b', 'c'));
    expect(oracle.check(records(1, 'a', 'b', 'c', 'd', 'e')).join()).toContain(
      'of generation 1, and was gone',
    );
  });

  it('LSNs go on behind what was recovered (A2)', () => {
    const oracle = busy();
    oracle.reopened(records(1, 'a', 'b', 'c'));
    oracle.acked(oracle.submit(text('g')), 3);
    expect(oracle.violations.join()).toContain('A2');
  });

  it('a fork goes its own way', () => {
    const oracle = busy();
    const fork = oracle.fork();
    fork.acked(3, 4);
    fork.reopened(records(1, 'a', 'b', 'c', 'd', 'e', 'f'));
    expect(oracle.generation).toBe(1);
    expect(oracle.check(records(1, 'a', 'b', 'c'))).toEqual([]);
    expect(fork.check(records(1, 'a', 'b', 'c'))).not.toEqual([]);
  });
});

describe('under truncation', () => {
  it('records before a requested mark may go, none behind it', () => {
    const oracle = busy();
    oracle.truncating(3);
    for (const first of [1, 2, 3]) {
      expect(oracle.check(records(first, ...['a', 'b', 'c'].slice(first - 1)))).toEqual([]);
    }
    expect(oracle.check(records(4, 'd', 'e')).join()).toContain('O2');
    expect(oracle.check([]).join()).toContain('O3');
  });

  it('what is gone stays gone (O2)', () => {
    const oracle = busy();
    oracle.truncating(3);
    oracle.reopened(records(3, 'c'));
    expect(oracle.check(records(3, 'c'))).toEqual([]);
    expect(oracle.check(records(2, 'b', 'c')).join()).toContain('O2');
  });

  it('exactly, an acknowledged mark hides all before it', () => {
    const oracle = busy(new Oracle({ truncation: 'exact' }));
    oracle.truncating(3);
    expect(oracle.check(records(2, 'b', 'c'))).toEqual([]);
    oracle.truncated(3);
    expect(oracle.check(records(2, 'b', 'c')).join()).toContain('O2');
    expect(oracle.check(records(3, 'c'))).toEqual([]);
  });

  it('a log of which nothing is left does not give an LSN again (O8)', () => {
    const oracle = busy();
    oracle.truncating(4);
    expect(oracle.check([], 3).join()).toContain('O8');
    oracle.reopened([], 4);
    oracle.acked(oracle.submit(text('g')), 4);
    expect(oracle.check(records(4, 'g'))).toEqual([]);
    expect(oracle.violations).toEqual([]);
  });

  it('unacknowledged records of another producer may have gone with it', () => {
    const oracle = new Oracle();
    oracle.submit(text('x'), 2);
    oracle.submit(text('y'), 2);
    oracle.acked(oracle.submit(text('a'), 1), 1);
    oracle.acked(oracle.submit(text('b'), 1), 3);
    oracle.truncating(3);
    expect(oracle.check(records(3, 'b', 'y'))).toEqual([]);
    expect(oracle.check(records(2, 'x', 'b', 'y'))).toEqual([]);
    expect(oracle.check(records(2, 'y', 'b')).join()).not.toContain('O4');
  });

  it('no more records may have gone than there are LSNs before the first one', () => {
    const oracle = new Oracle();
    for (const payload of ['x', 'y', 'z']) oracle.submit(text(payload), 2);
    for (const payload of ['u', 'v']) oracle.submit(text(payload), 3);
    oracle.acked(oracle.submit(text('a'), 1), 1);
    oracle.acked(oracle.submit(text('b'), 1), 5);
    oracle.truncating(3);
    expect(oracle.check(records(3, 'y', 'u', 'b'))).toEqual([]);
    expect(oracle.check(records(3, 'y', 'v', 'b')).join()).toContain('O6');
    expect(oracle.check(records(3, 'x', 'u', 'b', 'z')).join()).toContain('O6'); // y went after x stayed
  });

  it('may cut into a batch', () => {
    const oracle = busy();
    oracle.acked(3, 4);
    oracle.truncating(5);
    expect(oracle.check(records(5, 'e', 'f'))).toEqual([]);
  });
});

it('agrees with any honest log, over many generations, and catches any one change', () => {
  const prng = new Prng(11);
  for (let run = 0; run < 60; run++) {
    const oracle = new Oracle();
    let log: RecoveredRecord[] = [];
    let number = 0;
    for (let generation = 0; generation < 4; generation++) {
      const groups: { ticket: number; records: RecoveredRecord[] }[] = [];
      for (let i = prng.below(8); i > 0; i--) {
        const payloads = Array.from({ length: prng.between(1, 3) }, () => text(`${run} ${++number}`));
        const ticket = oracle.submit(payloads, prng.below(3));
        const from = log.length + groups.flatMap((group) => group.records).length + 1;
        groups.push({ ticket, records: payloads.map((payload, at) => ({ lsn: from + at, payload })) });
      }
      const acked = prng.below(groups.length + 1);
      for (const {
        ticket,
        records: [first],
      } of groups.slice(0, acked))
        oracle.acked(ticket, first?.lsn ?? 0);
      const survived = groups.slice(0, prng.between(acked, groups.length));
      log = [...log, ...survived.flatMap((group) => group.records)];
      if (log.length > 0) {
        const at = prng.below(log.length);
        expect(oracle.check(log.with(at, { lsn: at + 1, payload: text('forged') }))).not.toEqual([]);
      }
      if (oracle.durableLsn > 0) {
        const shorter = log.toSpliced(prng.below(oracle.durableLsn), 1);
        expect(oracle.check(shorter.map(({ payload }, at) => ({ lsn: at + 1, payload })))).not.toEqual([]);
      }
      oracle.reopened(log, log.length + 1);
    }
  }
});

describe('appends that wait for no sync, or expect an LSN', () => {
  function unsynced(): Oracle {
    const oracle = new Oracle();
    for (const payload of ['a', 'b', 'c']) oracle.submit(text(payload));
    oracle.acked(0, 1);
    oracle.acked(1, 2, false);
    return oracle;
  }

  it('lets a written one be lost, until a sync or a durable one behind it was acknowledged', () => {
    expect(unsynced().check(records(1, 'a'))).toEqual([]);
    expect(unsynced().check(records(1, 'a', 'b', 'c'))).toEqual([]);
    expect(
      unsynced()
        .check(records(1, 'a', 'c'))
        .join(),
    ).toContain('O6');
    const synced = unsynced();
    synced.synced(2);
    expect(synced.check(records(1, 'a')).join()).toContain('O3');
    const followed = unsynced();
    followed.acked(2, 3);
    expect(followed.check(records(1, 'a', 'b')).join()).toContain('O3');
    expect(followed.check(records(1, 'a', 'b', 'c'))).toEqual([]);
  });

  it('lets one that expected an LSN be there under it, or not at all', () => {
    const oracle = new Oracle();
    oracle.submit(text('a'));
    oracle.submit(text('b'), 0, 2);
    oracle.submit(text('c'));
    for (const payloads of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'c']])
      expect(oracle.check(records(1, ...payloads))).toEqual([]);
    const other = new Oracle();
    other.submit(text('a'));
    other.submit(text('b'), 0, 3);
    expect(other.check(records(1, 'a', 'b')).join()).toContain('O9');
    other.acked(1, 2);
    expect(other.violations.join()).toContain('A6');
  });
});
