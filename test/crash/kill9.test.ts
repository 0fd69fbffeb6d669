/** kill9: a writer is killed with SIGKILL at random moments; an outside witness knows what it acknowledged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const CYCLES = Number(process.env.RINGWAL_KILL9_CYCLES ?? 8);
/** Every so many cycles the directory is a new one. */
const GENERATIONS = 5;

interface Witness {
  /** Content id by acknowledged LSN. */
  readonly acked: Map<number, string>;
  /** Records below it may be gone. */
  truncating: number;
}

/** Lets a writer run until it has told `acks` acknowledgements, and kills it. */
async function killedWriter(
  directory: string,
  generation: number,
  acks: number,
  witness: Witness,
): Promise<void> {
  const fixture = fileURLToPath(new URL('../fixtures/kill9-writer.mjs', import.meta.url));
  const child = spawn(process.execPath, [fixture, directory, `${generation}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  let heard = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [first = '', second = ''] = line.split(' ');
      if (first === 'truncating') witness.truncating = Number(second);
      else witness.acked.set(Number(first), second);
      if (++heard >= acks) child.kill('SIGKILL');
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
}

it(`keeps every record that a writer acknowledged before it was killed (${CYCLES} times)`, {
  timeout: CYCLES * 5000,
}, async () => {
  const seed = testSeed(1);
  const prng = new Prng(seed);
  let directory = '';
  let witness: Witness = { acked: new Map(), truncating: 0 };
  let acknowledged = 0;
  let recovered = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    if (cycle % GENERATIONS === 0) {
      directory = await tempDir();
      witness = { acked: new Map(), truncating: 0 };
    }
    const before = witness.acked.size;
    await killedWriter(directory, cycle, prng.between(1, 4000), witness);
    acknowledged += witness.acked.size - before;

    const log = await openLog(directory, { segmentBytes: 128 * 1024, ringBytes: 64 * 1024 });
    const where = `cycle ${cycle}, seed ${seed}`;
    expect(log.firstLsn, where).toBeLessThanOrEqual(Math.max(1, witness.truncating));
    const seen = new Set<string>();
    let expected = log.firstLsn;
    for await (const { lsn, payload } of log.read()) {
      expect(lsn, where).toBe(expected++);
      const [id = '', filler = ''] = Buffer.from(payload).toString().split(' ');
      expect(seen.has(id), `${where}: ${id} is there twice`).toBe(false);
      seen.add(id);
      const index = Number(id.split('/')[2]);
      expect(filler, where).toBe('x'.repeat(((index + 1) * 37) % 300));
      const told = witness.acked.get(lsn);
      if (told !== undefined) expect(id, where).toBe(told);
      recovered++;
    }
    for (const lsn of witness.acked.keys()) {
      if (lsn >= log.firstLsn) expect(lsn, `${where}: acknowledged and lost`).toBeLessThan(expected);
    }
    await log.close();
  }
  console.log(
    `kill -9: ${CYCLES} cycles, ${acknowledged} acknowledgements witnessed, ${recovered} records read back`,
  );
});
