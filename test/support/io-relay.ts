/**
 * io-relay: stands between the engine harness and the oracles of a run with faults: after a cut that failed there are two
 * of them, of which one must be right; and after the first failed write or sync nothing may be acknowledged.
 */
import { Oracle, OracleError, type RecoveredRecord, type Ticket } from './oracle.js';

export class OracleRelay extends Oracle {
  /** What may have become of the log; the first is told what happens. */
  candidates: Oracle[];
  /** The highest LSN that may be acknowledged as written, and as durable: set when a write or sync of a group fails. */
  ceiling: { readonly written: number; readonly durable: number } | undefined;

  constructor(candidates: readonly Oracle[]) {
    super();
    this.candidates = [...candidates];
  }

  get current(): Oracle {
    return this.candidates[0] as Oracle;
  }

  override get unanswered(): number {
    return this.current.unanswered;
  }

  override submit(
    payloads: Uint8Array | readonly Uint8Array[],
    producer?: number,
    expectedLsn?: number,
  ): Ticket {
    return this.current.submit(payloads, producer, expectedLsn);
  }

  override acked(ticket: Ticket, firstLsn: number, isDurable = true): void {
    const { written = Infinity, durable = Infinity } = this.ceiling ?? {};
    if (firstLsn > (isDurable ? durable : written))
      throw new OracleError(`LSN ${firstLsn} was acknowledged after a write or sync of the log had failed`);
    this.current.acked(ticket, firstLsn, isDurable);
  }

  override synced(lsn: number): void {
    if (lsn > (this.ceiling?.durable ?? Infinity))
      throw new OracleError(`a sync of LSN ${lsn} was acknowledged after one had failed`);
    this.current.synced(lsn);
  }

  override failed(ticket: Ticket): void {
    this.current.failed(ticket);
  }

  override refused(ticket: Ticket): void {
    this.current.refused(ticket);
  }

  override truncating(lsn: number): void {
    this.current.truncating(lsn);
  }

  override truncated(lsn: number): void {
    this.current.truncated(lsn);
  }

  override check(recovered: readonly RecoveredRecord[], nextLsn?: number): string[] {
    const all = this.candidates.map((oracle) => oracle.check(recovered, nextLsn));
    return all.some((problems) => problems.length === 0) ? [] : all.flat();
  }

  override reopened(recovered: readonly RecoveredRecord[], nextLsn?: number): void {
    const right = this.candidates.find((oracle) => oracle.check(recovered, nextLsn).length === 0);
    const oracle = right ?? this.current; // which throws
    oracle.reopened(recovered, nextLsn);
    this.candidates = [oracle];
    this.ceiling = undefined;
  }

  override fork(): OracleRelay {
    return new OracleRelay(this.candidates.map((oracle) => oracle.fork()));
  }

  /** The log may have been cut behind `lastLsn`, with these records left. With `isCertain`, it was. */
  mayBeCut(records: readonly RecoveredRecord[], firstLsn: number, lastLsn: number, isCertain: boolean): void {
    const left = records.filter(({ lsn }) => lsn <= lastLsn);
    const oracle = new Oracle({ truncation: 'exact', firstLsn });
    oracle.truncating(firstLsn);
    oracle.truncated(firstLsn);
    for (const { lsn, payload } of left) oracle.acked(oracle.submit(payload), lsn);
    this.candidates = isCertain ? [oracle] : [...this.candidates, oracle];
  }

  /** The same while appends are under way. */
  override cut(lsn: number): void {
    this.current.cut(lsn);
  }

  /** The log ended while it was being cut behind `lsn`: it may be cut or not. */
  wasBeingCut(lsn: number): void {
    const cut = this.current.fork();
    cut.cut(lsn);
    this.candidates.push(cut);
  }
}
