/** main: `node dist-examples/memtable-kv/main.js [directory]`: the store's life, told as it goes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WriteBatch } from 'ringwal/operations';
import { KvStore, type StoreOptions } from './store.js';

const ACCOUNTS = 2000;
const TRANSFERS = 6000;
const IN_FLIGHT = 200;

const given = process.argv[2];
const directory = given ?? (await mkdtemp(join(tmpdir(), 'memtable-kv-')));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** Small limits, so that a few seconds show everything that a store does in its life. */
const options: StoreOptions = {
  memtableBytes: 256 * 1024,
  maxFiles: 3,
  log: { segmentBytes: 256 * 1024 },
  onEvent: (event, text) => say(`    ${event}: ${text}`),
};
const accountKey = (account: number): string => `account/${`${account}`.padStart(4, '0')}`;
const balanceOf = async (store: KvStore, account: number): Promise<number> =>
  Number(Buffer.from((await store.get(accountKey(account))) ?? '0').toString());

try {
  let store = await open();
  say(`${ACCOUNTS} accounts with 100 each, all put at once; groups share their syncs`);
  await Promise.all(Array.from({ length: ACCOUNTS }, (_, account) => store.put(accountKey(account), '100')));
  say(`${TRANSFERS} transfers, each a batch of two puts, ${IN_FLIGHT} in flight`);
  await transfer(store);
  await showTotal(store); // nobody gained or lost by transfers
  await store.delete(accountKey(0));
  say(`${accountKey(0)} is deleted: get gives ${await store.get(accountKey(0))}`);
  for await (const { key, value } of store.scan({ from: accountKey(1), to: accountKey(4) })) {
    say(`scan: ${Buffer.from(key)} has ${Buffer.from(value)}`);
  }
  await showTotal(store);
  say('closing, with the memtable only in the log');
  await store.close();
  store = await open();
  await showTotal(store);
  await store.close();
} finally {
  if (given === undefined) await rm(directory, { recursive: true, force: true });
}

async function open(): Promise<KvStore> {
  const store = await KvStore.open(directory, options);
  say(
    `opened ${directory}: sorted files ${store.fileCount}, operations replayed from the log ${store.logged}`,
  );
  return store;
}

/** Each caller has accounts of its own, so that none reads a balance that another is about to change. */
async function transfer(store: KvStore): Promise<void> {
  const caller = async (_: unknown, number: number): Promise<void> => {
    for (let i = 0; i < TRANSFERS / IN_FLIGHT; i++) {
      const from = number + IN_FLIGHT * (i % (ACCOUNTS / IN_FLIGHT));
      const to = number + IN_FLIGHT * ((i * i + 1) % (ACCOUNTS / IN_FLIGHT));
      if (from === to) continue;
      const batch = new WriteBatch()
        .put(accountKey(from), `${(await balanceOf(store, from)) - 1}`)
        .put(accountKey(to), `${(await balanceOf(store, to)) + 1}`);
      await store.write(batch);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
}

async function showTotal(store: KvStore): Promise<void> {
  let total = 0;
  let accounts = 0;
  for await (const { value } of store.scan({ from: 'account/', to: 'account0' })) {
    total += Number(Buffer.from(value).toString());
    accounts++;
  }
  say(`${accounts} accounts hold ${total} in all`);
}
