/**
 * sim-file: one open simulated file, with the rules that its user must keep (see `SimStorage`).
 */
import type { StorageFile } from '../../dist/src/storage/storage.js';
import { errnoError, type SimOperationKind } from './sim-fault.js';
import type { Entered, OperationDetails, SimGate } from './sim-gate.js';
import type { FailedSync, Inode } from './sim-inode.js';

/** What a file needs to know of the storage it belongs to. */
export interface SimFileHost {
  readonly gate: SimGate;
  readonly failedSync: FailedSync;
  /** A name under which the file is part of the log, now or after a crash. */
  logNameOf(inode: Inode): string | undefined;
  /** How many names lead to the file now. */
  linksOf(inode: Inode): number;
}

export class SimFile implements StorageFile {
  readonly name: string;
  readonly #host: SimFileHost;
  readonly #inode: Inode;
  readonly #access: 'read' | 'write';
  #isClosed = false;

  constructor(host: SimFileHost, inode: Inode, name: string, access: 'read' | 'write') {
    this.name = name;
    this.#host = host;
    this.#inode = inode;
    this.#access = access;
    host.gate.openFiles.push(name);
  }

  async size(): Promise<number> {
    return this.#host.gate.run(this.#enter('size'), () => this.#inode.liveSize);
  }

  async links(): Promise<number> {
    return this.#host.gate.run(this.#enter('links'), () => this.#host.linksOf(this.#inode));
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const entered = this.#enter('read', { position, bytes: into.length });
    return this.#host.gate.run(entered, () => this.#inode.read(into, position));
  }

  async truncate(bytes: number): Promise<void> {
    const objection = this.#readOnly() ?? this.#overwriteAt(bytes);
    const entered = this.#enter('truncate', { bytes }, objection);
    this.#host.gate.run(entered, () => this.#inode.truncate(bytes, entered.operation.index));
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#write('write', bytes, position);
  }

  writeGroup(views: readonly Uint8Array[], position: number): void {
    const bytes = new Uint8Array(views.reduce((sum, view) => sum + view.length, 0));
    let at = 0;
    for (const view of views) {
      bytes.set(view, at);
      at += view.length;
    }
    const inode = this.#inode;
    this.#write('writeGroup', bytes, position);
    // Zeros at the end of a write only keep its place clear: the next write may cover them.
    let content = bytes.length;
    while (content > 0 && bytes[content - 1] === 0) content--;
    inode.groupEnd = Math.max(inode.groupEnd, position + content);
  }

  async sync(): Promise<void> {
    this.#sync('sync');
  }

  syncGroup(): void {
    this.#sync('syncGroup');
  }

  async close(): Promise<void> {
    const { gate } = this.#host;
    const entered = this.#enter('close');
    // As with close(2), a failed close has closed the file nevertheless.
    this.#isClosed = true;
    gate.openFiles.splice(gate.openFiles.indexOf(this.name), 1);
    gate.run(entered, () => undefined);
  }

  #write(kind: 'write' | 'writeGroup', bytes: Uint8Array, position: number): void {
    const objection = this.#readOnly() ?? this.#overwriteAt(position);
    const { operation, fault } = this.#enter(kind, { position, bytes: bytes.length }, objection);
    const whole = fault === undefined || fault.isApplied === true;
    const written = whole ? bytes : bytes.subarray(0, fault.writtenBytes ?? 0);
    this.#inode.write(written, position, operation.index);
    if (fault !== undefined) throw errnoError(fault.code, operation);
  }

  #sync(kind: 'sync' | 'syncGroup'): void {
    const { operation, fault } = this.#enter(kind);
    if (fault === undefined || fault.isApplied === true) this.#inode.sync();
    else this.#inode.failSync(this.#host.failedSync);
    if (fault !== undefined) throw errnoError(fault.code, operation);
  }

  #enter(kind: SimOperationKind, details: OperationDetails = {}, objection?: string): Entered {
    const { position = 0, bytes = 0 } = details;
    let complaint = this.#isClosed ? 'the file is closed' : objection;
    if (!isOffset(position) || !isOffset(bytes))
      complaint ??= `no such position or length: ${position}, ${bytes}`;
    return this.#host.gate.enter(kind, this.name, details, complaint);
  }

  #readOnly(): string | undefined {
    return this.#access === 'read' ? 'the file was opened for reading' : undefined;
  }

  /**
   * Why nothing may be changed from `position` on, if so. A file that has left the log for good is free to be
   * used again: its protection ends here, with the first write that is none of the log's.
   */
  #overwriteAt(position: number): string | undefined {
    const inode = this.#inode;
    if (position >= Math.max(inode.protectedEnd, inode.groupEnd)) return undefined;
    const logName = this.#host.logNameOf(inode);
    if (logName === undefined) {
      inode.protectedEnd = 0;
      inode.groupEnd = 0;
      return undefined;
    }
    if (position >= inode.protectedEnd) return undefined; // group writes that were never synced
    const why =
      inode.protectedEnd === Infinity ? 'is from before the start' : `is synced up to ${inode.protectedEnd}`;
    return `changes bytes from ${position} on, but is, or after a crash may be, ${logName}, which ${why}`;
  }
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
