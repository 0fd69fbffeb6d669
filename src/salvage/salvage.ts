/** salvage: saves what is good in a damaged log directory into a new log; the public face of it. */
import { isAbsolute, relative } from 'node:path';
import { checkOptions } from '../check-options.js';
import { absoluteDirectory } from '../directory-path.js';
import { systemEnvironment } from '../environment.js';
import { InvalidArgumentError, IoError, OutOfRangeError, RingwalError, shown } from '../errors.js';
import { parseAsideName, parseSegmentName } from '../format/segment-header.js';
import { NodeStorage } from '../storage/node-storage.js';
import type { SalvageReport } from './report.js';
import { salvageLog } from './salvage-log.js';

/** Options of `salvage`. All are optional. */
export interface SalvageOptions {
  /**
   * Size of one segment file of the new log, bytes. Default: that of the damaged log. 64 KiB to 1 GiB, a multiple
   * of 4096.
   */
  segmentBytes?: number;
  /**
   * How many places of lost records may be kept, in records, by entries of 16 bytes that readers skip, so that what
   * comes behind keeps its LSN. Behind a gap that is larger LSNs move down, and encrypted records, which would not open there,
   * are lost. Default 16 777 216; 0 to 2^32.
   */
  maxFillers?: number;
  /**
   * Save the log as it was before this opening, which ended it before damage (`recovery: 'point-in-time'`): from
   * the files that were put aside as `<name>.lost-<epoch>`, and without what was appended since. Default: as it is now.
   */
  beforeEpoch?: number;
  /** Ends the salvage, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Reads all that is left of the log in `path`, which should be closed, and writes every record that verifies into a
 * new, sound log in `into`, under its LSN. Nothing is written to `path`, whose damage may be anywhere: in segments,
 * in their first blocks, files may be missing. The report lists every LSN that was not saved.
 *
 * A group that does not verify is lost, except for records in it with a checksum of their own (`recordChecksums`);
 * of a batch in such a group a part may then be saved. Large records and transactions of which a part may be lost are
 * not: see `abortedTransactions`.
 *
 * `into` must be empty or not exist. Memory is bounded by the largest
 * group. Rejects with RINGWAL_INVALID_ARGUMENT, with RINGWAL_OUT_OF_RANGE when `path` holds no log, and with
 * RINGWAL_IO when `path` can't be listed or `into` not be written; the latter is then no log.
 */
export async function salvage(
  path: string,
  into: string,
  options: SalvageOptions = {},
): Promise<SalvageReport> {
  const from = absoluteDirectory(path);
  const to = absoluteDirectory(into);
  const terms = checked(from, to, options);
  const source = await NodeStorage.open(from, { create: false }).catch((cause: unknown) => {
    throw new IoError(`Opening ${path}`, cause);
  });
  let target: NodeStorage | undefined;
  try {
    const names = await source.list();
    if (!names.some((name) => parseSegmentName(name) !== undefined || parseAsideName(name) !== undefined))
      throw new OutOfRangeError(`The directory ${path} holds no log.`);
    target = await emptyDirectory(to);
    return await salvageLog(source, target, terms);
  } catch (error) {
    if (error instanceof RingwalError || options.signal?.aborted === true) throw error;
    throw new IoError(`Salvaging ${path}`, error);
  } finally {
    await source.close();
    await target?.close();
  }
}

async function emptyDirectory(path: string): Promise<NodeStorage> {
  const storage = await NodeStorage.open(path, { create: true }).catch((cause: unknown) => {
    throw new IoError(`Opening ${path}`, cause);
  });
  const names = await storage.list();
  if (names.length === 0) return storage;
  await storage.close();
  throw new InvalidArgumentError(`The directory ${path}, for the salvaged log, must be empty.`);
}

const known = new Set<string>([
  'segmentBytes',
  'maxFillers',
  'beforeEpoch',
  'signal',
] satisfies (keyof SalvageOptions)[]);

function checked(path: string, into: string, options: SalvageOptions) {
  checkOptions('a salvage', options, known);
  const way = relative(path, into);
  if (!/^\.\.([/\\]|$)/.test(way) && !isAbsolute(way))
    throw new InvalidArgumentError('The salvaged log must not lie inside the damaged one.');
  const { signal } = options;
  return {
    segmentBytes: integer('segmentBytes', options.segmentBytes, 0, 64 * 1024, 1024 ** 3, 4096),
    maxFillers: integer('maxFillers', options.maxFillers, 2 ** 24, 0, 2 ** 32, 1),
    beforeEpoch: integer('beforeEpoch', options.beforeEpoch, Number.POSITIVE_INFINITY, 1, 2 ** 32, 1),
    environment: systemEnvironment,
    check: () => signal?.throwIfAborted(),
  };
}

function integer(
  name: string,
  value: unknown,
  fallback: number,
  least: number,
  most: number,
  multipleOf: number,
): number {
  if (value === undefined) return fallback;
  const isInRange = Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (isInRange && (value as number) % multipleOf === 0) return value as number;
  const unit = multipleOf === 1 ? '' : `, a multiple of ${multipleOf},`;
  throw new InvalidArgumentError(
    `Option "${name}" must be an integer from ${least} to ${most}${unit} not ${shown(value)}.`,
  );
}
