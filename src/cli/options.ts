/** options: options that several commands share, and the check of what is given for them. */
import { InvalidArgumentError, Option } from 'commander';

/** Argument of a command: the directory of a log. */
export const DIRECTORY = ['<dir>', 'directory of the log'] as const;

export function jsonOption(what = 'one JSON object on stdout'): Option {
  return new Option('--json', what);
}

export function keyOption(): Option {
  return new Option('--key-file <file>', 'key of an encrypted log: 32 bytes, or 64 hex digits');
}

export function plainBeforeOption(): Option {
  return new Option(
    '--plain-before <lsn>',
    'records before it may be in plain; without, all must be encrypted when a key is given',
  ).argParser(integer(0));
}

/** A whole number from `least` to `most`, as a parser of an option's value. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most) {
      const limits = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`It must be a whole number ${limits}.`);
    }
    return value;
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A size in bytes, a parser of an option's value: `65536`, `64k`, `64KiB`, `1g`. */
export function size(text: string): number {
  const [, digits, unit = ''] = /^(\d+)\s*([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('It must be a size, as 65536, 64k or 1g.');
  return bytes;
}

/** Text for the end of a command's help. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`).join('\n')}\n`;
}

/** An LSN, or the word `checkpoint`. */
export function lsnOrCheckpoint(text: string): number | 'checkpoint' {
  return text === 'checkpoint' ? text : integer(1)(text);
}
