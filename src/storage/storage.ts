/**
 * Storage: the only seam between ringwal and a file system, as small as a segmented log can make it.
 *
 * One `Storage` is one directory; names are plain file names, so nothing can be reached outside of it.
 * Two implementations exist: `NodeStorage` (node:fs) and the tests' simulated one, which models what a
 * crash may leave behind. What the engine may rely on is written here and nowhere else:
 *
 *  S1  After `sync`/`syncGroup` returns, all bytes written before the call, and the file's size, are durable.
 *  S2  After `syncDirectory` returns, all creates, links and unlinks made before the call are durable.
 *      Before that, each of them may or may not survive a crash, independently of the others.
 *  S3  An unsynced write may survive in any subset of its 512-byte sectors.
 *  S4  A write or a sync that throws leaves the file in an unknown state; the engine never retries it.
 *
 * Errors: implementations throw Node's errno errors (`code: 'ENOSPC'`, ...) as they come; the callers, who
 * know what the failure means, wrap them.
 */
export interface Storage {
  /** Names of all entries of the directory, in no order. */
  list(): Promise<string[]>;
  /** Opens an existing regular file. Never follows a symbolic link. Throws ENOENT when it is missing. */
  open(name: string, access: 'read' | 'write'): Promise<StorageFile>;
  /** Creates an empty file for writing, mode 0600. Throws EEXIST when the name is taken. */
  create(name: string): Promise<StorageFile>;
  /** Gives an existing file a second name. Throws EEXIST when the name is taken (rename would replace it). */
  link(existing: string, name: string): Promise<void>;
  /** Removes a name. */
  unlink(name: string): Promise<void>;
  /** Makes the directory's entries durable (S2). */
  syncDirectory(): Promise<void>;
  /** Releases what the storage itself holds; files opened through it are closed one by one. */
  close(): Promise<void>;
}

/**
 * One open file. All reads and writes name their position, in bytes from the start; there is no file cursor.
 * The two methods ending in `Group` block the calling thread: they are the commit path, where a hop through
 * a thread pool would cost more than the write. Everything else is asynchronous, so that preparing segments
 * and reading never hold up a commit.
 */
export interface StorageFile {
  /** Current size in bytes. */
  size(): Promise<number>;
  /** How many names lead to the file, in whatever directories: with a second one, somebody else may keep it. */
  links(): Promise<number>;
  /** Sets the size; a longer file reads as zeros (a hole) in its new part. */
  truncate(bytes: number): Promise<void>;
  /** Fills `into` from `position`; returns the bytes read, fewer than asked only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position`, or throws. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes content and size durable (S1). */
  sync(): Promise<void>;
  /**
   * Writes the views one after the other from `position`, or throws. `willSync` says that `syncGroup` is called
   * next: a storage that can write and sync in one may do so. Blocks.
   */
  writeGroup(views: readonly Uint8Array[], position: number, willSync: boolean): void;
  /** Makes content and size durable (S1). Blocks. */
  syncGroup(): void;
  /** Closes the file. Makes nothing durable. */
  close(): Promise<void>;
}
