/** about: what was measured where, and how: the systems and their durability, the machine, the method. */
import { doesNotSync, groupOf, type Look } from '../looks.js';
import type { Results, SystemReport } from '../results.js';
import { escapeText, whole } from './formats.js';
import { swatch } from './legend.js';

export function systemsTable({ systems }: Results, looks: ReadonlyMap<string, Look>): string {
  const rows = systems.map((system) => {
    const look = looks.get(system.name);
    const lacking =
      system.lacking === undefined ? '' : ` <small>not measured: ${escapeText(system.lacking)}</small>`;
    return `<tr${look?.colour === 'accent' ? ' class="own"' : ''}><th scope="row">${look === undefined ? '' : swatch(look)} ${escapeText(system.name)}</th><td>${escapeText(system.what)}${lacking}</td><td>${durability(system)}</td><td class="n">${syncsText(system)}</td></tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="Table of the systems"><table class="systems"><thead><tr><th scope="col">system</th><th scope="col">what makes a record durable</th><th scope="col">durability</th><th scope="col" class="n">syncs of appends, one by one</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function durability(system: SystemReport): string {
  if (system.role === 'limit') return '<span class="badge none">a limit, no log</span>';
  if (doesNotSync(system)) return '<span class="badge bad">does not sync</span>';
  if (groupOf(system) === 'weaker') return '<span class="badge bad">promises less</span>';
  return system.syncs === undefined
    ? '<span class="badge none">durable, not counted</span>'
    : '<span class="badge good">durable</span>';
}

function syncsText({ syncs }: SystemReport): string {
  return syncs === undefined ? '' : `${whole(syncs.syncs)} of ${whole(syncs.appends)}`;
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  node: 'Node',
  kernel: 'kernel',
  cpu: 'processor',
  cores: 'cores',
  fileSystem: 'file system',
  writeCache: 'write cache of the device',
  idleCpus: 'idle CPUs',
};

/** Whatever the harness knows of the machine. */
export function environmentTable({ environment }: Results): string {
  const rows = Object.entries(environment).map(
    ([name, value]) =>
      `<tr><th scope="row">${escapeText(ENVIRONMENT[name] ?? name)}</th><td>${escapeText(String(value))}</td></tr>`,
  );
  return `<div class="wide"><table class="env"><tbody>${rows.join('')}</tbody></table></div>`;
}

export function method(results: Results): string {
  const points = [
    'All systems ran in the same run, on the same disk, under the same harness, each in a process of its own with an empty directory of its own, and with records of random bytes.',
    `Each point was measured in ${roundsText(results)}; every round goes through the systems in another order, after a warm-up that is thrown away. Figures are medians of the rounds; the uprights in the charts, and the brackets in the tables, are the least and the greatest of them.`,
    'Latencies come from histograms of all appends. In open loops they count from the moment at which an append was due, not from when it was made: what a stall delays is counted as late.',
    'Durability is not taken on trust: appends are made one after the other while the syncs that reach the disk are counted. A system with fewer syncs than appends is marked “does not sync”, drawn dashed, and no ratio is taken to it.',
    'The raw floor and the harness alone are no logs. They show what this disk, and this harness, allow any log to reach.',
    'The yardstick is the group commit that anybody would write in ten lines: collect while the last sync runs, then write and sync what has come together.',
  ];
  return `<ul class="how">${points.map((text) => `<li>${escapeText(text)}</li>`).join('')}</ul>`;
}

function roundsText({ scenarios }: Results): string {
  const counts = Object.values(scenarios).flatMap((cells) => cells.map(({ rounds }) => rounds.length));
  const least = Math.min(...counts);
  const most = Math.max(...counts);
  if (counts.length === 0) return 'several rounds';
  if (least === most) return most === 1 ? 'one round' : `${most} rounds`;
  return `${least} to ${most} rounds`;
}
