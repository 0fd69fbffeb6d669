/**
 * sim-fault: the words in which a test tells the simulated storage what shall go wrong, and when.
 */
import { constants } from 'node:os';

export type SimOperationKind =
  | 'list'
  | 'open'
  | 'create'
  | 'link'
  | 'unlink'
  | 'syncDirectory'
  | 'closeStorage'
  | 'size'
  | 'links'
  | 'truncate'
  | 'read'
  | 'write'
  | 'sync'
  | 'writeGroup'
  | 'syncGroup'
  | 'close';

/**
 * The operations that a crash can tell apart: before any other one the disk is as before the next of these.
 */
const MUTATIONS: ReadonlySet<SimOperationKind> = new Set([
  'create',
  'link',
  'unlink',
  'syncDirectory',
  'truncate',
  'write',
  'sync',
  'writeGroup',
  'syncGroup',
]);

export interface SimOperation {
  /** From 1, over all operations of one storage. */
  readonly index: number;
  readonly kind: SimOperationKind;
  /** The name given; of an open file, the name it was opened under; '' for the directory. */
  readonly name: string;
  /** The new name of a link. */
  readonly newName?: string;
  readonly position?: number;
  /** Length of a read or a write, or the new size. */
  readonly bytes?: number;
  /** What came of it: 'ok', 'crash', 'violation' or an errno name; '' while it runs. */
  outcome: string;
}

/**
 * What shall happen to an operation. 'crash': it does nothing and the machine stops. Otherwise it throws
 * `code`, after having had no effect, or all of it (`isApplied`), or, of a write, the first `writtenBytes`.
 */
export type SimFault =
  | 'crash'
  | { readonly code: string; readonly writtenBytes?: number; readonly isApplied?: boolean };

/** Asked before each operation. */
export type FaultPlan = (operation: SimOperation) => SimFault | undefined;

/** The machine has stopped: thrown by the operation at which it did, and by all later ones. */
export class SimCrash extends Error {
  override readonly name = 'SimCrash';
}

/**
 * The program under test did what it must never do. Also kept in `violations`: it may be caught on its way.
 */
export class SimViolation extends Error {
  override readonly name = 'SimViolation';
}

export function isMutation(operation: SimOperation): boolean {
  return MUTATIONS.has(operation.kind);
}

/** Stops the machine at operation `index` (from 1). */
export function crashAt(index: number): FaultPlan {
  return (operation) => (operation.index === index ? 'crash' : undefined);
}

/** Stops the machine at the `nth` operation (from 1) that changes anything. */
export function crashAtMutation(nth: number): FaultPlan {
  let seen = 0;
  return (operation) => {
    if (!isMutation(operation)) return undefined;
    seen++;
    return seen === nth ? 'crash' : undefined;
  };
}

/** Operation `index` fails, once. */
export function failAt(index: number, code: string): FaultPlan {
  return (operation) => (operation.index === index ? { code } : undefined);
}

/**
 * Operation `index` and, from then on, all of `kinds` fail: a full disk stays full, a dead one dead. Without
 * `kinds`, all that change something when operation `index` does, and otherwise all that only look.
 */
export function failFrom(index: number, code: string, kinds?: readonly SimOperationKind[]): FaultPlan {
  let isMutating: boolean | undefined;
  return (operation) => {
    if (operation.index === index) isMutating = isMutation(operation);
    if (isMutating === undefined || operation.kind === 'close') return undefined;
    if (operation.index === index) return { code };
    const isHit = kinds === undefined ? isMutation(operation) === isMutating : kinds.includes(operation.kind);
    return isHit ? { code } : undefined;
  };
}

/** The write at operation `index` puts `writtenBytes` into the cache and then fails. */
export function shortWriteAt(index: number, writtenBytes: number, code: string): FaultPlan {
  return (operation) => (operation.index === index ? { code, writtenBytes } : undefined);
}

/** The first plan that has something to say decides. */
export function anyOf(...plans: FaultPlan[]): FaultPlan {
  return (operation) => {
    for (const plan of plans) {
      const fault = plan(operation);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** An error as node:fs throws it. */
export function errnoError(code: string, operation: SimOperation): NodeJS.ErrnoException {
  const numbers: Readonly<Record<string, number>> = constants.errno;
  const error: NodeJS.ErrnoException = new Error(`${code}: simulated, ${operation.kind} '${operation.name}'`);
  error.code = code;
  error.errno = -(numbers[code] ?? 0);
  error.syscall = operation.kind;
  return error;
}

/** One line per operation, for messages of failed tests. */
export function formatOperation(operation: SimOperation): string {
  const { index, kind, name, newName, position, bytes, outcome } = operation;
  const parts = [`#${index}`, kind, name];
  if (newName !== undefined) parts.push(`as ${newName}`);
  if (position !== undefined) parts.push(`at ${position}`);
  if (bytes !== undefined) parts.push(`${bytes} B`);
  if (outcome !== 'ok') parts.push(`-> ${outcome}`);
  return parts.filter((part) => part !== '').join(' ');
}
