/** guarantees: what docs/GUARANTEES.md names is there: its layers are those of a full run, and its files exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LAYERS, loadLayer } from './full/layers.js';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const page = readFileSync(join(root, 'docs/GUARANTEES.md'), 'utf8');

it('names every layer of a full run, and each of them is there with targets of its own', async () => {
  const [, section = ''] = /## Layers\n(.*?)\n## /s.exec(page) ?? [];
  const named = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(named).toEqual([...named].filter((name) => (LAYERS as readonly string[]).includes(name ?? '')));
  expect([...named].sort()).toEqual([...LAYERS].sort());
  for (const name of LAYERS) {
    const layer = await loadLayer(name);
    expect(layer.name).toBe(name);
    expect(Object.values(layer.targets).every((target) => target > 0)).toBe(true);
  }
});

it('names test files that exist', () => {
  const files = [...page.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(8);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
