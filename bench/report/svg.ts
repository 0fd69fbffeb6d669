/**
 * svg: the picture of a run for the README: group size against latency beside throughput, on one sheet with one legend, in
 * a light and a dark variant. The same charts as in the page, drawn without a browser.
 */
import { type EChartsCoreOption, init } from 'echarts';
import { groupSize, throughput } from './charts/closed.js';
import type { Option } from './charts/option.js';
import { closedWithFloor } from './floor.js';
import { ownName } from './headline.js';
import { familyOf, GROUPS, type Look, looksOf } from './looks.js';
import { dress } from './page/dress.js';
import * as formats from './page/formats.js';
import { DARK, FONT, LIGHT, type Theme } from './page/theme.js';
import type { Cell, Results } from './results.js';
import { spreadOf } from './spread.js';

const WIDTH = 1000;
const MARGIN = 24;
const CHART_WIDTH = (WIDTH - 3 * MARGIN) / 2;
const CHART_HEIGHT = 380;
const CHART_TOP = 78;
const KEY_HEIGHT = 24;
/** What a sans-serif letter of 13 px takes, about: keys are set apart by it. */
const LETTER = 7.1;

/** Name and content of each picture. */
export function pictures(results: Results): Record<string, string> {
  return {
    'group-size-light': picture(results, LIGHT),
    'group-size-dark': picture(results, DARK),
  };
}

function picture(results: Results, theme: Theme): string {
  const cells = closedWithFloor(results);
  const looks = new Map(shownLooks(results, cells).map((look) => [look.name, look]));
  const figures = [
    { title: 'Group size against latency', option: groupSize(cells, looks)?.views[0]?.panels[0]?.option },
    { title: 'Throughput', option: throughput(cells, looks)?.views[0]?.panels[0]?.option },
  ];
  const charts = figures.map(({ title, option }, i) => {
    const x = MARGIN + i * (CHART_WIDTH + MARGIN);
    const head = text(x, 64, title, { size: 17, weight: 700, fill: theme.ink });
    return option === undefined ? head : `${head}${drawn(option, theme, x)}`;
  });
  const { keys, height } = legend(
    GROUPS.flatMap((group) => [...looks.values()].filter((look) => look.group === group)),
    theme,
  );
  const title = `${ownName(results) ?? 'ringwal'} and its peers: ${results.environment.fileSystem.split(' ')[0]}, ${results.environment.cores} cores, Node ${results.environment.node.replace(/^v/, '')}`;
  const bottom = CHART_TOP + CHART_HEIGHT + 12 + height + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom}" viewBox="0 0 ${WIDTH} ${bottom}" font-family="${FONT}" role="img" aria-label="${formats.escapeText(title)}">
<rect width="${WIDTH}" height="${bottom}" rx="10" fill="${theme.surface}"/>
${text(MARGIN, 34, title, { size: 13, weight: 400, fill: theme.muted })}
${charts.join('\n')}
${keys}
</svg>
`;
}

function drawn(option: Option, theme: Theme, x: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: CHART_WIDTH, height: CHART_HEIGHT });
  try {
    chart.setOption(dress(option, { ...formats, ...theme }) as EChartsCoreOption);
    const svg = chart.renderToSVGString();
    return svg.replace('<svg ', `<svg x="${x}" y="${CHART_TOP}" `);
  } finally {
    chart.dispose();
  }
}

/** ringwal as it comes, the limits, the yardstick, and of each durable peer the variant that gets furthest. */
function shownLooks(results: Results, cells: readonly Cell[]): Look[] {
  const all = [...looksOf(results).values()];
  const best = new Map<string, string>();
  const most = (name: string): number =>
    Math.max(
      0,
      ...cells
        .filter(({ system }) => system === name)
        .map(({ rounds }) => spreadOf(rounds, (round) => round.recordsPerSecond)?.mid ?? 0),
    );
  for (const { name, group } of all) {
    const rival = best.get(familyOf(name));
    if (group === 'peer' && most(name) > 0 && (rival === undefined || most(name) > most(rival)))
      best.set(familyOf(name), name);
  }
  return all.filter(({ name, group, isHidden }) => {
    // One point, of what has no more callers than one, is no line.
    const isLine = cells.filter(({ system }) => system === name).length > 1;
    if (isHidden || group === 'weaker' || most(name) === 0 || !isLine) return false;
    return group !== 'peer' || best.get(familyOf(name)) === name;
  });
}

function legend(looks: readonly Look[], theme: Theme): { keys: string; height: number } {
  let x = MARGIN;
  let row = 0;
  const keys = looks.map((look) => {
    const width = 44 + look.name.length * LETTER + 16;
    if (x + width > WIDTH - MARGIN) {
      x = MARGIN;
      row++;
    }
    const y = CHART_TOP + CHART_HEIGHT + 24 + row * KEY_HEIGHT;
    const key = legendKey(look, theme, x, y);
    x += width;
    return key;
  });
  return { keys: keys.join(''), height: (row + 1) * KEY_HEIGHT };
}

const DASHES = { solid: '', dashed: ' stroke-dasharray="5 3"', dotted: ' stroke-dasharray="1.5 3"' } as const;

function legendKey(look: Look, theme: Theme, x: number, y: number): string {
  const paint = theme[look.colour];
  const fill = look.isHollow ? theme.surface : paint;
  const edge = look.isHollow ? paint : theme.surface;
  const line = `<path d="M${x} ${y}h34" stroke="${paint}" stroke-width="${look.width}"${DASHES[look.dash]}/>`;
  const mark = `<path d="${look.mark}" transform="translate(${x + 12} ${y - 5})" fill="${fill}" stroke="${edge}" stroke-width="1.5"/>`;
  const weight = look.colour === 'accent' ? 700 : 400;
  return `${line}${mark}${text(x + 42, y + 4.5, look.name, { size: 13, weight, fill: theme.ink })}`;
}

function text(
  x: number,
  y: number,
  content: string,
  { size, weight, fill }: { size: number; weight: number; fill: string },
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${formats.escapeText(content)}</text>`;
}
