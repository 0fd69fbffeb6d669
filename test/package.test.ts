/** package: what comes with an installation: six packages and what they need, none of which runs anything. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}
interface Locked {
  readonly dev?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = read('package.json') as Manifest;
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
const installed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);

/** Of an installed package; piscina's optional addon is a family of one for each platform. */
const nameOf = (path: string): string =>
  path.replace(/^.*node_modules\//, '').replace(/^(@napi-rs\/nice)-.*$/, '$1');

// Class 63. Who adds one changes this list, and says in docs/ARCHITECTURE.md why.
it('depends on these packages and no others, directly and through them', () => {
  expect(Object.keys(manifest.dependencies).sort()).toEqual([
    'cli-progress',
    'comlink',
    'commander',
    'crc-32',
    'p-queue',
    'piscina',
  ]);
  expect([...new Set(installed.map(([path]) => nameOf(path)))].sort()).toEqual([
    '@napi-rs/nice',
    'ansi-regex',
    'cli-progress',
    'comlink',
    'commander',
    'crc-32',
    'emoji-regex',
    'eventemitter3',
    'is-fullwidth-code-point',
    'p-queue',
    'p-timeout',
    'piscina',
    'string-width',
    'strip-ansi',
  ]);
});

it('runs nothing when it is installed, and neither does any of them', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
  expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  // The lock file is npm's word for it; these are their own.
  for (const [path] of installed.filter(([, { resolved }]) => resolved !== undefined)) {
    const own = (() => {
      try {
        return read(`${path}/package.json`) as Partial<Manifest>;
      } catch {
        return {}; // optional, and for another platform
      }
    })();
    const { preinstall, install, postinstall } = own.scripts ?? {};
    expect([preinstall, install, postinstall], path).toEqual([undefined, undefined, undefined]);
  }
});

it('is pinned: every package by a hash of its content, from the registry', () => {
  const pinned = Object.entries(packages).filter(([path]) => path !== '');
  expect(pinned.length).toBeGreaterThan(20);
  expect(
    pinned.filter(([, { integrity, link }]) => !/^sha512-/.test(integrity ?? '') || link === true),
  ).toEqual([]);
});

it('ships what is built, and neither tests nor tools', () => {
  expect([...manifest.files].sort()).toEqual(['dashboards', 'dist/src', 'dist/workers']);
});
