/** report: a run passes only when every layer has tried what it must, and says plainly of the rest why not. */
import { expect, it } from 'vitest';
import type { Layer } from './layer.js';
import { isPassed, json, type LayerReport, markdown, type Run, render } from './report.js';

const layer: Layer = {
  name: 'example',
  title: 'an example',
  targets: { cuts: 1000, images: 20 },
  parts: 2,
  minutes: 1,
  run: () => Promise.reject(new Error('not run')),
};
const whole: LayerReport = {
  layer,
  figures: { cuts: 1000, images: 21 },
  errors: [],
  lacking: {},
  seconds: 90,
  open: 0,
};

function runOf(report: Partial<LayerReport>, run: Partial<Run> = {}): Run {
  const reports = [whole, { ...whole, ...report }];
  return { reports, seconds: 120, share: 1, seed: 7, jobs: 2, cores: 4, isStrict: false, ...run };
}

it.each<[string, Partial<LayerReport>, Partial<Run>, boolean, string]>([
  ['reached its targets', {}, {}, true, 'passed'],
  ['tried one case too few', { figures: { cuts: 999, images: 20 } }, {}, false, 'TOO FEW'],
  ['tried none of a kind', { figures: { cuts: 1000 } }, {}, false, 'NOTHING TRIED'],
  ['tried none of a kind, in a share', { figures: { cuts: 9 } }, { share: 0.1 }, false, 'NOTHING TRIED'],
  [
    'tried few, in a share',
    { figures: { cuts: 9, images: 1 } },
    { share: 0.1 },
    true,
    'passed, a share of 0.1',
  ],
  ['broke a promise', { errors: ['seed 3: lost'] }, {}, false, 'FAILED'],
  ['was stopped', { open: 1 }, {}, false, 'STOPPED'],
  ['lacks something', { lacking: { images: 'no /dev/fuse' } }, {}, true, 'not run: no /dev/fuse'],
  [
    'lacks something, strictly',
    { lacking: { images: 'no /dev/fuse' } },
    { isStrict: true },
    false,
    'not run: no /dev/fuse',
  ],
  ['lacks all', { lacking: { all: 'no root' }, figures: {} }, {}, true, 'not run: no root'],
])('a layer that %s', (_, report, more, passes, text) => {
  const run = runOf(report, more);
  expect(isPassed(run)).toBe(passes);
  for (const page of [render(run), markdown(run, '2026-01-02')]) {
    expect(page).toContain(`| ${text} |`);
    expect(page).toContain(`${passes ? 2 : 1} of 2 layers passed in 2.0 min`);
  }
  const told = JSON.parse(json(run, '2026-01-02')) as {
    date: string;
    isPassed: boolean;
    layers: { isPassed: boolean }[];
  };
  expect(told).toMatchObject({ date: '2026-01-02', isPassed: passes });
  expect(told.layers.map(({ isPassed }) => isPassed)).toEqual([true, passes]);
});

it('what failed is told in the terminal, whole; what could not run is counted', () => {
  expect(render(runOf({ errors: ['seed 3: LSN 8 is lost'] }))).toContain('\nseed 3: LSN 8 is lost\n');
  expect(render(runOf({ lacking: { images: 'no /dev/fuse' } }))).toContain(', 1 of them not wholly run');
});
