/** clock: the one clock on which all threads of a process agree. */
import { expect, it, vi } from 'vitest';

/** The clock of a thread that begins when `hrtime` is at 5000.25 s, its own at `nowMs`, and the wall clock says `wallMs`. */
async function clockOf(thread: number, nowMs: number, wallMs: number): Promise<() => number> {
  let held = 0;
  vi.spyOn(performance, 'timeOrigin', 'get').mockReturnValue(wallMs);
  vi.spyOn(performance, 'now').mockReturnValue(nowMs);
  // Held up twice while it begins.
  vi.spyOn(process, 'hrtime').mockImplementation(() => [5000 + (held++ === 1 ? 0 : 3), 250_000_000]);
  const clock = new URL(`../../dist/src/ring/clock.js?thread=${thread}`, import.meta.url).href;
  const { sharedUs } = (await import(/* @vite-ignore */ clock)) as { sharedUs(): number };
  return sharedUs;
}

it('a thread that began later reads the same time, in microseconds, though the wall clock was set meanwhile', async () => {
  const clocks = [await clockOf(1, 1000, 1_700_000_000_000), await clockOf(2, 750, 1_600_000_000_000)];
  const now = vi.spyOn(performance, 'now');
  const [first, second] = clocks.map((sharedUs, thread) => {
    now.mockReturnValue(thread === 0 ? 1500 : 1250);
    return sharedUs();
  });
  expect(second).toBe(first);
  now.mockReturnValue(1251);
  expect(((clocks[1]?.() ?? 0) - (first ?? 0)) | 0).toBe(1000);
});
