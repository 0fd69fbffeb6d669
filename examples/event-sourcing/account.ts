/**
 * account: the domain: what may happen to an account. Pure functions: a decision makes events of a state, or refuses;
 * events make the next state.
 */
import { BankError } from './errors.js';

/** An account as its events have made it. Amounts are whole cents. */
export interface Account {
  readonly id: string;
  /** Events so far; 0: the account was never opened. */
  readonly version: number;
  readonly balance: number;
}

export type Fact =
  | { readonly type: 'opened' }
  | { readonly type: 'deposited'; readonly amount: number }
  | { readonly type: 'withdrawn'; readonly amount: number };

/** A fact with its place in the stream of its account. */
export type BankEvent = Fact & { readonly account: string; readonly version: number };

/** What a command wants to happen to one account. Throws BankError when it may not. */
export type Decision = (account: Account) => readonly Fact[];

export function open(initial: number): Decision {
  checkAmount(initial, 0);
  return ({ id, version }) => {
    if (version > 0) throw new BankError('BANK_REFUSED', `Account ${id} is there already.`);
    return initial === 0
      ? [{ type: 'opened' }]
      : [{ type: 'opened' }, { type: 'deposited', amount: initial }];
  };
}

export function deposit(amount: number): Decision {
  checkAmount(amount, 1);
  return (account) => {
    checkOpen(account);
    return [{ type: 'deposited', amount }];
  };
}

export function withdraw(amount: number): Decision {
  checkAmount(amount, 1);
  return (account) => {
    checkOpen(account);
    if (account.balance < amount)
      throw new BankError('BANK_REFUSED', `Account ${account.id} has ${account.balance}, not ${amount}.`);
    return [{ type: 'withdrawn', amount }];
  };
}

export function after(account: Account, fact: Fact): Account {
  const change = fact.type === 'deposited' ? fact.amount : fact.type === 'withdrawn' ? -fact.amount : 0;
  return { ...account, version: account.version + 1, balance: account.balance + change };
}

function checkOpen({ id, version }: Account): void {
  if (version === 0) throw new BankError('BANK_REFUSED', `There is no account ${id}; open it first.`);
}

function checkAmount(amount: number, least: number): void {
  if (!Number.isSafeInteger(amount) || amount < least)
    throw new BankError(
      'BANK_INVALID_ARGUMENT',
      `An amount must be whole cents from ${least}, not ${String(amount)}.`,
    );
}
