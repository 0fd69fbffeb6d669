/**
 * failing-life: one life of a writer while its disk fails, and what is wrong with how the writer was told of it: errors
 * of another kind than documented, an acknowledgement after a failure, appends that are held back without reason.
 */
import { BrokenPromise } from './witness.js';
import type { Life, Writers } from './writers.js';

/** The disk's behaviour, as far as the writer may see it. */
export interface Failing {
  /** Whether it goes on failing: then no segment can be made, and appends may be held back. */
  readonly isLasting: boolean;
  /** Whether the writer must not notice at all: a call that was interrupted is made again. */
  readonly isHidden: boolean;
}

/** Returns the lines of the witness. */
export async function failingLife(writers: Writers, life: Life, failing: Failing): Promise<string[]> {
  const lines = await writers.live(life);
  const problems = [...problemsOf(lines, failing)];
  if (problems.length > 0) throw new BrokenPromise([...problems, writers.story, ...lines].join('\n'));
  return lines;
}

function* problemsOf(lines: readonly string[], { isLasting, isHidden }: Failing): Generator<string> {
  const failures = lines.filter((line) => line.startsWith('e '));
  const allowed = /^e RINGWAL_(POISONED|IO|CLOSED|TRANSACTION_ABORTED) /;
  for (const line of failures) if (!allowed.test(line)) yield `an error of another kind: ${line}`;
  for (const line of lines) {
    if (line.startsWith('l ')) yield `acknowledged after a failure: ${line}`;
    if (line.startsWith('h ') && !isLasting) yield `held back, but the disk failed only once: ${line}`;
  }
  if (isHidden && (failures.length > 0 || !lines.some((line) => line.startsWith('c '))))
    yield `it noticed a call that was interrupted: ${failures[0] ?? 'it was not closed'}`;
}
