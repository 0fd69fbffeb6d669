/** clock: the two times that the engine uses, passed in so that tests own them. */
export interface Clock {
  /** Wall time in microseconds since 1970. Only ever stored; no duration is computed from it, as it may jump. */
  wallUs(): number;
  /** Monotonic time in microseconds since some start. */
  monotonicUs(): number;
}

export const systemClock: Clock = {
  wallUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicUs: () => performance.now() * 1000,
};
