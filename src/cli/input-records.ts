/** input-records: cuts a stream of bytes into records: lines, or frames with their length before them. */
import { CliError } from './failure.js';

const NEWLINE = 10;
const LENGTH_BYTES = 4;
/** The largest payload there is. */
const LARGEST_BYTES = 1024 ** 3;

/**
 * Lines as they lie, without their newline; a carriage return before it stays. Empty lines count, and so does a last
 * one that no newline ends.
 */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const begun: Uint8Array[] = []; // what there is of a line that has not ended
  let bytes = 0;
  for await (const chunk of input) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      yield joined(begun, chunk.subarray(from, to));
      from = to + 1;
      bytes = 0;
    }
    bytes += chunk.length - from;
    if (bytes > LARGEST_BYTES)
      throw new CliError('BAD_INPUT', 'A line is longer than a record can be, 1 GiB.');
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  if (begun.length > 0) yield joined(begun, new Uint8Array(0));
}

/** Frames: a length of four bytes, big endian, and as many bytes. Throws CliError when the input ends within one. */
export async function* framesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const begun: Uint8Array[] = []; // what there is of a length or payload that is not whole
  let held = 0;
  let needed = LENGTH_BYTES;
  let isLength = true;
  let count = 0;
  for await (const chunk of input) {
    let from = 0;
    while (from < chunk.length || needed === 0) {
      const part = chunk.subarray(from, from + needed - held);
      from += part.length;
      if (held + part.length < needed) {
        begun.push(part);
        held += part.length;
        break;
      }
      const whole = joined(begun, part);
      held = 0;
      if (isLength) needed = lengthOf(whole, count + 1);
      else {
        yield whole;
        count++;
        needed = LENGTH_BYTES;
      }
      isLength = !isLength;
    }
  }
  if (held > 0 || !isLength)
    throw new CliError(
      'BAD_INPUT',
      `The input ended within frame ${count + 1}, which is not appended; the frames before it are.`,
    );
}

function lengthOf(bytes: Uint8Array, frame: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length > LARGEST_BYTES)
    throw new CliError(
      'BAD_INPUT',
      `Frame ${frame} says that it has ${length} bytes, more than a record can.`,
      'Is the input of `ringwal cat --frames`? Lines are appended without --frames.',
    );
  return length;
}

/** The parts and `last` as one; empties `parts`. */
function joined(parts: Uint8Array[], last: Uint8Array): Uint8Array {
  if (parts.length === 0) return last;
  return Buffer.concat([...parts.splice(0), last]);
}
