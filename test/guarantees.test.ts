/** guarantees: what docs/GUARANTEES.md names is there: its layers are those of a full run, and its files exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LAYERS } from './full/layers.js';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const page = readFileSync(join(root, 'docs/GUARANTEES.md'), 'utf8');

it('names every layer of a full run, each of which is a module, and has a share in npm test', () => {
  const [, section = ''] = /## Layers\n(.*?)\n## /s.exec(page) ?? [];
  const named = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name = '']) => name);
  expect([...named].sort()).toEqual([...LAYERS].sort());
  const isThere = (file: string): boolean => existsSync(join(root, 'test/layers', file));
  expect(named.filter((name) => !isThere(`${name}.ts`))).toEqual([]);
  // A gigabyte is for full runs; test/api/large-records has 64 MiB.
  expect(named.filter((name) => !isThere(`${name}.test.ts`))).toEqual(['large-record']);
});

it('names test files that exist', () => {
  const files = [...page.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(8);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
