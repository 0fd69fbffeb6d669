/** legend: the keys of a figure's systems, as buttons: grouped by what they promise, each with its line and mark. */
import { GROUPS, type Group, type Look } from '../looks.js';
import { escapeText } from './formats.js';
import { propertyName } from './theme.js';

const TITLES: Readonly<Record<Group, string>> = {
  own: '',
  yardstick: '',
  peer: 'as durable',
  limit: 'limits',
  weaker: 'promise less',
};

export function legend(looks: readonly Look[]): string {
  const groups = GROUPS.flatMap((group) => {
    const own = looks.filter((look) => look.group === group);
    if (own.length === 0) return [];
    const heading = TITLES[group] === '' ? '' : `<span class="keys-title">${TITLES[group]}</span>`;
    return [`<div class="keys">${heading}${own.map(key).join('')}</div>`];
  });
  const all = `<button type="button" class="plain" data-show="all">show all</button>`;
  const first = `<button type="button" class="plain" data-show="first">reset</button>`;
  const tools = looks.length > 1 ? `<div class="keys tools">${all}${first}</div>` : '';
  return `<div class="legend">${groups.join('')}${tools}</div>`;
}

function key(look: Look): string {
  const name = escapeText(look.name);
  const own = look.colour === 'accent' ? ' own' : '';
  const title = 'Show or hide; with Shift, this one alone';
  return `<button type="button" class="key${own}" data-system="${name}" aria-pressed="${!look.isHidden}" title="${title}">${swatch(look)}${name}</button>`;
}

const DASHES = { solid: '', dashed: ' stroke-dasharray="5 3"', dotted: ' stroke-dasharray="1.5 3"' } as const;

export function swatch({ colour, dash, width, mark, isHollow }: Look): string {
  const paint = `var(--${propertyName(colour)})`;
  const fill = isHollow ? 'var(--surface)' : paint;
  const line = `<path d="M1 6H27" fill="none" stroke="${paint}" stroke-width="${width}"${DASHES[dash]}/>`;
  const sign = `<path d="${mark}" transform="translate(9.5 1.5) scale(.9)" fill="${fill}" stroke="${isHollow ? paint : 'var(--surface)'}" stroke-width="1.5"/>`;
  return `<svg width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">${line}${sign}</svg>`;
}
