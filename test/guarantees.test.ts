/**
 * guarantees: what docs/GUARANTEES.md names is there: its layers are those of a full run, its files exist, and each bug
 * class has tests with the very names that are given.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

describe('the bug classes', () => {
  const [, section = ''] = /## Bug classes\n(.*?)\n## /s.exec(page) ?? [];
  const rows = [...section.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, number, what = '', tests = '']) => ({ number: Number(number), what, tests: tests.split('; ') }),
  );

  it('are all there, by number, each in other words', () => {
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
    expect(rows.length).toBeGreaterThan(68);
    expect(new Set(rows.map(({ what }) => what)).size).toBe(rows.length);
  });

  it.each(rows)('have tests that are there: $number, $what', ({ tests }) => {
    for (const test of tests) {
      const [, layer] = /^layer `([\w-]+)`$/.exec(test) ?? [];
      if (layer !== undefined) {
        expect(LAYERS).toContain(layer);
        continue;
      }
      const [, file = '', name = ''] = /^`(test\/[\w/-]+\.test\.ts)` "([^"]+)"$/.exec(test) ?? [];
      expect(file, `a layer, or a file and the name of a test: ${test}`).not.toBe('');
      // As the name of a test, or in the list of names of one: a whole string of its own.
      expect(readFileSync(join(root, file), 'utf8'), file).toContain(`'${name}'`);
    }
  });
});
