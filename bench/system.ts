/** system: what is measured: something that takes a record and says when it is durable. */

export interface System {
  readonly name: string;
  append(payload: Uint8Array): Promise<unknown>;
  /** Brings it into the state it is in after hours of use, before anything is measured. */
  warmUp?(): Promise<void>;
  /** Groups committed so far, and records in them. */
  groups(): Promise<{ groups: number; records: number }>;
  close(): Promise<void>;
}
