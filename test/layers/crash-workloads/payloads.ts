/** payloads: the sizes of records that the workloads append: less than a sector, several, and more than a group. */
import { GROUP_HEADER_BYTES } from '../../../dist/src/format/group-header.js';
import { FRAME_HEADER_BYTES } from '../../../dist/src/format/record-frame.js';
import { payloadOf } from '../../support/engine-harness.js';

export const small = (id: number): Uint8Array => payloadOf(id, 40);
/** Seven sectors: with torn ones more states than can be tried at one crash point. */
export const large = (id: number): Uint8Array => payloadOf(id, 3000);
export const larger = (id: number): Uint8Array => payloadOf(id, 9000);

/** Sectors may be old, new, zeros or garbage. */
export const torn = { tearsToZeros: true, tearsToGarbage: true } as const;

/** A record whose group has so many bytes, a multiple of 8. With 128 groups end where blocks do: a LINK takes as many. */
export const groupOf = (id: number, bytes: number): Uint8Array =>
  payloadOf(id, bytes - GROUP_HEADER_BYTES - FRAME_HEADER_BYTES);
