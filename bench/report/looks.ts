/**
 * looks: how each system is drawn, everywhere the same: variants of one store share its colour, and its mark, the second
 * one hollow; limits are grey and dotted; what promises less is dashed.
 */
import { PEER_COLOURS, type Theme } from './page/theme.js';
import type { Results, SystemReport } from './results.js';

export type Group = 'own' | 'limit' | 'yardstick' | 'peer' | 'weaker';

export interface Look {
  readonly name: string;
  readonly group: Group;
  readonly colour: keyof Theme;
  readonly dash: 'solid' | 'dashed' | 'dotted';
  readonly width: number;
  /** Outline of the mark, as an SVG path in a square of 10. */
  readonly mark: string;
  readonly isHollow: boolean;
  /** Left out until it is asked for: the presets of ringwal lie almost on one line. */
  readonly isHidden: boolean;
}

const CIRCLE = 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z';
const SQUARE = 'M1 1H9V9H1Z';
const MARKS = [
  SQUARE,
  'M5 0.5L10 9.5H0Z',
  'M5 0L10 5L5 10L0 5Z',
  'M5 9.5L10 0.5H0Z',
  'M3.3 0H6.7V3.3H10V6.7H6.7V10H3.3V6.7H0V3.3H3.3Z',
  'M0.5 5L9.5 0V10Z',
  'M2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5L0 2Z',
  'M5 0L10 3.8L8.1 10H1.9L0 3.8Z',
];

/** Peers whose disk saw fewer syncs than they made appends: what they call durable is not. */
export function doesNotSync({ role, syncs }: SystemReport): boolean {
  return role !== 'limit' && syncs !== undefined && syncs.syncs < syncs.appends;
}

export function groupOf(system: SystemReport): Group {
  return system.role === 'peer' && doesNotSync(system) ? 'weaker' : system.role;
}

/** In the order of legends. */
export const GROUPS: readonly Group[] = ['own', 'yardstick', 'peer', 'limit', 'weaker'];

/** Of all systems of the run, also those that only a scenario knows ("no durability" of the HTTP server: a limit). */
export function looksOf(results: Results): Map<string, Look> {
  const known = new Set(results.systems.map(({ name }) => name));
  const others = new Set(
    Object.values(results.scenarios).flatMap((cells) => cells.map(({ system }) => system)),
  );
  const limits = [...others]
    .filter((name) => !known.has(name))
    .map((name): SystemReport => ({ name, what: '', role: 'limit' }));
  const looks = new Map<string, Look>();
  const families: string[] = [];
  const drawn = { own: 0, limit: 0 };
  for (const system of [...results.systems, ...limits]) {
    const group = groupOf(system);
    if (group === 'own') looks.set(system.name, ownLook(system.name, drawn.own++));
    else if (group === 'limit') looks.set(system.name, limitLook(system.name, drawn.limit++));
    else if (group === 'yardstick') looks.set(system.name, yardstickLook(system.name));
    else looks.set(system.name, peerLook(system.name, group, families, looks));
  }
  return looks;
}

function ownLook(name: string, index: number): Look {
  const isFirst = index === 0;
  return {
    ...{ name, group: 'own', dash: 'solid', isHollow: false },
    colour: isFirst ? 'accent' : 'accentSoft',
    width: isFirst ? 3.5 : 1.75,
    mark: isFirst ? CIRCLE : (MARKS[(index - 1) % MARKS.length] ?? SQUARE),
    isHidden: !isFirst,
  };
}

function limitLook(name: string, index: number): Look {
  return {
    ...{ name, group: 'limit', dash: 'dotted', colour: 'limit', width: 1.75 },
    ...{ mark: [CIRCLE, ...MARKS][index % MARKS.length] ?? CIRCLE, isHollow: true, isHidden: false },
  };
}

function yardstickLook(name: string): Look {
  return {
    ...{ name, group: 'yardstick', dash: 'solid', colour: 'yardstick', width: 2 },
    ...{ mark: SQUARE, isHollow: false, isHidden: false },
  };
}

function peerLook(name: string, group: Group, families: string[], looks: Map<string, Look>): Look {
  const family = familyOf(name);
  if (!families.includes(family)) families.push(family);
  const index = families.indexOf(family);
  const siblings = [...looks.values()].filter(
    (other) => ['peer', 'weaker'].includes(other.group) && familyOf(other.name) === family,
  ).length;
  return {
    ...{ name, group, width: 1.75, isHidden: false },
    colour: `p${index % PEER_COLOURS}` as keyof Theme,
    dash: group === 'weaker' ? 'dashed' : 'solid',
    // One mark further for each time that all colours are used up, and for a third variant.
    mark: MARKS[(index + 1 + Math.floor(index / PEER_COLOURS) + (siblings >> 1)) % MARKS.length] ?? SQUARE,
    isHollow: siblings % 2 === 1,
  };
}

/** The store of "lmdb, plain" and "lmdb (flushed)". */
export function familyOf(name: string): string {
  return name.toLowerCase().split(/[\s,(]+/)[0] ?? name;
}
