/** headline: what a reader should know after ten seconds: the rates of a run, and how they stand to the best peer. */
import { groupOf, type Look } from './looks.js';
import type { Cell, Results } from './results.js';
import { alongAxis, ratioOf, type Spread, spreadOf, valuesOf } from './spread.js';

export interface Headline {
  readonly inFlight: number;
  readonly rate: Spread;
  readonly p50Us: number;
  readonly groupRecords?: number;
  /** The fastest of the peers that are as durable, and how many times its rate this is. */
  readonly best?: { readonly name: string; readonly ratio: Spread };
  readonly yardstick?: Spread;
}

const WANTED = [1, 100, 10_000];

/** Name of the system that the page is about: the first of ringwal's. */
export function ownName({ systems }: Results): string | undefined {
  return systems.find((system) => groupOf(system) === 'own' && system.lacking === undefined)?.name;
}

export function headlines(results: Results, looks: ReadonlyMap<string, Look>): Headline[] {
  const cells = results.scenarios.closed ?? [];
  const name = ownName(results);
  if (name === undefined) return [];
  return inFlightToShow(cells).flatMap((inFlight) => {
    const here = alongAxis(cells, 'inFlight').flatMap(({ x, cell }) => (x === inFlight ? [cell] : []));
    const own = here.find(({ system }) => system === name);
    return own === undefined ? [] : (headline(inFlight, own, here, looks) ?? []);
  });
}

/** 1, 100 and 10 000; what a run has of them, or else its least, middle and greatest. */
export function inFlightToShow(cells: readonly Cell[]): number[] {
  const values = valuesOf(cells, 'inFlight');
  const wanted = WANTED.filter((value) => values.includes(value));
  if (wanted.length === WANTED.length) return wanted;
  return [...new Set([values[0], values[values.length >> 1], values.at(-1)])].filter(
    (value) => value !== undefined,
  );
}

function headline(
  inFlight: number,
  own: Cell,
  here: readonly Cell[],
  looks: ReadonlyMap<string, Look>,
): Headline | undefined {
  const rate = rateOf(own);
  const p50 = spreadOf(own.rounds, (round) => round.latency.p50Us);
  if (rate === undefined || p50 === undefined) return undefined;
  const groupRecords = spreadOf(own.rounds, (round) => round.groupRecords)?.mid;
  const best = here
    .filter(({ system }) => looks.get(system)?.group === 'peer')
    .sort((a, b) => (rateOf(b)?.mid ?? 0) - (rateOf(a)?.mid ?? 0))[0];
  const bestRatio = best && ratioOf(own, best, ({ recordsPerSecond }) => recordsPerSecond);
  const yardstick = here.find(({ system }) => looks.get(system)?.group === 'yardstick');
  const yardstickRatio = yardstick && ratioOf(own, yardstick, ({ recordsPerSecond }) => recordsPerSecond);
  return {
    ...{ inFlight, rate, p50Us: p50.mid },
    ...(groupRecords === undefined ? {} : { groupRecords }),
    ...(best === undefined || bestRatio === undefined
      ? {}
      : { best: { name: best.system, ratio: bestRatio } }),
    ...(yardstickRatio === undefined ? {} : { yardstick: yardstickRatio }),
  };
}

function rateOf({ rounds }: Cell): Spread | undefined {
  return spreadOf(rounds, ({ recordsPerSecond }) => recordsPerSecond);
}
