/** forge: changes groups on a disk as somebody would who can write to it: all checksums, and the chain, are right behind it. */
import { checksum } from '../../dist/src/format/checksum.js';
import {
  DATA,
  decodeGroupHeader,
  encodeGroupHeader,
  type GroupHeader,
  saltKey,
} from '../../dist/src/format/group-header.js';
import { FRAME_HEADER_BYTES } from '../../dist/src/format/record-frame.js';
import { walkRecords } from '../../dist/src/segment/records.js';
import { edit } from './temp-dir.js';

/** Changes the bodies of one type in the segment `name`. */
export function forge(
  directory: string,
  name: string,
  wanted: number,
  change: (body: DataView, header: GroupHeader) => void,
): void {
  edit(directory, name, (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const key = saltKey(bytes.slice(32, 48));
    let previousChecksum: number | undefined;
    for (let at = 4096; at + 64 <= bytes.length; ) {
      const header = decodeGroupHeader(bytes, view, at, key);
      if (header === undefined) {
        at += 8;
        continue;
      }
      const body = bytes.subarray(at + 64, at + 64 + header.bodyBytes);
      if (header.type === wanted) change(new DataView(body.buffer, body.byteOffset, body.length), header);
      header.bodyChecksum = checksum(body, key.seed);
      header.previousChecksum = previousChecksum ?? header.previousChecksum;
      encodeGroupHeader(header, key, bytes, view, at);
      previousChecksum = header.headerChecksum;
      at += 64 + header.bodyBytes;
    }
    return undefined;
  });
}

/** The frame of one record on the disk: its header, and its content behind that. */
export interface ForgedFrame {
  readonly lsn: number;
  readonly header: DataView;
  readonly content: Buffer;
}

/** Changes frames, which keep their sizes, in the segment `name`. */
export function forgeFrames(directory: string, name: string, change: (frame: ForgedFrame) => void): void {
  forge(directory, name, DATA, (view, { records, firstLsn }) => {
    const body = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    walkRecords(body, records, firstLsn, (lsn, _type, _flags, start, end) => {
      const header = new DataView(
        view.buffer,
        view.byteOffset + start - FRAME_HEADER_BYTES,
        FRAME_HEADER_BYTES,
      );
      change({ lsn, header, content: body.subarray(start, end) });
    });
  });
}
