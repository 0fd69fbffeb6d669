/**
 * decoder-inputs: what the layer `decoder-fuzz` feeds to every decoder of the package: good bytes with fields changed to
 * what an attacker would choose, and the checksums put right again, so that the decoder gets past them.
 */
import { compressSync, decompress } from '../../dist/src/codec/compression.js';
import { Decoder } from '../../dist/src/codec/decoder.js';
import {
  RecordOpener,
  RecordSealer,
  SEAL_OVERHEAD_BYTES,
  SEAL_PREFIX_BYTES,
} from '../../dist/src/codec/encryption.js';
import { checksum } from '../../dist/src/format/checksum.js';
import { decodeCursorSlot, encodeCursorSlot } from '../../dist/src/format/cursor-slot.js';
import {
  decodeLink,
  decodeMark,
  decodeSeal,
  encodeLink,
  encodeMark,
  encodeSeal,
} from '../../dist/src/format/group-body.js';
import {
  DATA,
  decodeGroupHeader,
  encodeGroupHeader,
  type GroupHeader,
  saltKey,
} from '../../dist/src/format/group-header.js';
import { frameBytes, idBytes } from '../../dist/src/format/record-frame.js';
import { decodeSegmentHeader, encodeSegmentHeader } from '../../dist/src/format/segment-header.js';
import { decodeOperation, encodeOperation } from '../../dist/src/operations/operation.js';
import { recordsOf } from '../../dist/src/read/read-log.js';
import { RecordAssembler } from '../../dist/src/read/record-assembler.js';
import type { Group } from '../../dist/src/segment/segment-cursor.js';
import type { Prng } from '../support/prng.js';

/** One input, ready to be decoded. */
export interface Input {
  readonly bytes: Uint8Array;
  run(): unknown;
}

export interface Family {
  readonly name: string;
  /** In a full run. */
  readonly count: number;
  make(prng: Prng): Input;
}

export const SALT = Uint8Array.from({ length: 16 }, (_, i) => 7 * i + 1);
export const LOG_ID = Uint8Array.from({ length: 16 }, (_, i) => 200 - i);
export const KEY = saltKey(SALT);
/** What a payload may become at most, here. */
export const INFLATED_BYTES = 64 * 1024;

const EXTREMES = [0, 1, 7, 8, 63, 64, 4095, 4096, 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffff8, 0xffffffff];

/** Changes one to four fields below `end`: bytes, words, double words, to extremes, to near their value, or at random. */
export function mutate(bytes: Uint8Array, prng: Prng, end = bytes.length): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let n = prng.between(1, 4); n > 0 && end >= 8; n--) {
    const at = 4 * prng.below(end >> 2);
    const kind = prng.below(5);
    if (kind === 0) bytes[prng.below(end)] = prng.below(256);
    else if (kind === 1) view.setUint32(at, prng.pick(EXTREMES), true);
    else if (kind === 2) view.setUint32(at, view.getUint32(at, true) + prng.between(-9, 9), true);
    else if (kind === 3) bytes[prng.below(end)] = (bytes[prng.below(end)] ?? 0) ^ (1 << prng.below(8));
    else if (at + 8 <= end) {
      view.setUint32(at, prng.pick(EXTREMES), true);
      view.setUint32(at + 4, prng.pick(EXTREMES), true);
    }
  }
}

/** Perhaps other bytes behind or fewer. */
function resized(bytes: Uint8Array, prng: Prng): Uint8Array {
  if (prng.chance(0.8)) return bytes;
  if (prng.chance(0.5)) return bytes.slice(0, prng.below(bytes.length + 1));
  return Uint8Array.from([...bytes, ...prng.bytes(prng.below(40))]);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  if (at + 4 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
}

export function groupHeader(fields: Partial<GroupHeader> = {}): GroupHeader {
  return {
    type: DATA,
    flags: 0,
    firstLsn: 1,
    durableLsn: 0,
    timestampUs: 1_700_000_000_000_000,
    records: 1,
    bodyBytes: 64,
    previousChecksum: 0,
    bodyChecksum: 0,
    durableEnd: 4096,
    headerChecksum: 0,
    ...fields,
  };
}

/** The header of a group over `body`, changed if `prng` is there, its checksums right. */
export function groupOf(body: Uint8Array, fields: Partial<GroupHeader>, prng?: Prng): Uint8Array {
  const bytes = new Uint8Array(64 + body.length);
  const header = groupHeader({ bodyBytes: body.length, bodyChecksum: checksum(body, KEY.seed), ...fields });
  encodeGroupHeader(header, KEY, bytes, new DataView(bytes.buffer), 0);
  if (prng !== undefined) mutate(bytes, prng, 44);
  put32(bytes, 60, checksum(bytes.subarray(0, 60), KEY.seed));
  bytes.set(body, 64);
  return bytes;
}

const SEGMENT_HEADER = encodeSegmentHeader({
  logId: LOG_ID,
  salt: SALT,
  number: 1,
  epoch: 1,
  segmentBytes: 16_384,
  createdUs: 1,
  cutFrom: 0,
});

/** Its first block, changed or not. */
export function segmentHeader(prng?: Prng): Uint8Array {
  const bytes = SEGMENT_HEADER.slice();
  if (prng !== undefined) mutate(bytes, prng, 84);
  put32(bytes, 4092, checksum(bytes.subarray(0, 4092), 0));
  return bytes;
}

const key = { keyId: 3, key: new Uint8Array(32).fill(9) };
const sealer = new RecordSealer(LOG_ID, key, (bytes) => new Uint8Array(bytes).fill(5));

const PLACE = { lsn: 1, type: 1, flags: 2, ids: new Uint8Array(0), span: new Uint8Array(0) };

function sealed(payload: Uint8Array, lsn: number): Uint8Array {
  const bytes = new Uint8Array(payload.length + SEAL_OVERHEAD_BYTES);
  bytes.set(payload, SEAL_PREFIX_BYTES);
  sealer.seal(bytes, 0, payload.length, { ...PLACE, lsn });
  return bytes;
}

const SEALED = [0, 20, 300].map((length) => sealed(new Uint8Array(length).fill(7), 1));
const PACKED = (['deflate', 'brotli'] as const).map((algorithm) =>
  compressSync(new Uint8Array(3000).fill(65), { algorithm, level: 1, minBytes: 64, maxBytes: 3000 }),
) as Uint8Array[];

/** Frames of all types with all flags; some contents are encodings, some are good. */
export function frames(prng: Prng, count: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const type = prng.chance(0.4) ? 1 : prng.between(1, 8);
    const flags = prng.chance(0.5) ? 0 : prng.below(16);
    const encoded = (flags & 2) !== 0 ? SEALED : (flags & 1) !== 0 ? PACKED : undefined;
    const content = encoded && prng.chance(0.7) ? prng.pick(encoded) : new Uint8Array(prng.below(48));
    const ids = idBytes(type, flags);
    const length = ids + content.length;
    const frame = new Uint8Array(frameBytes(length, flags));
    put32(frame, 0, length);
    put32(frame, 4, type | (flags << 8));
    for (let at = 8; at < 8 + ids; at += 8) {
      put32(frame, at, prng.below(3));
      put32(frame, at + 4, prng.below(3));
    }
    frame.set(content, 8 + ids);
    if ((flags & 4) !== 0 && prng.chance(0.8)) put32(frame, frame.length - 4, checksum(content, 0));
    parts.push(frame);
  }
  return Buffer.concat(parts);
}

const SEGMENT = { name: '00000000000000000001.wal' } as Parameters<typeof recordsOf>[0];

/** Puts the records of some groups together, one after the other. */
function records(prng: Prng): Input {
  const groups = Array.from({ length: prng.between(1, 3) }, () => {
    const count = prng.between(1, 6);
    const body = frames(prng, count);
    if (prng.chance(0.7)) mutate(body, prng);
    return { body: resized(body, prng), count: prng.chance(0.9) ? count : prng.pick(EXTREMES) };
  });
  const mode = prng.chance(0.5) ? 'all' : 'committed';
  const from = prng.below(4);
  const bytes = Buffer.concat(groups.map(({ body }) => body));
  const plainBefore = prng.pick([0, 2, Number.POSITIVE_INFINITY]);
  const decoder = prng.chance(0.9)
    ? new Decoder(LOG_ID, async () => key.key, INFLATED_BYTES, plainBefore)
    : undefined;
  return {
    bytes,
    run: async () => {
      const assembler = new RecordAssembler(from, mode, decoder);
      let firstLsn = 1;
      for (const { body, count } of groups) {
        const header = groupHeader({ firstLsn, records: count, bodyBytes: body.length });
        await decoder?.prepare(body, count, firstLsn, from);
        recordsOf(SEGMENT, { kind: 'group', header, offset: 4096, end: 0, body } as Group, assembler);
        firstLsn += Math.min(count, 64);
      }
    },
  };
}

export const DECODERS: readonly Family[] = [
  {
    name: 'segment headers',
    count: 200_000,
    make: (prng) => {
      const bytes = resized(segmentHeader(prng), prng.fork());
      return { bytes, run: () => decodeSegmentHeader(bytes) };
    },
  },
  {
    name: 'group headers',
    count: 600_000,
    make: (prng) => {
      const bytes = groupOf(new Uint8Array(0), { records: prng.below(5) }, prng);
      return { bytes, run: () => decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, KEY) };
    },
  },
  {
    name: 'link, seal and mark bodies',
    count: 600_000,
    make: (prng) => {
      const which = prng.below(3);
      const index = Array.from({ length: prng.below(5) }, (_, i) => ({
        firstLsn: i,
        offset: 4096 + i,
        openBack: 0,
      }));
      const good = [
        () => encodeLink({ ...LINK, predecessorNumber: prng.below(2) }),
        () => encodeSeal({ successorSalt: SALT, successorNumber: 2, index }),
        () => encodeMark({ truncatedBefore: 1, clean: true }),
      ][which]?.() as Uint8Array;
      mutate(good, prng);
      const bytes = resized(good, prng);
      return { bytes, run: () => [decodeLink, decodeSeal, decodeMark][which]?.(bytes) };
    },
  },
  { name: 'records', count: 500_000, make: records },
  {
    name: 'cursor slots',
    count: 300_000,
    make: (prng) => {
      const good = encodeCursorSlot({ name: 'a.cursor', logId: LOG_ID, sequence: 4, position: 9 });
      mutate(good, prng, 120);
      put32(good, 508, checksum(good.subarray(0, 508), 0));
      const bytes = resized(good, prng);
      return { bytes, run: () => decodeCursorSlot(bytes) };
    },
  },
  {
    name: 'operations',
    count: 500_000,
    make: (prng) => {
      const good = Uint8Array.from(encodeOperation('key', prng.chance(0.5) ? 'a value' : undefined));
      mutate(good, prng);
      const bytes = resized(good, prng);
      return { bytes, run: () => decodeOperation(bytes) };
    },
  },
  {
    name: 'compression envelopes',
    count: 100_000,
    make: (prng) => {
      const good = prng.pick(PACKED).slice();
      mutate(good, prng, prng.chance(0.5) ? 12 : good.length);
      const bytes = resized(good, prng);
      return { bytes, run: () => decompress(bytes, INFLATED_BYTES, 1) };
    },
  },
  {
    name: 'encryption envelopes',
    count: 100_000,
    make: (prng) => {
      const good = prng.pick(SEALED).slice();
      mutate(good, prng);
      const bytes = resized(good, prng);
      const opener = new RecordOpener(LOG_ID);
      opener.addKey(key);
      return { bytes, run: () => opener.open(bytes, PLACE) };
    },
  },
];

export const LINK = {
  predecessorSalt: undefined,
  predecessorNumber: 0,
  predecessorLastLsn: 0,
  predecessorEnd: 0,
  predecessorSealOffset: 0,
  truncatedBefore: 0,
  openLsn: 0,
  checkpointLsn: 0,
};
