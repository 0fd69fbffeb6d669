/** clock: time on which all threads of the process agree, for durations that begin on one and end on another. */

/**
 * `performance.now()` counts from the start of its own thread. When that was is taken from `process.hrtime`, which is the
 * same for all threads, and not from `timeOrigin`: that is wall time, which may have been set since another one started.
 * Both are read in turn; a thread that is held up in between would be late by as much, so the least of three counts.
 */
const ORIGIN_US = Math.min(...[1, 2, 3].map(originUs));

function originUs(): number {
  const nowUs = performance.now() * 1000;
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1000 - nowUs;
}

/** Microseconds, modulo 2^32: differences of less than half an hour can be told. */
export function sharedUs(): number {
  return ((ORIGIN_US + performance.now() * 1000) % 0x1_0000_0000) | 0;
}
