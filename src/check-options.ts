/** check-options: what an object of options must be, wherever one is taken. */
import { InvalidArgumentError } from './errors.js';

/** Whether `value` can be options. What holds its content in other ways than properties would be taken for none. */
export function isOptions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.getPrototypeOf(value) === Object.prototype) return true; // nearly always
  return !Array.isArray(value) && !holders.some((holder) => value instanceof holder);
}

const holders = [Map, Set, Number, String, Boolean];

/** Throws InvalidArgumentError for what can't be options of `whose`, and for a name that is not `known`. */
export function checkOptions(whose: string, options: unknown, known: ReadonlySet<string>): void {
  if (!isOptions(options)) throw new InvalidArgumentError(`The options of ${whose} must be a plain object.`);
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new InvalidArgumentError(`Unknown option "${name}" of ${whose}.`);
  }
}
