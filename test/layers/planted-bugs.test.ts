/** planted-bugs: every edit still fits the code, so that a full run plants what it says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LAYERS } from '../full/layers.js';
import { PLANTED_BUGS } from './planted-bugs.js';

const dist = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../dist');

it.each(PLANTED_BUGS)('the bug that $name fits the built package, and a layer must catch it', ({
  edits,
  layer,
}) => {
  expect(edits.length).toBeGreaterThan(0);
  expect(LAYERS as readonly string[]).toContain(layer);
  for (const { file, find, replace } of edits) {
    expect(existsSync(join(dist, file)), file).toBe(true);
    expect(readFileSync(join(dist, file), 'utf8').split(find).length - 1, find).toBe(1);
    expect(replace).not.toBe(find);
  }
});
