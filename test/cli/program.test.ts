/** program: what holds for every command: help with examples, exit codes, errors that say what to do, nothing made. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { createIo } from '../../dist/src/cli/io.js';
import { createProgram } from '../../dist/src/cli/program.js';
import { cli } from '../support/cli.js';
import { tempDir } from '../support/temp-dir.js';

let names: string[] = [];

beforeAll(() => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  names = createProgram(createIo({ stdin, stdout, stderr }, {}).io).commands.map((command) => command.name());
});

describe('the program', () => {
  it('lists its commands, and has a help with examples, a directory and --json for each', async () => {
    const { out, code } = await cli(['--help']);
    expect(code).toBe(0);
    expect(names).toEqual(
      expect.arrayContaining(['info', 'verify', 'cat', 'tail', 'append', 'truncate', 'gc']),
    );
    for (const name of names) {
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
      const help = await cli([name, '--help']);
      expect(help).toMatchObject({ code: 0, err: '' });
      expect(help.out).toContain('Examples:');
      expect(help.out).toContain(`ringwal ${name} `);
      expect(help.out).toContain('--json');
    }
  });

  it('has a section for each command, and for no other, in docs/CLI.md', () => {
    const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
    const page = readFileSync(join(root, 'docs/CLI.md'), 'utf8');
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual([...names].sort());
  });

  it('answers wrong usage on stderr, with exit code 2', async () => {
    for (const args of [['ifno'], ['info'], ['info', 'x', '--wat'], ['cat', 'x', '--from', '-1'], []]) {
      const { code, out, err } = await cli(args);
      expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' });
      expect(err).toContain('--help');
    }
    expect((await cli(['ifno'])).err).toContain('Did you mean info?');
  });

  it('tells its version', async () => {
    const { out, code } = await cli(['--version']);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(code).toBe(0);
  });

  it('says that there is no directory or no log, makes none, and fails with exit code 2', async () => {
    const directory = tempDir();
    const missing = join(directory, 'missing');
    const file = join(directory, 'file');
    writeFileSync(file, 'x');
    const commands = [
      ['info'],
      ['verify'],
      ['cat'],
      ['tail'],
      ['tail', '-f'],
      ['gc'],
      ['truncate', '--before', '1'],
    ];
    for (const [name = '', ...options] of commands) {
      for (const [path, what] of [
        [missing, `There is no directory ${missing}.`],
        [file, `${file} is not a directory.`],
        [directory, `${directory} holds no log.`],
      ] as const) {
        const { code, out, err } = await cli([name, path, ...options]);
        expect({ code, out }, name).toEqual({ code: 2, out: '' });
        expect(err).toContain(`error: ${what}`);
      }
    }
    expect(existsSync(missing)).toBe(false);
  });

  it('tells errors as an object on stderr with --json', async () => {
    const { err, out } = await cli(['info', join(tempDir(), 'missing'), '--json']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'NO_DIRECTORY', hint: expect.any(String) } });
    expect(out).toBe('');
  });
});
