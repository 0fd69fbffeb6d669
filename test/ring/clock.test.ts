/** clock: the one clock on which all threads of a process agree. */
import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The clock as a thread has it that began so many milliseconds after the first. */
async function clockOf(thread: number, laterMs: number): Promise<() => number> {
  vi.spyOn(performance, 'timeOrigin', 'get').mockReturnValue(1_700_000_000_000 + laterMs);
  const clock = new URL(`../../dist/src/ring/clock.js?thread=${thread}`, import.meta.url).href;
  const { sharedUs } = (await import(/* @vite-ignore */ clock)) as { sharedUs(): number };
  return sharedUs;
}

it('a thread that began later reads the same time, in microseconds', async () => {
  const clocks = [await clockOf(1, 0), await clockOf(2, 250)];
  const now = vi.spyOn(performance, 'now');
  const [first, second] = clocks.map((sharedUs, thread) => {
    now.mockReturnValue(thread === 0 ? 1000 : 750);
    return sharedUs();
  });
  expect(second).toBe(first);
  now.mockReturnValue(751);
  expect(((clocks[1]?.() ?? 0) - (first ?? 0)) | 0).toBe(1000);
});
