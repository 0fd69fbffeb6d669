/** verdict: the table that judges the end of a log is complete and unambiguous. */
import { expect, it } from 'vitest';
import { VERDICTS, verdictOf } from '../../dist/src/recovery/verdict.js';

const REASONS = ['end', 'zeros', 'invalid', 'misplaced'] as const;

it('has exactly one row for every combination of what recovery can find', () => {
  for (const reason of REASONS) {
    for (const proofBehind of [true, false]) {
      for (const falseEnd of [true, false]) {
        const rows = VERDICTS.filter(
          (row) =>
            row.reason === reason &&
            (row.proofBehind === 'any' || row.proofBehind === proofBehind) &&
            (row.falseEnd === 'any' || row.falseEnd === falseEnd),
        );
        expect(rows.length, `${reason} ${proofBehind} ${falseEnd}`).toBe(1);
        expect(verdictOf(reason, proofBehind, falseEnd)).toBe(rows[0]?.verdict);
      }
    }
  }
});

it('lets a log end only where no proof lies behind and nothing durable is missing', () => {
  for (const reason of REASONS) {
    for (const [proofBehind, falseEnd] of [
      [true, false],
      [true, true],
      [false, true],
    ] as const) {
      expect(['damaged', 'misplaced', 'lost-end']).toContain(verdictOf(reason, proofBehind, falseEnd));
    }
  }
  expect(verdictOf('invalid', false, false)).toBe('torn-tail');
  expect(verdictOf('zeros', false, false)).toBe('clean-end');
  expect(verdictOf('end', false, false)).toBe('clean-end');
  expect(verdictOf('misplaced', false, false)).toBe('misplaced');
});
