/** manual-ring: a transaction on a ring that settles what was submitted only when the test says so. */
import type { Frame, SubmissionTerms } from '../../dist/src/append/submission.js';
import type { Compression } from '../../dist/src/codec/compression.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingTransaction, type TransactionRing } from '../../dist/src/transaction/transaction.js';

const TERMS = {
  maxGroupBytes: 4096,
  maxGroupRecords: 64,
  recordChecksums: false,
  isEncrypted: false,
};

interface Submitted {
  readonly types: readonly number[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** `refusesLate`: whether records may be refused behind their entry. */
export function manualRing(refusesLate = false, compression?: Compression) {
  const submitted: Submitted[] = [];
  let refusal: Error | undefined;
  let overflows = 0;
  let isFull = false;
  const put = <T>(types: number[], map?: (lsn: number) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const lsn = submitted.length * 10;
      submitted.push({ types, resolve: () => resolve((map ? map(lsn) : lsn) as T), reject });
    });
  const ring: TransactionRing = {
    get inFlight(): number {
      return submitted.length;
    },
    refusal: () => refusal,
    submit: <T>(frames: readonly Frame[], _: SubmissionTerms, map?: (lsn: number) => T) => {
      if (overflows-- > 0) return Promise.reject(new RangeError('Maximum call stack size exceeded'));
      return put<T>(
        frames.map(({ type }) => type),
        map,
      );
    },
    submitLarge: <T>({ type }: Frame, _: SubmissionTerms, map?: (lsn: number) => T) => put<T>([type], map),
    defer: <T>(_bytes: number, _frames: unknown, _terms: unknown, map?: (lsn: number) => T) =>
      isFull ? Promise.reject(new Error('may not wait')) : put<T>([RECORD_FULL], map),
  };
  const open = new Set<RingTransaction>();
  return {
    tx: new RingTransaction(ring, new LogState(), { ...TERMS, refusesLate, compression }, open),
    open,
    submitted,
    types: (): number[] => submitted.flatMap((one) => one.types),
    /** The log takes nothing more from now on. */
    end: (error: Error): void => {
      refusal = error;
    },
    /** Nothing more may wait for its compression. */
    fill: (): void => {
      isFull = true;
    },
    /** Has the next calls of `submit` meet the end of the stack, so that nothing of them enters. */
    overflow: (calls: number): void => {
      overflows = calls;
    },
  };
}
