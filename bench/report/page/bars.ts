/** bars: the table of the speed bars: what each asks, what the rounds reached, and how far that is from the bar. */
import type { Bar } from '../results.js';
import { spreadOfValues } from '../spread.js';
import { forbidding, octavesPast, type Verdict, verdictOf } from '../verdict.js';
import { escapeText, times } from './formats.js';

const SIGNS: Readonly<Record<Verdict, string>> = {
  met: '✓',
  'at the limit': '≈',
  missed: '✗',
  'not measured': '·',
};
/** The strip shows an octave to each side. */
const OCTAVES = 1;
const WIDTH = 160;
const HEIGHT = 18;

export function barsTable(bars: readonly Bar[]): string {
  const rows = bars.map((bar, i) => {
    const verdict = verdictOf(bar);
    const name = bars[i - 1]?.bar === bar.bar ? '' : escapeText(bar.bar);
    const kind = verdict.replaceAll(' ', '-');
    return `<tr class="${name === '' ? 'same' : 'first'}"><th scope="row">${name || `<span class="unseen">${escapeText(bar.bar)}</span>`}</th><td>${escapeText(bar.where)}</td><td class="n">${mustText(bar)}</td><td class="n">${reachedText(bar)}</td><td>${strip(bar)}</td><td class="verdict ${kind}"><span aria-hidden="true">${SIGNS[verdict]}</span> ${verdict}</td></tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="Table of the speed bars"><table class="bars"><thead><tr><th scope="col">ratio</th><th scope="col">where</th><th scope="col" class="n">must be</th><th scope="col" class="n">median [rounds]</th><th scope="col">short of it | past it</th><th scope="col">verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** "31 of 36 bars are met, 3 stand at the physical limit, 2 are missed." */
export function barsSentence(bars: readonly Bar[]): string {
  const number = (wanted: Verdict): number => bars.filter((bar) => verdictOf(bar) === wanted).length;
  const parts = [`${number('met')} of ${bars.length} bars are met`];
  if (number('at the limit') > 0)
    parts.push(`${number('at the limit')} at the limit that this disk sets to any engine`);
  if (number('missed') > 0) parts.push(`${number('missed')} missed`);
  if (number('not measured') > 0) parts.push(`${number('not measured')} not measured`);
  return `${parts.join(', ')}.`;
}

function mustText(bar: Bar): string {
  const { must } = bar;
  const limit = forbidding(bar);
  const asked = 'atLeast' in must ? `≥ ${must.atLeast}` : `≤ ${must.atMost}`;
  return limit === undefined ? asked : `${asked} <small>limit ${times(limit)}</small>`;
}

function reachedText({ ratios }: Bar): string {
  const spread = spreadOfValues(ratios);
  if (spread === undefined) return '';
  const rounds =
    spread.low === spread.high ? '' : ` <small>[${times(spread.low)} – ${times(spread.high)}]</small>`;
  return `<b>${times(spread.mid)}</b>${rounds}`;
}

/** A dot for each round; to the right of the middle the bar is met, whichever way it points. */
function strip(bar: Bar): string {
  const at = (ratio: number): number => {
    const octaves = Math.max(-OCTAVES, Math.min(OCTAVES, octavesPast(bar, ratio)));
    return Math.round((WIDTH / 2) * (1 + octaves / OCTAVES) * 0.96 + WIDTH * 0.02);
  };
  const middle = HEIGHT / 2;
  const dots = bar.ratios.map((ratio) => `<circle cx="${at(ratio)}" cy="${middle}" r="3"/>`).join('');
  const mid = spreadOfValues(bar.ratios)?.mid;
  const mark = mid === undefined ? '' : `<path class="mid" d="M${at(mid)} 2V${HEIGHT - 2}"/>`;
  const most = forbidding(bar);
  const limit = most === undefined ? '' : `<path class="limit" d="M${at(most)} 1V${HEIGHT - 1}"/>`;
  return `<svg class="strip ${verdictOf(bar).replaceAll(' ', '-')}" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true"><rect x="${WIDTH / 2}" width="${WIDTH / 2}" height="${HEIGHT}"/><path class="bar" d="M${WIDTH / 2} 0V${HEIGHT}"/>${limit}${dots}${mark}</svg>`;
}
