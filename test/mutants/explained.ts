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
    file: 'src/recovery/evidence.ts',
    source: 'if (view.getUint32(at, true) !== GROUP_MAGIC) continue;',
    original: 'view.getUint32(at, true) !== GROUP_MAGIC',
    replacement: '(false)',
    why: 'A short cut: decodeGroupHeader compares the same word again.',
  },
  {
    file: 'src/recovery/evidence.ts',
    source:
      'const window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, to - from)) + GROUP_HEADER_BYTES);',
    original: 'to - from',
    replacement: '(to + from)',
    why: 'The window is larger than it must be, and still no larger than WINDOW_BYTES.',
  },
  {
    file: 'src/segment/records.ts',
    source: 'if (flags > 0xff || !isKnownFrame(type, flags))',
    original: 'flags > 0xff',
    replacement: '(flags >= 0xff)',
    why: 'Flags of 0xff have bits that isKnownFrame refuses, with the same words.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'start >= this.#end && start + GROUP_HEADER_BYTES + bodyBytes <= this.segment.segmentBytes,',
    original: 'start + GROUP_HEADER_BYTES + bodyBytes',
    replacement: '(start + GROUP_HEADER_BYTES - bodyBytes)',
    why: 'An assertion of what room and the options have ensured before.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'this.#staged.length === 0 && this.hasRoomForMark,',
    original: 'this.#staged.length === 0 && this.hasRoomForMark',
    replacement: '(this.#staged.length === 0 || this.hasRoomForMark)',
    why: 'An assertion of what the callers have ensured before.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: '} else if (start > this.#end) {',
    original: 'start > this.#end',
    replacement: '(true)',
    why: 'A view of no bytes more in the write: the file holds the same.',
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
    file: 'src/ring/producer.ts',
    source: 'const firstLsn = longAt(words, slot + COMPLETION_LSN_LOW, slot + COMPLETION_LSN_HIGH);',
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
    source:
      'readonly #chunk: Chunk = { offset: 0, bytes: 0, records: 0, flags: 0, expectedLsn: 0, publishedUs: 0 };',
    original: '{ offset: 0, bytes: 0, records: 0, flags: 0, expectedLsn: 0, publishedUs: 0 }',
    replacement: '{}',
    why: 'All of its fields are set before it is handed out; it only has its shape from here.',
  },
];

const byName = new Map(EXPLAINED.map((one) => [nameOf(one), one.why]));

export function explanationOf(mutant: Mutant): string | undefined {
  return byName.get(nameOf(mutant));
}
