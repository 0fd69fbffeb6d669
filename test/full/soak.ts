/**
 * soak: `npm run soak`: the simulation, seed after seed, as long as asked. Prints how far it is; at a failure the smallest
 * scenario that still fails, as it goes into a test.
 */
import { parseArgs } from 'node:util';
import { trySeed } from '../layers/simulation.js';

const HELP = `npm run soak -- [options]

options
  --minutes M    how long (5); 0: until it fails or is stopped
  --seed N       the first seed (drawn from the time); one seed after the other is played
  --seeds N      no more than so many seeds
  --help`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 40) },
    seeds: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

/** Between two lines of figures. */
const TELL_MS = 10_000;

const [minutes, first, most] = [values.minutes, values.seed, values.seeds].map(Number) as [
  number,
  number,
  number,
];
if (!(minutes >= 0) || !Number.isSafeInteger(first) || !(most > 0)) throw new Error(`See --help:\n${HELP}`);

const start = performance.now();
const sum = { seeds: 0, crashes: 0, failures: 0, operations: 0 };
let told = start;
const tell = (): void => {
  told = performance.now();
  const { seeds, crashes, failures, operations } = sum;
  console.log(
    `${((told - start) / 1000).toFixed(0).padStart(6)} s  seeds ${first} to ${first + seeds - 1}: ${crashes} crashes, ${failures} failed of ${operations} operations`,
  );
};

process.once('unhandledRejection', (error) => {
  console.error(`seed ${first + sum.seeds} has left a rejection unhandled`, error);
  process.exit(1);
});
process.once('SIGINT', () => {
  tell();
  process.exit(130);
});

console.log(
  `soak: from seed ${first} on${minutes > 0 ? `, ${minutes} minutes` : ''}, Node ${process.version}`,
);
const end = minutes > 0 ? start + minutes * 60_000 : Number.POSITIVE_INFINITY;
while (performance.now() < end && sum.seeds < most) {
  try {
    const { crashes, failures, operations } = await trySeed(first + sum.seeds);
    sum.crashes += crashes;
    sum.failures += failures;
    sum.operations += operations;
    sum.seeds++;
  } catch (error) {
    tell();
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  if (performance.now() - told > TELL_MS) tell();
}
tell();
