/**
 * sim-gate: the door every simulated operation goes through: counted, logged, asked of the fault plan, and
 * shut for good once the machine has stopped.
 */
import {
  errnoError,
  type FaultPlan,
  SimCrash,
  type SimFault,
  type SimOperation,
  type SimOperationKind,
  SimViolation,
} from './sim-fault.js';

export type OperationDetails = Pick<SimOperation, 'newName' | 'position' | 'bytes'>;

/** An operation that was let in, and the error it has to end in. */
export interface Entered {
  readonly operation: SimOperation;
  readonly fault: Exclude<SimFault, 'crash'> | undefined;
}

export class SimGate {
  readonly operations: SimOperation[] = [];
  readonly violations: string[] = [];
  /** Names of the files that are open, one entry for each time. */
  readonly openFiles: string[] = [];
  isCrashed = false;
  /** While it is set, nothing fails: it is the test that looks at the disk. */
  isSpared = false;
  readonly #plan: FaultPlan;

  constructor(plan: FaultPlan) {
    this.#plan = plan;
  }

  /**
   * Lets an operation in, or throws. `objection` is what the caller knows against it: it is raised before the
   * fault plan is asked, so that no fault can hide a mistake of the program under test.
   */
  enter(
    kind: SimOperationKind,
    name: string,
    details: OperationDetails = {},
    objection: string | undefined = undefined,
  ): Entered {
    if (this.isCrashed) throw new SimCrash(`the machine has stopped: ${kind} '${name}'`);
    const operation: SimOperation = {
      index: this.operations.length + 1,
      kind,
      name,
      ...details,
      outcome: '',
    };
    this.operations.push(operation);
    if (objection !== undefined) {
      operation.outcome = 'violation';
      const text = `#${operation.index} ${kind} '${name}': ${objection}`;
      this.violations.push(text);
      throw new SimViolation(text);
    }
    const fault = this.isSpared ? undefined : this.#plan(operation);
    if (fault === 'crash') {
      operation.outcome = 'crash';
      this.isCrashed = true;
      throw new SimCrash(`the machine stops at #${operation.index} ${kind} '${name}'`);
    }
    operation.outcome = fault?.code ?? 'ok';
    return { operation, fault };
  }

  /** Does the operation as far as its fault lets it, then throws what the fault says. */
  run<T>(entered: Entered, effect: () => T): T {
    const { operation, fault } = entered;
    if (fault === undefined) return effect();
    if (fault.isApplied === true) effect();
    throw errnoError(fault.code, operation);
  }

  /** Ends an operation that failed by itself, as ENOENT does. */
  refuse(operation: SimOperation, code: string): never {
    operation.outcome = code;
    throw errnoError(code, operation);
  }
}
