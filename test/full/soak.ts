/**
 * soak: `npm run soak -- --minutes M --seed N`: the simulation over one seed after the other, as long as asked. Prints
 * figures as it goes; ends at the first promise that is broken, with the smallest scenario that shows it.
 */
import { parseArgs } from 'node:util';
import { runSeed } from '../layers/simulation.js';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } },
});
const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const end = performance.now() + Number(values.minutes) * 60_000;
if (!Number.isSafeInteger(first) || Number.isNaN(end))
  throw new Error('usage: npm run soak -- [--minutes M] [--seed N]');

const SAY_EVERY_MS = 10_000;
let [seed, crashes, faults] = [first, 0, 0];
let said = performance.now();
const say = (): void =>
  console.log(
    `seeds ${first} to ${seed - 1}: ${crashes} crashes, ${faults} calls that failed, no promise broken`,
  );

for (; performance.now() < end; seed++) {
  const figures = await runSeed(seed);
  crashes += figures.crashes;
  faults += figures.faults;
  if (performance.now() - said < SAY_EVERY_MS) continue;
  said = performance.now();
  say();
}
say();
