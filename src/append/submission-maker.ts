/** submission-maker: decides as what a call's frames enter the ring: together in one chunk, or as fragments of a large record. */
import { FRAME_ALIGNMENT, ID_BYTES, RECORD_TXN_BEGIN } from '../format/record-frame.js';
import { maxPayloadBytes, type ResolvedOptions } from '../options.js';
import { ENCRYPT } from '../ring/layout.js';
import type { LogState } from '../ring/log-state.js';
import type { Reject, Resolve } from './pending.js';
import { bytesOf, type Frame, LargeSubmission, Submission, type SubmissionTerms } from './submission.js';

/** Most bytes of one fragment of a large record. */
const FRAGMENT_BYTES = 1024 * 1024;

/** Two ids and a checksum. */
const FRAGMENT_OVERHEAD_BYTES = 2 * ID_BYTES + FRAME_ALIGNMENT;

/** Makes a submission that is settled by the two. */
export type MakeSubmission = (resolve: Resolve, reject: Reject) => Submission;

export class SubmissionMaker {
  readonly #state: LogState;
  readonly #options: ResolvedOptions;
  readonly #fragmentBytes: number;

  constructor(state: LogState, options: ResolvedOptions) {
    this.#state = state;
    this.#options = options;
    this.#fragmentBytes = Math.min(maxPayloadBytes(options) - FRAGMENT_OVERHEAD_BYTES, FRAGMENT_BYTES);
  }

  /** For frames that enter together; a single one that is larger than a group becomes fragments. */
  of(frames: readonly Frame[], terms: SubmissionTerms): MakeSubmission {
    // What begins and ends a transaction is not refused for want of room: it may always be given up, and committed.
    const bytes = frames.reduce((sum, one) => sum + (one.type < RECORD_TXN_BEGIN ? bytesOf(one) : 0), 0);
    const [first] = frames;
    if (first !== undefined && frames.length === 1 && bytes > this.#options.maxGroupBytes)
      return this.large(first, terms);
    const own = this.#termsOf(terms);
    return (resolve, reject) => new Submission(frames, bytes, own, resolve, reject);
  }

  /** For a record that is larger than a group; `frame` is the whole. */
  large(frame: Frame, terms: SubmissionTerms): MakeSubmission {
    const id = this.#state.nextSpanId();
    const own = this.#termsOf(terms);
    return (resolve, reject) => new LargeSubmission(frame, id, this.#fragmentBytes, own, resolve, reject);
  }

  #termsOf(terms: SubmissionTerms): SubmissionTerms {
    if (!this.#options.isEncrypted) return terms;
    return { ...terms, chunkFlags: (terms.chunkFlags ?? 0) | ENCRYPT };
  }
}
