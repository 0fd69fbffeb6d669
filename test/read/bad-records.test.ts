/** bad-records: a record that can't be decoded costs who asks for it, and nobody else, though its group verifies. */
import { beforeEach, expect, it } from 'vitest';
import type { LogRecord, ReadOptions, RecordType } from '../../dist/src/index.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

const FULL = 1;
const COMPRESSED = 1;
const IN_TRANSACTION = 8;

let log: EngineHarness;
let disk: SimStorage;

beforeEach(async () => {
  disk = new SimStorage();
  log = await EngineHarness.open(disk);
});

/** A record that says that it is compressed and is not. */
function submitBad(transactionId?: number): void {
  const record = { type: FULL, flags: COMPRESSED, payload: new Uint8Array(40) };
  const inTransaction = { ...record, flags: COMPRESSED | IN_TRANSACTION };
  const frame = transactionId === undefined ? record : { ...inTransaction, transactionId };
  void log.producer(0).submit([frame], {});
}

async function reader(): Promise<DirectoryReader> {
  await log.mark();
  return DirectoryReader.open({ directory: '', storage: disk, isWriterAlive: async () => true });
}

async function read(options: ReadOptions): Promise<[number, RecordType][]> {
  return (await (await reader()).readAll(options)).map(({ lsn, type }: LogRecord) => [lsn, type]);
}

const isBad = (lsn: number) => ({ code: 'RINGWAL_CORRUPT', details: { expectedLsn: lsn } });

it('behind the last LSN asked for is not looked at', async () => {
  log.submit(payloadOf(1, 20));
  submitBad();
  await log.commit();
  await expect(read({})).rejects.toMatchObject(isBad(2));
  expect(await read({ to: 1 })).toEqual([[1, 'record']]);
});

it.each(['commit', 'abort'] as const)('in a transaction is not looked at behind its %s', async (end) => {
  const tx = log.begin();
  void tx.append(payloadOf(2, 20));
  submitBad(tx.id);
  await log.commit();
  void tx[end]();
  log.submit(payloadOf(5, 20));
  await log.commit();
  expect(await read({ from: 5 })).toEqual([[5, 'record']]);
  if (end === 'abort') expect(await read({})).toEqual([[5, 'record']]);
  else await expect(read({})).rejects.toMatchObject(isBad(3));
});

it('is what a tail tells of, though a span ended in its group', async () => {
  const tx = log.begin();
  void tx.append(payloadOf(2, 20));
  await log.commit();
  void tx.commit();
  submitBad();
  await log.commit();
  const tail = (await reader()).tail({ intervalMs: 1 });
  await expect(tail.next()).rejects.toMatchObject(isBad(4));
});
