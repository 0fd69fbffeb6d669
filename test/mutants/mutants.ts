/**
 * mutants: all small changes that StrykerJS's instrumenter makes to the built modules of format, recovery, segments,
 * commit and rings; its output is not used, each mutant is planted alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename, join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

export const FOLDERS = ['format', 'recovery', 'segment', 'commit', 'ring'] as const;
export type Folder = (typeof FOLDERS)[number];

/** A wrong number there harms nobody's data; test/api/metrics.test.ts looks at them. */
const LEFT_OUT = ['src/commit/commit-metrics.ts'];

export interface Mutant {
  readonly folder: Folder;
  /** The source, from the root, and where in it. */
  readonly file: string;
  readonly line: number;
  /** The line of the source in which it begins. */
  readonly source: string;
  readonly kind: string;
  readonly original: string;
  readonly replacement: string;
  /** The built module, relative to dist/, and what of it is to be replaced. */
  readonly built: string;
  readonly from: number;
  readonly to: number;
}

/** One name for one mutant, the same for as long as its line is. */
export function nameOf({
  file,
  source,
  original,
  replacement,
}: Pick<Mutant, 'file' | 'source' | 'original' | 'replacement'>): string {
  return JSON.stringify([file, source, original, replacement]);
}

/** `dist` must have been built with source maps; `root` is where the sources are. */
export async function makeMutants(root: string, dist: string): Promise<Mutant[]> {
  const all: Mutant[] = [];
  for (const folder of FOLDERS) {
    for (const name of readdirSync(join(root, 'src', folder)).sort()) {
      const file = `src/${folder}/${name}`;
      if (LEFT_OUT.includes(file)) continue;
      all.push(...(await mutantsOf(root, dist, folder, file)));
    }
  }
  return all;
}

async function mutantsOf(root: string, dist: string, folder: Folder, file: string): Promise<Mutant[]> {
  const built = file.replace(/\.ts$/, '.js');
  const text = readFileSync(join(dist, built), 'utf8');
  const lines = text.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const source = readFileSync(join(root, file), 'utf8').split('\n');
  const map = new SourceMap(JSON.parse(readFileSync(join(dist, `${built}.map`), 'utf8')));
  const { mutants } = await new Instrumenter(silent).instrument(
    [{ name: basename(built), mutate: true, content: text }],
    {
      // Names and texts of messages; whatever compares a string is mutated where it compares.
      excludedMutations: ['StringLiteral'],
      ignorers: [{ shouldIgnore: (path) => (isTemplate(path) ? 'part of a message' : undefined) }],
      plugins: null,
    },
  );
  return mutants
    .filter(({ status }) => status !== 'Ignored')
    .map(({ location: { start, end }, mutatorName, replacement }) => {
      const entry = map.findEntry(start.line, start.column) as { originalLine?: number };
      const from = (starts[start.line] ?? 0) + start.column;
      const to = (starts[end.line] ?? 0) + end.column;
      return {
        ...{ folder, file, built, from, to, kind: mutatorName },
        line: (entry.originalLine ?? -1) + 1,
        source: source[entry.originalLine ?? -1]?.trim() ?? '',
        original: squeezed(text.slice(from, to)),
        replacement: isExpression(replacement) ? `(${replacement})` : replacement,
      };
    });
}

/** Of a block: `{}`, of a case: without its statements. Only expressions can be put into parentheses. */
function isExpression(replacement: string): boolean {
  return replacement !== '{}' && !/^(case\b|default:|#|constructor\b|super\b)/.test(replacement);
}

function isTemplate(path: unknown): boolean {
  return (path as { isTemplateLiteral?(): boolean }).isTemplateLiteral?.() === true;
}

function squeezed(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

const no = (): boolean => false;
const nothing = (): void => {};
const silent: ConstructorParameters<typeof Instrumenter>[0] = {
  ...{ isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no, isWarnEnabled: no, isErrorEnabled: no },
  ...{ isFatalEnabled: no, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing },
  fatal: nothing,
};
