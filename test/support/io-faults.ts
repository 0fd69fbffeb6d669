/** io-faults: one fault of a simulated storage that can be healed: which call fails, how often, and as what. */
import { type FaultPlan, isMutation, type SimFault, type SimOperation } from './sim-fault.js';

export const ERRNOS = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'EBUSY'] as const;

/**
 * once     the n-th call fails
 * sticky   and all that do something similar from then on, with another errno: the first is what counts
 * full     and all from then on that are not the commit path's own: groups find their blocks allocated
 * applied  it fails, and has happened nevertheless
 * short0, shortPart, shortAll   a write that leaves so much of itself in the cache
 */
export type FaultMode = 'once' | 'sticky' | 'full' | 'applied' | 'short0' | 'shortPart' | 'shortAll';

/** What the disk says once it has failed: a dead file system is remounted read-only (V2). */
const SECOND_ERRNO = { EROFS: 'EIO' } as Readonly<Record<string, string>>;

export function isGroupOperation({ kind }: SimOperation): boolean {
  return kind === 'writeGroup' || kind === 'syncGroup';
}

/** The modes that make sense for an operation. */
export function modesOf(operation: SimOperation): FaultMode[] {
  const modes: FaultMode[] = ['once', 'sticky'];
  if (!isMutation(operation)) return modes;
  modes.push('applied');
  if (!isGroupOperation(operation)) modes.push('full');
  if (operation.kind === 'write' || operation.kind === 'writeGroup')
    modes.push('short0', 'shortPart', 'shortAll');
  return modes;
}

export class HealableFault {
  /** Operations that the plan was asked for, before it was healed. */
  readonly seen: SimOperation[] = [];
  /** Those that it failed, and how. */
  readonly hits: { readonly operation: SimOperation; readonly code: string }[] = [];
  /** Called at each hit, before the operation fails. */
  onHit: (operation: SimOperation) => void = () => {};
  readonly #nth: number;
  readonly #code: string;
  readonly #mode: FaultMode;
  #first: SimOperation | undefined;
  #isHealed = false;

  /** `nth` counts from 1; 0 never comes. */
  constructor(nth: number, code: string, mode: FaultMode) {
    this.#nth = nth;
    this.#code = code;
    this.#mode = mode;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }

  get isLasting(): boolean {
    return this.#mode === 'sticky' || this.#mode === 'full';
  }

  heal(): void {
    this.#isHealed = true;
  }

  readonly plan: FaultPlan = (operation) => {
    if (this.#isHealed) return undefined;
    this.seen.push(operation);
    const isFirst = this.seen.length === this.#nth;
    if (isFirst) this.#first = operation;
    else if (!this.#recurs(operation)) return undefined;
    const code = isFirst || this.#mode === 'full' ? this.#code : (SECOND_ERRNO[this.#code] ?? 'EROFS');
    this.hits.push({ operation, code });
    this.onHit(operation);
    return this.#fault(code, operation);
  };

  #recurs(operation: SimOperation): boolean {
    if (this.#first === undefined || operation.kind === 'close') return false;
    if (this.#mode === 'full') return isMutation(operation) && !isGroupOperation(operation);
    return this.#mode === 'sticky' && isMutation(operation) === isMutation(this.#first);
  }

  #fault(code: string, { bytes = 0 }: SimOperation): SimFault {
    switch (this.#mode) {
      case 'applied':
        return { code, isApplied: true };
      case 'shortPart':
        return { code, writtenBytes: bytes > 1024 ? Math.ceil(bytes / 2) : bytes >> 1 };
      case 'shortAll':
        return { code, writtenBytes: bytes };
      default:
        return { code };
    }
  }
}
