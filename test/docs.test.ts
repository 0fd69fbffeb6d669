/** docs: what the documentation refers to is there: files, headings, error codes, options, commands. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
      .map((name) => join(folder, name)),
  ),
];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
/** Without what is code: a link there is none. */
const proseOf = (page: string): string => textOf(page).replace(/^```[\s\S]*?^```/gm, '');

/** As GitHub makes anchors of headings. */
function anchorsOf(page: string): Set<string> {
  return new Set(
    [...proseOf(page).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

it.each(pages)('%s links to files and headings that are there', (page) => {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, a, b]) => a ?? b ?? '',
  );
  for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, resolve(root, dirname(page), path));
    expect(existsSync(join(root, target)), `${page} -> ${link}`).toBe(true);
    if (anchor !== undefined) expect([...anchorsOf(target)], `${page} -> ${link}`).toContain(anchor);
  }
});

it('docs/TROUBLESHOOTING.md has a section for each error code, and for no other', () => {
  const union = /type RingwalErrorCode =([\s\S]*?)';/.exec(textOf('src/errors.ts'))?.[1] ?? '';
  const codes = [...union.matchAll(/'(RINGWAL_\w+)/g)].map(([, code]) => code);
  const sections = [...textOf('docs/TROUBLESHOOTING.md').matchAll(/^## (RINGWAL_\w+)$/gm)].map(
    ([, code]) => code,
  );
  expect(codes.length).toBeGreaterThan(15);
  expect(sections.sort()).toEqual(codes.sort());
});

it('docs/OPTIONS.md has a row for each option of openLog, and for no other', () => {
  const names = [
    ...(/const known = new Set<string>\(\[([^\]]+)\]/
      .exec(textOf('src/options.ts'))?.[1]
      ?.matchAll(/'(\w+)'/g) ?? []),
  ].map(([, name]) => name);
  const section = /^## Options of `openLog`([\s\S]*?)^## /m.exec(textOf('docs/OPTIONS.md'))?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(rows.sort()).toEqual(names.sort());
});

it('names no script of package.json that is not there', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  for (const page of pages)
    for (const [, name = ''] of textOf(page).matchAll(/npm run (?:-s |--silent )?([\w:]+)/g))
      expect(Object.keys(scripts), `${page}: npm run ${name}`).toContain(name);
});
