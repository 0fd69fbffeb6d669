/** cluster: a log for each worker process: one that is killed loses nothing, and the next one takes its directory over. */
import { once } from 'node:events';
import { openLog } from 'ringwal';
import { expect, it, onTestFinished } from 'vitest';
import { Fleet } from '../../dist-examples/cluster/fleet.js';
import { type MergedRecord, merged } from '../../dist-examples/cluster/merged.js';
import { type Answer, post } from '../../dist-examples/cluster/post.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const WORKERS = 2;
const IN_FLIGHT = 10;

async function startFleet(): Promise<Fleet> {
  const fleet = await Fleet.start(tempDir(), WORKERS, (error) => {
    throw error;
  });
  onTestFinished(() => fleet.end());
  return fleet;
}

/** What was answered: the text by directory and LSN. */
class Client {
  readonly answered = new Map<string, string>();
  readonly #fleet: Fleet;
  #sent = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Sends until `isEnough`, again and again; a request whose worker dies is not sent again. */
  async send(isEnough: (answer: Answer) => boolean): Promise<void> {
    let isOver = false;
    const caller = async (): Promise<void> => {
      while (!isOver) {
        const text = `request ${this.#sent++}`;
        const answer = await post(this.#fleet.url, text).catch(() => {});
        if (answer === undefined) continue;
        this.answered.set(`${answer.directory} ${answer.lsn}`, text);
        isOver ||= isEnough(answer);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  }
}

async function all(fleet: Fleet): Promise<MergedRecord[]> {
  const records: MergedRecord[] = [];
  for await (const record of merged(fleet.directories)) records.push(record);
  return records;
}

function expectAnswered(records: readonly MergedRecord[], { answered }: Client): void {
  const found = new Map(records.map(({ directory, lsn, text }) => [`${directory} ${lsn}`, text]));
  expect(found.size).toBe(records.length);
  for (const [place, text] of answered) expect(found.get(place), place).toBe(text);
}

it('keeps what a worker answered before SIGKILL, and the next one goes on in its directory', async () => {
  const fleet = await startFleet();
  const client = new Client(fleet);
  const directory = must(fleet.directories[0]);
  const killed = must(fleet.workerOf(directory));
  let answers = 0;
  let lastOfKilled = 0;
  const exited = once(killed, 'exit');
  await client.send((answer) => {
    if (++answers === 200) killed.process.kill('SIGKILL');
    if (answer.directory !== directory) return false;
    // Whatever the killed one had appended is below what its successor gives out.
    if (killed.isDead()) return answers > 400 && answer.lsn > lastOfKilled;
    lastOfKilled = Math.max(lastOfKilled, answer.lsn);
    return false;
  });
  expect(await exited).toEqual([null, 'SIGKILL']);
  expect(must(fleet.workerOf(directory)).id).not.toBe(killed.id);
  await fleet.end();
  expectAnswered(await all(fleet), client);
});

it('reads all logs as one, by time, while the workers have them open, which nobody else can', async () => {
  const fleet = await startFleet();
  const client = new Client(fleet);
  const seen = new Set<string>();
  let answers = 0;
  await client.send(({ directory }) => {
    seen.add(directory);
    return ++answers >= 100 && seen.size === WORKERS;
  });
  const records = await all(fleet);
  const times = records.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  for (const directory of fleet.directories) {
    const lsns = records.filter((record) => record.directory === directory).map(({ lsn }) => lsn);
    expect(lsns).toEqual(lsns.map((_, i) => i + 1));
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
  }
  await fleet.end();
  expectAnswered(await all(fleet), client);
});
