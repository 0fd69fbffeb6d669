/** assert: checks of ringwal's own invariants. A failure is a bug of ringwal, never of its caller or the disk. */

/** Throws when an invariant does not hold. `invariant` names it as docs/ARCHITECTURE.md does ("R1 ..."). */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`ringwal invariant violated: ${invariant}. This is a bug in ringwal.`);
}
