/** sections: which figures a page has, in the order in which they are read; a scenario that was not run has none. */
import { producers, sizes, threadLooks } from './charts/along.js';
import { groupSentence, groupSize, latencyThroughput, throughput } from './charts/closed.js';
import { cpu } from './charts/cpu.js';
import type { Figure } from './charts/figure.js';
import { open } from './charts/open.js';
import { percentiles } from './charts/percentiles.js';
import { bulk, http, recovery } from './charts/ranked.js';
import { rotation, rotationLooks } from './charts/rotation.js';
import { loadLooks, windows } from './charts/windows.js';
import { closedWithFloor } from './floor.js';
import { ownName } from './headline.js';
import type { Look } from './looks.js';
import type { Cell, Results } from './results.js';

export interface Section {
  readonly figure: Figure;
  /** What is in the legend: the systems, or the loads of a figure that has but one system. */
  readonly looks: readonly Look[];
  /** What this run found, with its figures. */
  readonly finding?: string;
  /** The scenario whose numbers follow; once for each. */
  readonly numbersOf?: string;
}

export function sectionsOf(results: Results, looks: ReadonlyMap<string, Look>): Section[] {
  const { closed: _, ...others } = results.scenarios;
  const closed = closedWithFloor(results);
  const systems = [...looks.values()];
  const sections: Section[] = [];
  const add = (figure: Figure | undefined, rest: Omit<Section, 'figure' | 'looks'>, own = systems): void => {
    if (figure !== undefined) sections.push({ figure, looks: own, ...rest });
  };
  const addOf = (name: string, draw: (cells: readonly Cell[]) => Figure | undefined, own?: Look[]): void => {
    const cells = others[name] ?? [];
    if (cells.length > 0) add(draw(cells), { numbersOf: name }, own);
  };

  const own = ownName(results);
  const finding = own === undefined ? undefined : groupSentence(closed, own);
  add(groupSize(closed, looks), finding === undefined ? {} : { finding });
  add(throughput(closed, looks), { numbersOf: 'closed' });
  add(latencyThroughput(closed, looks), {});
  add(percentiles(closed, looks), {});
  addOf('open', (cells) => open(cells, looks, closed));
  addOf('windows', windows, loadLooks(others.windows ?? []));
  addOf('rotation', rotation, rotationLooks(others.rotation ?? []));
  addOf('sizes', (cells) => sizes(cells, looks));
  addOf('bulk', (cells) => bulk(cells, looks));
  addOf('producers', (cells) => producers(cells, looks), threadLooks(others.producers ?? [], looks));
  addOf('http', (cells) => http(cells, looks));
  addOf('recovery', (cells) => recovery(cells, looks));
  add(cpu(closed, looks), {});
  return sections;
}

/** Scenarios that have no figure: their numbers are all there is to show. */
export function withoutFigure(results: Results, sections: readonly Section[]): string[] {
  const shown = new Set(sections.map(({ numbersOf }) => numbersOf));
  return Object.keys(results.scenarios).filter(
    (name) => !shown.has(name) && (results.scenarios[name] ?? []).length > 0,
  );
}
