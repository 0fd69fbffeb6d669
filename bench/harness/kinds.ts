/** kinds: finds a kind of system by its name. */
import { KINDS } from '../systems/index.js';
import type { SystemKind } from './system.js';

export function kindOf(name: string): SystemKind {
  const kind = KINDS.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`There is no system "${name}".`);
  return kind;
}
