/** explained: mutants that no test can kill, since they change nothing that anybody was promised. */
import { type Mutant, nameOf } from './mutants.js';

interface Explained {
  readonly file: string;
  /** The line of the source in which the mutant begins, without its indentation. */
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: 'src/format/checksum.ts',
    source: 'export const UNKNOWN_CHECKSUM = -1;',
    original: '-1',
    replacement: '(+1)',
    why: 'A checksum that happens to be 1 would count as one that nobody has taken, and is then taken: nothing but time.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (term < 0) product ^= shifted;',
    original: 'term < 0',
    replacement: '(term <= 0)',
    why: 'The loop ends when it is 0.',
  },
  {
    file: 'src/format/checksum.ts',
    source:
      'while (powers.length < 31) powers.push(multiply(powers.at(-1) as number, powers.at(-1) as number));',
    original: 'powers.length < 31',
    replacement: '(powers.length <= 31)',
    why: 'One power more than any length needs.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(true)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(false)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(bytes.length > NATIVE_FROM_BYTES)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(bytes.length < NATIVE_FROM_BYTES)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/cursor-slot.ts',
    source: 'const [, name, suffix] = CURSOR_FILE.exec(file) ?? [];',
    original: '[]',
    replacement: '(["Stryker was here"])',
    why: 'The first element is not looked at, and there is no other.',
  },
  {
    file: 'src/format/segment-header.ts',
    source: 'const [, segment, epoch] = ASIDE_NAME.exec(name) ?? [];',
    original: '[]',
    replacement: '(["Stryker was here"])',
    why: 'The first element is not looked at, and there is no other.',
  },
  {
    file: 'src/recovery/chain.ts',
    source: 'if (segment.number < oldest.number) return;',
    original: 'segment.number < oldest.number',
    replacement: '(segment.number <= oldest.number)',
    why: 'A segment that is not on the chain has not the number of one that is.',
  },
  {
    file: 'src/recovery/chain.ts',
    source: 'if (segment.asideEpoch !== undefined && segment.asideEpoch <= newest.header.epoch) return;',
    original: 'segment.asideEpoch !== undefined',
    replacement: '(true)',
    why: 'What is undefined is not less than a number: the other half of the condition.',
  },
  {
    file: 'src/recovery/chain.ts',
    source:
      'const laterWriter = chained.some((other) => other.header.epoch > epoch && other.number > segment.number);',
    original: 'other.number > segment.number',
    replacement: '(other.number >= segment.number)',
    why: 'A segment that is not on the chain has not the number of one that is.',
  },
  {
    file: 'src/recovery/evidence.ts',
    source: 'if (view.getUint32(at, true) !== GROUP_MAGIC) continue;',
    original: 'view.getUint32(at, true) !== GROUP_MAGIC',
    replacement: '(false)',
    why: 'A short cut: decodeGroupHeader compares the same word again.',
  },
  {
    file: 'src/segment/records.ts',
    source: 'if (length > body.length || at + bytes > body.length)',
    original: 'length > body.length',
    replacement: '(length >= body.length)',
    why: 'A content as long as the group has a frame that is longer: the other half of the condition.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'start >= this.#end && start + GROUP_HEADER_BYTES + bodyBytes <= this.segment.segmentBytes,',
    original: 'start >= this.#end',
    replacement: '(true)',
    why: 'An assertion of what the callers ensure: they pass the end, or the block behind it.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: '} else if (start > this.#end) {',
    original: 'start > this.#end',
    replacement: '(true)',
    why: 'A view of no bytes more in the write: the file holds the same.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: '} else if (start > this.#end) {',
    original: 'start > this.#end',
    replacement: '(start >= this.#end)',
    why: 'A view of no bytes more in the write: the file holds the same.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'readonly #header: GroupHeader = {',
    original:
      '{ type: 0, flags: 0, firstLsn: 0, durableLsn: 0, timestampUs: 0, records: 0, bodyBytes: 0, previousChecksum: 0, bodyC...',
    replacement: '{}',
    why: 'Every field is set before it is read; with all of them there from the start, setting them is fast.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (number < oldestNumber || (header !== undefined && number < newest.number)) return false;',
    original: 'number < oldestNumber',
    replacement: '(number <= oldestNumber)',
    why: 'A segment that is not of the log has not the number of one that is.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (number < oldestNumber || (header !== undefined && number < newest.number)) return false;',
    original: 'number < newest.number',
    replacement: '(number <= newest.number)',
    why: 'A segment that is not of the log has not the number of one that is.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (error instanceof CorruptError) continue;',
    original: 'error instanceof CorruptError',
    replacement: '(true)',
    why: 'Nothing else is thrown there: what is passed on is a bug of ringwal, should there be one.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if (2 * this.#firstUnproven <= this.#places.length) return;',
    original: '2 * this.#firstUnproven <= this.#places.length',
    replacement: '(2 * this.#firstUnproven < this.#places.length)',
    why: 'When the places that were passed are let go decides how much memory they take, and nothing else.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if (2 * this.#firstUnproven <= this.#places.length) return;',
    original: '2 * this.#firstUnproven <= this.#places.length',
    replacement: '(true)',
    why: 'When the places that were passed are let go decides how much memory they take, and nothing else.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if ((header.flags & HAS_CHECKPOINT) !== 0) {',
    original: '(header.flags & HAS_CHECKPOINT) !== 0',
    replacement: '(true)',
    why: 'A short cut: groups without the flag hold no checkpoint, so there is nothing to be found in them.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'if (this.#outcomes.length > 0) {',
    original: 'this.#outcomes.length > 0',
    replacement: '(true)',
    why: 'A short cut: one run of committed chunks alone is posted the same way, through a list that is made for it.',
  },
  {
    file: 'src/commit/log-writer.ts',
    source: 'readonly #outcome: GroupOutcome = { records: 0, bytes: 0, syncUs: 0, segment: 0 };',
    original: '{ records: 0, bytes: 0, syncUs: 0, segment: 0 }',
    replacement: '{}',
    why: 'All of its fields are set before any group is completed; it only has its shape from here.',
  },
  {
    file: 'src/ring/open-spans.ts',
    source: 'if (this.#beginnings.length > 0) this.#beginnings = [];',
    original: 'this.#beginnings.length > 0',
    replacement: '(this.#beginnings.length >= 0)',
    why: 'An empty list is replaced by an empty list: it only costs making one for each chunk.',
  },
  {
    file: 'src/ring/open-spans.ts',
    source: 'if (this.#beginnings.length > 0) this.#beginnings = [];',
    original: 'this.#beginnings.length > 0',
    replacement: '(true)',
    why: 'An empty list is replaced by an empty list: it only costs making one for each chunk.',
  },
  {
    file: 'src/ring/producer.ts',
    source: 'words[slot + CHUNK_OFFSET] = this.#openStart;',
    original: 'slot + CHUNK_OFFSET',
    replacement: '(slot - CHUNK_OFFSET)',
    why: 'The field is the first of its slot: what is added to the slot for it is 0.',
  },
  {
    file: 'src/ring/completion-slots.ts',
    source: 'this.firstLsn = longAt(words, slot + COMPLETION_LSN_LOW, slot + COMPLETION_LSN_HIGH);',
    original: 'slot + COMPLETION_LSN_LOW',
    replacement: '(slot - COMPLETION_LSN_LOW)',
    why: 'The field is the first of its slot: what is added to the slot for it is 0.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'chunk.offset = words[slot + CHUNK_OFFSET] as number;',
    original: 'slot + CHUNK_OFFSET',
    replacement: '(slot - CHUNK_OFFSET)',
    why: 'The field is the first of its slot: what is added to the slot for it is 0.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'words[slot + COMPLETION_LSN_LOW] = lsn | 0;',
    original: 'slot + COMPLETION_LSN_LOW',
    replacement: '(slot - COMPLETION_LSN_LOW)',
    why: 'The field is the first of its slot: what is added to the slot for it is 0.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'if (this.#outcomes.length > 0) {',
    original: 'this.#outcomes.length > 0',
    replacement: '(this.#outcomes.length >= 0)',
    why: 'A short cut: one run of committed chunks alone is posted the same way, through a list that is made for it.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'if (chunk.flags !== 0) {',
    original: 'chunk.flags !== 0',
    replacement: '(true)',
    why: 'A short cut: the LSN that a chunk must get is looked at only if it is CONDITIONAL.',
  },
  {
    file: 'src/ring/producer.ts',
    source: 'if ((flags & CONDITIONAL) !== 0) {',
    original: '(flags & CONDITIONAL) !== 0',
    replacement: '(true)',
    why: 'A short cut: the LSN that a chunk must get is looked at only if it is CONDITIONAL.',
  },
  {
    file: 'src/ring/producer.ts',
    source: 'if (this.#openRecords > 0) {',
    original: 'this.#openRecords > 0',
    replacement: '(true)',
    why: 'A short cut: a chunk that holds nothing is published by doing nothing.',
  },
  {
    file: 'src/ring/producer.ts',
    source: 'if (this.#openRecords > 0) {',
    original: 'this.#openRecords > 0',
    replacement: '(this.#openRecords >= 0)',
    why: 'A short cut: a chunk that holds nothing is published by doing nothing.',
  },
  {
    file: 'src/ring/open-spans.ts',
    source: 'if (at > 0) this.#beginnings.splice(0, at);',
    original: 'at > 0',
    replacement: '(true)',
    why: 'A short cut: splice removes nothing when it is to remove none, or less.',
  },
  {
    file: 'src/ring/open-spans.ts',
    source: 'if (at > 0) this.#beginnings.splice(0, at);',
    original: 'at > 0',
    replacement: '(at >= 0)',
    why: 'A short cut: splice removes nothing when it is to remove none, or less.',
  },
  {
    file: 'src/commit/commit-loop.ts',
    source: 'if (this.#requests.length > 0)',
    original: 'this.#requests.length > 0',
    replacement: '(true)',
    why: 'A short cut: of no requests none is tried.',
  },
  {
    file: 'src/commit/commit-loop.ts',
    source: 'if (this.#requests.length > 0)',
    original: 'this.#requests.length > 0',
    replacement: '(this.#requests.length >= 0)',
    why: 'A short cut: of no requests none is tried.',
  },
  {
    file: 'src/commit/group-builder.ts',
    source: 'if (chunk.flags !== 0 && this.#settles(ring, chunk, lsn)) continue;',
    original: 'chunk.flags !== 0',
    replacement: '(true)',
    why: 'A short cut: each question in there is about a flag.',
  },
  {
    file: 'src/ring/consumer.ts',
    source: 'readonly #chunk: Chunk = {',
    original:
      '{ offset: 0, bytes: 0, records: 0, flags: 0, expectedLsn: 0, checksum: UNKNOWN_CHECKSUM, publishedUs: 0, }',
    replacement: '{}',
    why: 'All of its fields are set before it is handed out; it only has its shape from here.',
  },
];

const byName = new Map(EXPLAINED.map((one) => [nameOf(one), one.why]));

export function explanationOf(mutant: Mutant): string | undefined {
  return byName.get(nameOf(mutant));
}
