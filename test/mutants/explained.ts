/** explained: mutants that no test can kill, since they change nothing that anybody was promised. */
import { type Mutant, nameOf } from './mutants.js';

interface Explained {
  readonly file: string;
  /** The line of the source in which the mutant begins, without its indentation. */
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [];

const byName = new Map(EXPLAINED.map((one) => [nameOf(one), one.why]));

export function explanationOf(mutant: Mutant): string | undefined {
  return byName.get(nameOf(mutant));
}
