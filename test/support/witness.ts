/**
 * witness: what test/fixtures/witnessed-writer.mjs has written down outside of the log, over any number of lives in
 * one directory, and whether what an opening found is what the writers before it were promised.
 *
 *  W1  Records come in the order in which they take effect, each once, and only such as were submitted: in the last
 *      life, or found by an opening before. What an opening did not find stays away for ever.
 *  W2  What was acknowledged as durable, or found by an opening before, is there with its bytes under its LSN, unless
 *      a truncation was allowed to take it. The same for what was only written, as long as the system lived.
 *  W3  Batches and transactions are there whole or not at all; of aborted ones, nothing.
 *  W4  What one thread appended is there as a prefix, in its order (transactions take effect elsewhere).
 *  W5  The log begins nowhere behind what truncations were told, and nowhere before where it began before.
 *  W6  An acknowledged checkpoint is what the log names as its last one, or a later one.
 */

export interface Found {
  readonly lsn: number;
  readonly commitLsn: number;
  readonly digest: string;
}

export interface Opening {
  readonly records: readonly Found[];
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly checkpointLsn: number;
}

interface Operation {
  readonly kind: string;
  readonly digests: readonly string[];
  /** LSN of each record, once acknowledged as durable; `os`: as written. */
  lsns: readonly number[] | undefined;
}

const isTransaction = ({ kind }: Operation): boolean => kind === 'transaction' || kind === 'aborted';

export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

export class Witness {
  #known = new Map<string, Found>();
  #firstLsn = 1;
  #lastLsn = 0;
  #mark = 1;
  #checkpoint = 0;
  #operations = new Map<number, Operation>();
  /** Of this life, in the order of the lines. */
  #opening: Opening | undefined;
  #found: Found[] = [];
  /** Last LSN of a log that was closed. */
  closedAt: number | undefined;
  failure: string | undefined;
  acknowledged = 0;

  /** A writer's line, without the number of flushes. */
  hear(line: string): void {
    const [what = '', ...words] = line.split(' ');
    const numbers = words.map(Number);
    const [first = 0, second = 0, third = 0] = numbers;
    if (what === 'r') this.#found.push({ lsn: first, commitLsn: second, digest: words[2] ?? '' });
    else if (what === 'o')
      this.#opening = { records: this.#found, firstLsn: first, lastLsn: second, checkpointLsn: third };
    else if (what === 'i')
      this.#operations.set(first, { kind: words[1] ?? '', digests: words.slice(2), lsns: undefined });
    else if (what === 'm') this.#mark = Math.max(this.#mark, first);
    else if (what === 'c') this.closedAt = first;
    else if (what === 'e') this.failure = words.join(' ');
    else if (what === 'a') {
      const operation = this.#operations.get(first);
      if (operation === undefined) throw new Error(`witness: "${line}" acknowledges nothing`);
      operation.lsns = numbers.slice(1);
      this.acknowledged++;
      if (operation.kind === 'checkpoint') this.#checkpoint = Math.max(this.#checkpoint, second);
    }
  }

  /** What the writer found when it opened the log, once it has; to be taken before its own operations. */
  takeOpening(): Opening | undefined {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#found = [];
    return opening;
  }

  /** Of the life that has just ended: lines of it that are still to come belong to the next one. */
  check(opening: Opening, didSystemLive: boolean): void {
    const problems = [...this.#problems(opening, didSystemLive)];
    if (problems.length > 0) throw new BrokenPromise(problems.slice(0, 12).join('\n'));
  }

  /** The opening was as promised: what it found is the past of the next life. */
  begin(opening: Opening): void {
    this.#known = new Map(opening.records.map((record) => [record.digest, record]));
    this.#firstLsn = Math.max(this.#firstLsn, opening.firstLsn);
    this.#lastLsn = opening.lastLsn;
    this.#mark = Math.max(this.#mark, opening.firstLsn);
    this.#checkpoint = opening.checkpointLsn;
    this.#operations = new Map();
    this.closedAt = undefined;
    this.failure = undefined;
  }

  *#problems({ records, firstLsn, lastLsn, checkpointLsn }: Opening, didSystemLive: boolean) {
    if (firstLsn > Math.max(this.#mark, this.#firstLsn))
      yield `W5: the log begins with LSN ${firstLsn}, and must by ${this.#mark}`;
    if (firstLsn < this.#firstLsn) yield `W5: the log begins with LSN ${firstLsn}, was ${this.#firstLsn}`;
    if (checkpointLsn < this.#checkpoint)
      yield `W6: the last checkpoint is ${checkpointLsn}, acknowledged was ${this.#checkpoint}`;
    if (this.closedAt !== undefined && lastLsn !== this.closedAt)
      yield `W2: closed with LSN ${this.closedAt}, opened with ${lastLsn}`;

    const submitted = new Map<string, Operation>();
    for (const operation of this.#operations.values())
      for (const digest of operation.digests) submitted.set(digest, operation);
    const found = new Map<string, Found>();
    let effect = 0;
    for (const record of records) {
      const { lsn, commitLsn, digest } = record;
      // A transaction that takes effect behind the truncation is whole, so it may have begun before it.
      if (commitLsn < effect || commitLsn > lastLsn || commitLsn < firstLsn || lsn > commitLsn)
        yield `W1: LSN ${lsn}, in effect with ${commitLsn}, after ${effect}, in ${firstLsn} to ${lastLsn}`;
      effect = commitLsn;
      if (found.has(digest)) yield `W1: LSN ${lsn} is what LSN ${found.get(digest)?.lsn} is`;
      found.set(digest, record);
      const operation = submitted.get(digest);
      if (operation === undefined && !this.#known.has(digest))
        yield `W1: LSN ${lsn} was not submitted, or had been lost (${digest})`;
      if (operation?.kind === 'aborted') yield `W3: LSN ${lsn} is part of a transaction that was aborted`;
      if (operation !== undefined && lsn <= this.#lastLsn) yield `W1: LSN ${lsn} was given before`;
    }
    for (const { lsn, digest } of this.#known.values())
      if (lsn >= firstLsn && found.get(digest)?.lsn !== lsn)
        yield `W2: LSN ${lsn} had been found, and is ${found.get(digest)?.lsn ?? 'lost'} (${digest})`;
    for (const [op, operation] of this.#operations)
      yield* this.#problemsOf(op, operation, found, firstLsn, didSystemLive);
    yield* this.#order(found, firstLsn);
  }

  *#problemsOf(
    op: number,
    operation: Operation,
    found: ReadonlyMap<string, Found>,
    firstLsn: number,
    didSystemLive: boolean,
  ) {
    const { kind, digests, lsns } = operation;
    const name = `operation ${op} (${kind})`;
    const places = digests.map((digest) => found.get(digest)?.lsn);
    if (lsns !== undefined && (kind !== 'os' || didSystemLive)) {
      for (const [index, lsn] of lsns.entries())
        if (lsn >= firstLsn && places[index] !== lsn)
          yield `W2: ${name}: LSN ${lsn} was acknowledged, and is ${places[index] ?? 'lost'}`;
    }
    const there = places.filter((lsn) => lsn !== undefined);
    const isCutByTruncation =
      !isTransaction(operation) &&
      there[0] !== undefined &&
      there[0] - (digests.length - there.length) < firstLsn;
    if (there.length > 0 && there.length < digests.length && !isCutByTruncation)
      yield `W3: ${name}: of ${digests.length} records ${there.length} are there`;
    if (kind === 'batch' && there.length > 0 && (there.at(-1) ?? 0) - (there[0] ?? 0) !== there.length - 1)
      yield `W3: ${name}: its records are not side by side: ${places.join(' ')}`;
  }

  *#order(found: ReadonlyMap<string, Found>, firstLsn: number) {
    let last = 0;
    let missing: number | undefined;
    for (const [op, operation] of this.#operations) {
      if (isTransaction(operation)) continue;
      const lsn = found.get(operation.digests.at(-1) ?? '')?.lsn;
      if (lsn === undefined) {
        // Truncation may have taken from the front.
        if (last > 0 || firstLsn <= this.#lastLsn + 1) missing ??= op;
        continue;
      }
      if (missing !== undefined) yield `W4: operation ${op} is there, ${missing} before it is not`;
      if (lsn <= last) yield `W4: operation ${op} is LSN ${lsn}, those before it reach ${last}`;
      last = lsn;
    }
  }
}
