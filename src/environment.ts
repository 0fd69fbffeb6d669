/** environment: time and chance, passed in so that tests own them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Environment {
  /** Wall time in microseconds since 1970. Only ever stored: it may jump, so no duration is computed from it. */
  wallUs(): number;
  /** Monotonic time in microseconds since some start. */
  monotonicUs(): number;
  /** Bytes that nobody can guess: salts and log ids. */
  randomBytes(bytes: number): Uint8Array;
  /** Waits, without keeping the thread alive for it. */
  pause(ms: number): Promise<void>;
}

export const systemEnvironment: Environment = {
  wallUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicUs: () => performance.now() * 1000,
  randomBytes: (bytes) => randomBytes(bytes),
  pause: (ms) => sleep(ms, undefined, { ref: false }),
};
