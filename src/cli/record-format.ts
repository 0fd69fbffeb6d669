/** record-format: how records are written to stdout: as they are, as JSON, as hexadecimal, or as frames. */
import { isUtf8 } from 'node:buffer';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LogRecord, RecordType, TransactionMode } from '../index.js';
import { paint } from './colours.js';
import { CliError } from './failure.js';
import type { CliIo } from './io.js';
import type { KeyOptions } from './key-file.js';
import { keyOption, plainBeforeOption } from './options.js';
import { inDate, inWords } from './quantities.js';

const formats = ['raw', 'json', 'hex'] as const;
const types: readonly RecordType[] = ['record', 'checkpoint', 'begin', 'commit', 'abort'];

/** What `cat` and `tail` have in common. */
export interface RecordOptions extends KeyOptions {
  readonly type?: readonly RecordType[];
  readonly transactions?: TransactionMode;
  readonly format?: (typeof formats)[number];
  readonly frames?: true;
  readonly json?: true;
}

export function addRecordOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--type <types>',
        `of these types only: ${types.join(', ')}; several apart by commas`,
      ).argParser(parseTypes),
    )
    .addOption(
      new Option('--transactions <mode>', 'all: also records of transactions that are open or were aborted')
        .choices(['committed', 'all'])
        .default('committed'),
    )
    .addOption(
      new Option('--format <format>', 'raw: payloads, a newline behind each').choices(formats).default('raw'),
    )
    .addOption(
      new Option('--frames', 'payloads, the length before each (u32, big endian)').conflicts('format'),
    )
    .addOption(new Option('--json', 'the same as --format json: one object on each line').conflicts('frames'))
    .addOption(keyOption())
    .addOption(plainBeforeOption());
}

function parseTypes(text: string, before: readonly RecordType[] = []): readonly RecordType[] {
  const wanted = text.split(',').map((name) => types.find((type) => type === name.trim()));
  if (wanted.includes(undefined)) throw new InvalidArgumentError(`It must be of ${types.join(', ')}.`);
  return [...before, ...(wanted as RecordType[])];
}

/** What a read or a tail is told. */
export function readTerms({ type, transactions = 'committed' }: RecordOptions): {
  types?: readonly RecordType[];
  transactions: TransactionMode;
} {
  if (type === undefined) return { transactions };
  // Where transactions begin and end is only told in this mode.
  const isWithEnds = type.some((name) => name === 'begin' || name === 'commit' || name === 'abort');
  return { types: type, transactions: isWithEnds ? 'all' : transactions };
}

/** The bytes that stand for one record. */
export function formatter(
  io: CliIo,
  { format, frames, json }: RecordOptions,
): (record: LogRecord) => Uint8Array {
  if (frames) return framed;
  if (json || format === 'json') return asJson;
  if (format === 'hex') return (record) => Buffer.from(asHex(io, record));
  return ({ payload }) => Buffer.concat([payload, NEWLINE]);
}

const NEWLINE = Buffer.from('\n');

function framed({ payload, lsn }: LogRecord): Uint8Array {
  if (payload.length > 0xffff_ffff) throw tooLarge(lsn, 'a frame');
  const frame = Buffer.allocUnsafe(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, 4);
  return frame;
}

function tooLarge(lsn: number, what: string): CliError {
  return new CliError(
    'TOO_LARGE',
    `The record with LSN ${lsn} is too large for ${what}.`,
    '--format raw and --frames write records of any size.',
  );
}

/** A record as JSON. Throws CliError when that is longer than a string can be. */
function asJson(record: LogRecord): Uint8Array {
  try {
    return jsonOf(record);
  } catch {
    throw tooLarge(record.lsn, 'JSON'); // nothing else can be wrong with it
  }
}

/** The payload as text when it is UTF-8, else in base64; `encoding` says which. */
function jsonOf({ lsn, type, timestampUs, transaction, commitLsn, payload }: LogRecord): Uint8Array {
  const encoding = isUtf8(payload) ? 'utf8' : 'base64';
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const record = { lsn, type, timestampUs, transaction, commitLsn, bytes: payload.length, encoding };
  const json = JSON.stringify({ ...record, payload: bytes.toString(encoding) });
  // Of the characters that a terminal takes for commands JSON itself escapes those below the space only.
  return Buffer.from(`${json.replace(/[\u007f-\u009f]/g, escaped)}\n`);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const ROW_BYTES = 16;
/** Rows of more would be longer than a string can be. */
const MOST_HEX_BYTES = 64 * 1024 * 1024;

/** A line about the record, and one for every 16 bytes: offset, hexadecimal, printable ASCII. */
function asHex(io: CliIo, { lsn, type, timestampUs, payload }: LogRecord): string {
  if (payload.length > MOST_HEX_BYTES) throw tooLarge(lsn, 'hexadecimal');
  const title = `LSN ${lsn}  ${type}  ${inWords(payload.length)} B  ${inDate(timestampUs)}`;
  const lines = [paint(io, 'cyan', title)];
  for (let at = 0; at < payload.length; at += ROW_BYTES) {
    const row = [...payload.subarray(at, at + ROW_BYTES)];
    const hex = row
      .map((byte, i) => `${i === ROW_BYTES / 2 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`)
      .join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * ROW_BYTES)}  ${text}`);
  }
  return `${lines.join('\n')}\n`;
}
