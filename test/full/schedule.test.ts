/** schedule: every part of every layer runs once, the longest first, never more than fit, and alone what must be alone. */
import { expect, it } from 'vitest';
import type { Layer } from './layer.js';
import { type Part, partsOf, schedule } from './schedule.js';

interface Entry {
  readonly layer: Layer;
}

function entry(name: string, minutes: number, parts: number, more: Partial<Layer> = {}): Entry {
  const run = (): Promise<never> => Promise.reject(new Error('not run'));
  return { layer: { name, title: name, targets: {}, parts, minutes, run, ...more } };
}

const nameOf = ({ of, part, parts }: Part<Entry>): string => `${of.layer.name} ${part + 1}/${parts}`;

const ALL = [
  entry('short', 2, 2),
  entry('waits', 6, 2, { isWaiting: true }),
  entry('long', 20, 4),
  entry('alone', 30, 1, { isAlone: true }),
  entry('alone too', 1, 1, { isAlone: true }),
];

it('the parts of all layers, the longest first; of a small share each layer whole', () => {
  expect(partsOf(ALL, 1).map(nameOf)).toEqual([
    ...['alone 1/1', 'long 1/4', 'long 2/4', 'long 3/4', 'long 4/4', 'waits 1/2', 'waits 2/2'],
    ...['short 1/2', 'short 2/2', 'alone too 1/1'],
  ]);
  expect(partsOf(ALL, 0.01).map(nameOf)).toEqual([
    ...['alone 1/1', 'long 1/1', 'waits 1/1', 'short 1/1', 'alone too 1/1'],
  ]);
});

/** Runs all parts, each as many turns long as its minutes; returns what ran at the same time, turn by turn. */
async function play(jobs: number): Promise<{ began: string[]; together: string[][] }> {
  const running = new Set<string>();
  const began: string[] = [];
  const together: string[][] = [];
  await schedule(partsOf(ALL, 1), jobs, async (part) => {
    began.push(nameOf(part));
    running.add(nameOf(part));
    for (let turn = 0; turn < part.of.layer.minutes / part.parts; turn++) {
      together.push([...running]);
      await new Promise(setImmediate);
    }
    running.delete(nameOf(part));
  });
  return { began, together };
}

const layerOf = (name: string): string => name.replace(/ \d+\/\d+$/, '');

it.each([1, 2, 3])('with %i jobs: each part once, and no more at a time than fit', async (jobs) => {
  const { began, together } = await play(jobs);
  expect([...began].sort()).toEqual(partsOf(ALL, 1).map(nameOf).sort());
  const most = Math.max(...together.map((names) => names.length));
  expect(most).toBe(jobs > 1 ? jobs + 1 : 1);
  for (const names of together) {
    if (names.length > jobs) expect(names.map(layerOf)).toContain('waits');
    if (names.some((name) => name.startsWith('alone'))) expect(names).toHaveLength(1);
  }
  expect(began.slice(-2)).toEqual(['alone 1/1', 'alone too 1/1']);
});
