/** bank: what the tests of the event-sourcing example share: its log, a replay of all of it, a projection that stops. */
import { type Log, openLog } from 'ringwal';
import { expect, onTestFinished } from 'vitest';
import { decodeEvent } from '../../dist-examples/event-sourcing/codec.js';
import { Ledger } from '../../dist-examples/event-sourcing/ledger.js';
import type { Turnover } from '../../dist-examples/event-sourcing/turnover.js';

export const LOG = { segmentBytes: 65_536, ringBytes: 65_536, syncMode: 'none' } as const;
export const ACCOUNTS = ['a', 'b', 'c'];
export const REFUSED = { code: 'BANK_REFUSED' };

export async function opened(directory: string): Promise<Log> {
  const log = await openLog(directory, LOG);
  onTestFinished(() => log.close());
  return log;
}

/** The state and the turnover that all events from the first on make; no balance is negative at any of them. */
export async function replayed(log: Log) {
  const ledger = new Ledger();
  const balances = new Map<string, number>();
  const turnover = new Map<string, number>();
  const lsns: number[] = [];
  for await (const { lsn, payload } of log.read({ from: 1, types: ['record'] })) {
    const event = decodeEvent(lsn, payload);
    ledger.apply(lsn, event);
    lsns.push(lsn);
    const { balance } = ledger.get(event.account);
    expect(balance, `LSN ${lsn}`).toBeGreaterThanOrEqual(0);
    balances.set(`${event.account} ${event.version}`, balance);
    if (event.type !== 'opened')
      turnover.set(event.account, (turnover.get(event.account) ?? 0) + event.amount);
  }
  return { accounts: ledger.all(), balances, turnover, lsns };
}

/** Counts up to `lsn` and stops there; returns what it counted. */
export async function project(turnover: Turnover, lsn: number): Promise<number[]> {
  const stop = new AbortController();
  const counted: number[] = [];
  turnover.onEvent = (at) => {
    counted.push(at);
    if (at >= lsn) stop.abort();
  };
  await turnover.run(stop.signal);
  return counted;
}
