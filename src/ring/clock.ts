/** clock: time on which all threads of the process agree, for durations that begin on one and end on another. */

/** `performance.now()` counts from the start of its own thread; `timeOrigin` says when that was. */
const ORIGIN_US = performance.timeOrigin * 1000;

/** Microseconds, modulo 2^32: differences of less than half an hour can be told. */
export function sharedUs(): number {
  return ((ORIGIN_US + performance.now() * 1000) % 0x1_0000_0000) | 0;
}
