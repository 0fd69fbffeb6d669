/** payloads: the sizes of records that the workloads append: less than a sector, several, and more than a group. */
import { payloadOf } from '../../support/engine-harness.js';

export const small = (id: number): Uint8Array => payloadOf(id, 40);
/** Seven sectors: with torn ones more states than can be tried at one crash point. */
export const large = (id: number): Uint8Array => payloadOf(id, 3000);
export const larger = (id: number): Uint8Array => payloadOf(id, 9000);

/** Sectors may be old, new, zeros or garbage. */
export const torn = { tearsToZeros: true, tearsToGarbage: true } as const;
