/** verdict: the table that judges the end of a log is complete and unambiguous. */
import { expect, it } from 'vitest';
import { VERDICTS, verdictOf } from '../../dist/src/recovery/verdict.js';

const REASONS = ['end', 'zeros', 'invalid', 'misplaced'] as const;

it('has exactly one row for every combination of what recovery can find', () => {
  for (const reason of REASONS) {
    for (const proofBehind of [true, false]) {
      for (const falseEnd of [true, false]) {
        for (const isCut of [true, false]) {
          const rows = VERDICTS.filter(
            (row) =>
              row.reason === reason &&
              (row.proofBehind === 'any' || row.proofBehind === proofBehind) &&
              (row.falseEnd === 'any' || row.falseEnd === falseEnd) &&
              (row.isCut === 'any' || row.isCut === isCut),
          );
          expect(rows.length, `${reason} ${proofBehind} ${falseEnd} ${isCut}`).toBe(1);
          expect(verdictOf(reason, proofBehind, falseEnd, isCut)).toBe(rows[0]?.verdict);
        }
      }
    }
  }
});

it('lets a log end only where no proof lies behind, nothing durable is missing, and no file was cut', () => {
  for (const reason of REASONS) {
    for (let facts = 1; facts < 8; facts++) {
      const verdict = verdictOf(reason, (facts & 1) !== 0, (facts & 2) !== 0, (facts & 4) !== 0);
      expect(['damaged', 'misplaced', 'lost-end', 'cut'], `${reason} ${facts}`).toContain(verdict);
    }
  }
  expect(verdictOf('invalid', false, false, false)).toBe('torn-tail');
  expect(verdictOf('zeros', false, false, false)).toBe('clean-end');
  expect(verdictOf('end', false, false, false)).toBe('clean-end');
  expect(verdictOf('misplaced', false, false, false)).toBe('misplaced');
});
