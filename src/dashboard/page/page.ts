/** page: the one page, whole in itself, and the policy that lets it run its own script and talk to its own server only. */
import { createHash } from 'node:crypto';
import { PAGE_SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { LIGHT } from './theme.js';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const POLICY = [
  "default-src 'none'",
  `script-src ${hash(PAGE_SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5" fill="none" stroke="${LIGHT.accent}" stroke-width="3.4"/></svg>`,
)}`;

/** `rows`: what stands below the figure, by the names that the script fills. */
function fact(id: string, title: string, rows: readonly (readonly [id: string, term: string])[]): string {
  const terms = rows.map(([row, term]) => `<div><dt>${term}</dt><dd id="${row}">–</dd></div>`);
  return `<section class="fact${id === 'rate' ? ' own' : ''}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2><p class="big" id="${id}">–</p><dl>${terms.join('')}</dl></section>`;
}

/** `says`: what stands beside the title. */
function card(id: string, columns: number, title: string, says: string, body: string): string {
  return `<section class="card c${columns}" aria-labelledby="${id}-title"><div class="head"><h2 id="${id}-title">${title}</h2><p>${says}</p></div>
${body}</section>`;
}

function plot(id: string, kind: string): string {
  return `<div class="plot ${kind}" id="${id}"></div>`;
}

function panel(id: string, kind: string, title: string): string {
  return `<h3><span>${title}</span><b id="${id}-now">–</b></h3>${plot(id, kind)}`;
}

const count = (id: string, term: string): string => `<div><dt>${term}</dt><dd id="${id}">–</dd></div>`;

const CONTENT = `<header>
<div class="line"><span class="mark">ringwal</span><h1 id="directory">&#160;</h1><p class="state" id="state" role="status">connecting</p></div>
<div class="trouble" id="trouble" role="alert" hidden><b id="trouble-title"></b><span id="trouble-text"></span></div>
<div class="facts">
${fact('rate', 'Records a second', [
  ['byte-rate', 'with frames'],
  ['group-rate', 'groups'],
])}
${fact('group', 'Records in a group', [
  ['group-bytes', 'together'],
  ['record-bytes', 'each'],
])}
${fact('latency', 'Wait and sync', [
  ['wait', 'wait'],
  ['sync', 'write and sync'],
])}
${fact('durable', 'Durable LSN', [
  ['first', 'first'],
  ['checkpoint', 'checkpoint'],
])}
${fact('flight', 'Appends in flight', [
  ['producers', 'producers'],
  ['waiting', 'waiting for room'],
])}
</div>
</header>
<main>
<div class="cards">
${card('groups', 7, 'Group size against latency', 'two minutes, each interval a dot', plot('groups', 'groups'))}
${card('throughput', 5, 'Throughput', 'last two minutes', panel('records', 'time', 'records/s') + panel('bytes', 'time', 'bytes/s'))}
${card('syncs', 6, 'Write and sync', '<span class="key"></span>10 s<span class="key soft"></span>2 min', `${plot('syncs', 'syncs')}<p class="detail" id="syncs-says"></p>`)}
${card('load', 6, 'Load', 'last two minutes', panel('rings', 'load', 'rings in use') + panel('flights', 'load', 'appends in flight'))}
${card('segments', 12, 'Segments', '<span class="key"></span>active<span class="key closed"></span>closed', '<ol class="map" id="map" tabindex="0" aria-labelledby="segments-title" aria-describedby="map-help"></ol><p class="unseen" id="map-help">Arrow keys go from one to the next.</p><p class="detail" id="detail"></p><p class="unseen" id="spoken" role="status"></p>')}
<section class="card c12" aria-labelledby="counts-title"><h2 id="counts-title" class="unseen">Since the log was opened</h2><dl class="counts">
${count('records-total', 'records')}${count('groups-total', 'groups')}${count('syncs-total', 'syncs')}${count('mode', 'sync mode')}${count('rotations', 'rotations')}${count('prepared', 'segments from new files')}${count('recycled', 'segments recycled')}${count('removed', 'files removed')}${count('io-errors', 'failed writes')}${count('maintenance', 'maintenance errors')}
</dl></section>
</div>
</main>
<footer><p>Counts are of all threads since the log was opened; appends in flight are of the thread that serves this page. Figures at the top are means of the last two seconds, appends in flight the most that was seen in them. The same as JSON: <a href="stats">stats</a>.</p></footer>`;

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
<title>ringwal</title>
<style>${STYLE}</style>
</head>
<body>
${CONTENT}
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
