/** quantities: sizes, counts, rates and durations in words. */

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 MiB`; whole bytes below 1 KiB. */
export function inBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < SIZES.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? String(Math.round(value)) : digits(value)} ${SIZES[unit]}`;
}

/** `12 345`: thousands apart, by a thin rule that needs no locale. */
export function inWords(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** `1 segment`, `12 345 segments`. */
export function counted(count: number, noun: string): string {
  return `${inWords(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `340 us`, `4.2 ms`, `12 s`, `3 min 20 s`, `5 h 3 min`, `12 d 4 h`. Takes milliseconds. */
export function inTime(ms: number): string {
  if (ms < 0) return '0 ms';
  if (ms < 1) return `${Math.round(ms * 1000)} us`;
  if (ms < 1000) return `${digits(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 10) return `${digits(ms / 1000)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(seconds, 60, 'min', 's');
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, 'h', 'min');
  return pair(Math.round(seconds / 3600), 24, 'd', 'h');
}

function pair(value: number, size: number, large: string, small: string): string {
  const rest = value % size;
  return `${Math.floor(value / size)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** Three digits at most. */
function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
}

/** Milliseconds since 1970. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

const clock = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });

/** Local date and time of microseconds since 1970: `2026-11-26 18:50:01`. */
export function inDate(us: number): string {
  return clock.format(us / 1000);
}
