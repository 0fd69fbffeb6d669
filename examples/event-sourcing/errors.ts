/** errors: what the bank refuses, each with a stable `code`; errors of the log come through as they are. */

export type BankErrorCode =
  /** An account or an amount is no such thing. Nothing was done. */
  | 'BANK_INVALID_ARGUMENT'
  /** A rule of the domain says no: too little money, an account that is there already or is not. */
  | 'BANK_REFUSED'
  /** The account has another version than the caller decided upon. Read it again. */
  | 'BANK_VERSION_CONFLICT'
  /** The log does not hold what it must: an event is missing, or is none. */
  | 'BANK_HISTORY_DAMAGED';

export class BankError extends Error {
  readonly code: BankErrorCode;

  constructor(code: BankErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  override get name(): string {
    return 'BankError';
  }
}
