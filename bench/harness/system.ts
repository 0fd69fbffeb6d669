/** system: what is measured: something that takes a record and says when it is durable; each runs in a process of its own. */

export interface System {
  /** Resolves when the record is as durable as its kind says. The payload is not changed before that. */
  append(payload: Uint8Array): Promise<unknown>;
  /** As `append`, and resolves with the number of the segment file that the record went to: where there are such. */
  appendLocated?(payload: Uint8Array): Promise<number>;
  /** The same of several, together: where the system has a call for that. */
  appendBatch?(payloads: readonly Uint8Array[]): Promise<unknown>;
  /** As `append`, through another ring, for callers that do not share the queue of the others. */
  appendBeside?(payload: Uint8Array): Promise<unknown>;
  /** Brings it into the state it is in after hours of use, before anything is measured. */
  warmUp?(): Promise<void>;
  /** Groups committed so far, and records in them; of a system that can tell. */
  groups?(): Promise<{ readonly groups: number; readonly records: number }>;
  close(): Promise<void>;
}

/** How a kind of system is told apart and shown. */
export interface SystemKind {
  /** Short: it stands in tables and legends. */
  readonly name: string;
  /** In a sentence: which calls make a record durable. */
  readonly what: string;
  /**
   * `own`: ringwal; `limit`: what no log can beat; `yardstick`: the group commit that anybody would write; `peer`: another
   * store, as durable; `weaker`: one that promises less, shown beside them.
   */
  readonly role: 'own' | 'limit' | 'yardstick' | 'peer' | 'weaker';
  /** Appends in flight beyond which measuring it makes no sense (one that blocks the thread has 1 at a time). Default: no limit. */
  readonly mostInFlight?: number;
  /** Why it can't be measured here; undefined: it can. */
  lacking?(): Promise<string | undefined>;
  /** `directory` is empty and its own. `options`: what a scenario asks of this kind, plain data. */
  open(directory: string, options?: unknown): Promise<System>;
}
