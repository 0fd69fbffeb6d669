/** figure-html: a figure as the page holds it before its charts are drawn, at their full size, so that nothing moves. */
import type { Figure } from '../charts/figure.js';
import type { Look } from '../looks.js';
import { escapeText } from './formats.js';
import { legend } from './legend.js';

export function figureHtml(figure: Figure, looks: readonly Look[]): string {
  const { id, views, firstView, height } = figure;
  const panels = views[firstView]?.panels ?? [];
  const keys = looks.filter(({ name }) => figure.systems.includes(name));
  const bar = [keys.length === 0 ? '' : legend(keys), viewsHtml(figure)].join('');
  const places = panels.map(
    ({ label }) => `<div class="panel" role="img" aria-label="${escapeText(label)}"></div>`,
  );
  const kinds = [
    figure.isStacked ? ' stacked' : panels.length > 2 ? ' three' : '',
    figure.hasNamesOnce ? ' once' : '',
  ];
  return `<div class="card" data-figure="${id}" style="--height:${height}px">${bar === '' ? '' : `<div class="bar">${bar}</div>`}<div class="panels${kinds.join('')}">${places.join('')}</div></div>`;
}

function viewsHtml({ id, views, viewsAre = 'View', firstView }: Figure): string {
  if (views.length < 2) return '';
  const choices = views.map(
    ({ label }, i) =>
      `<label><input type="radio" name="view-${id}" value="${i}"${i === firstView ? ' checked' : ''}><span>${escapeText(label)}</span></label>`,
  );
  return `<fieldset class="views"><legend>${escapeText(viewsAre)}</legend>${choices.join('')}</fieldset>`;
}
