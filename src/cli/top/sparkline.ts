/** sparkline: a row of figures, and a part of a whole, drawn with characters. */

const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII = '_.-=+*#@';

/**
 * The last `width` values, oldest first, each as high as it is to the greatest of them; 0 and less are the lowest
 * height, undefined is a gap. Shorter than `width` while there are fewer.
 */
export function sparkline(values: readonly (number | undefined)[], width: number, isAscii: boolean): string {
  const heights = isAscii ? ASCII : BLOCKS;
  const shown = width > 0 ? values.slice(-width) : [];
  const most = Math.max(0, ...shown.map((value) => value ?? 0));
  return shown
    .map((value) => {
      if (value === undefined) return ' ';
      const part = most > 0 ? Math.max(0, value) / most : 0;
      return heights[Math.min(heights.length - 1, Math.floor(part * heights.length))];
    })
    .join('');
}

/** A bar of `width` characters for `part`, 0 to 1. What is more than nothing is seen. */
export function bar(part: number, width: number, isAscii: boolean): string {
  const within = Math.min(1, Math.max(0, part));
  const filled = within === 0 ? 0 : Math.max(1, Math.round(within * width));
  const [full, empty] = isAscii ? ['#', '.'] : ['█', '░'];
  return full.repeat(filled) + empty.repeat(width - filled);
}

/** Whether the terminal is told to show no more than ASCII: the kernel's console, and locales that say another charset. */
export function needsAscii(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || 'UTF-8';
  return env.TERM === 'linux' || env.TERM === 'dumb' || !/utf-?8/i.test(locale);
}
