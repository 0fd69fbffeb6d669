/** corruption-mutants: every way in which the layer `corruption` damages a log, each mutant a number of its kind. */
import { must } from '../support/must.js';
import type { Prng } from '../support/prng.js';
import { SECTOR_BYTES } from '../support/sim-sector.js';
import { type DamagedLog, groupsOf } from './corruption-logs.js';

export interface Mutant {
  readonly what: string;
  readonly log: DamagedLog;
  readonly files: Map<string, Uint8Array>;
  /** How many things were damaged: a proof and what it proves may be gone together when it is more than one. */
  readonly faults: number;
  /** It has groups of the log's twin, which has its salts: what saves the most of it can't tell them from its own. */
  readonly isForged: boolean;
  /** A whole sector was damaged: the last group's header may be gone with the end of the group that it proves. */
  readonly isSector: boolean;
}

export interface MutantKind {
  /** As in the layer's targets. */
  readonly name: string;
  readonly count: number;
  make(index: number, prng: Prng): Mutant;
}

interface Place {
  readonly log: DamagedLog;
  readonly name: string;
  readonly at: number;
}

/** Maps numbers to the bytes of logs, one file after the other. */
class Bytes {
  readonly #parts: { readonly log: DamagedLog; readonly name: string; readonly from: number }[] = [];
  readonly total: number;

  /** `unit`: how many bytes count as one; a file's last unit may be shorter. `spares`: also of files not used yet. */
  constructor(logs: readonly DamagedLog[], unit = 1, spares = true) {
    let total = 0;
    for (const log of logs) {
      const spare = [...log.files.keys()].at(-1);
      for (const [name, { length }] of log.files) {
        if (name === spare && !spares) continue;
        this.#parts.push({ log, name, from: total });
        total += Math.ceil(length / unit);
      }
    }
    this.total = total;
  }

  place(index: number): Place {
    const { log, name, from } = must(this.#parts.findLast((part) => part.from <= index));
    return { log, name, at: index - from };
  }
}

type Change = (bytes: Uint8Array) => Uint8Array;

function changed({ log, name, at }: Place, how: string, change: Change): Mutant {
  const bytes = change(must(log.files.get(name), name).slice());
  return {
    what: `${log.name}: ${name} at ${at} ${how}`,
    log,
    files: new Map(log.files).set(name, bytes),
    faults: 1,
    isForged: false,
    isSector: false,
  };
}

function set(at: number, value: (old: number) => number): Change {
  return (bytes) => {
    bytes[at] = value(bytes[at] ?? 0);
    return bytes;
  };
}

function sector(place: Place, how: string, prng: Prng, twin: ReadonlyMap<string, Uint8Array>): Mutant {
  const start = place.at * SECTOR_BYTES;
  const { log, name } = place;
  const whole = must(log.files.get(name));
  const end = Math.min(start + SECTOR_BYTES, whole.length);
  const other = prng.below(Math.max(1, Math.floor(whole.length / SECTOR_BYTES))) * SECTOR_BYTES;
  const own = [...log.files.values()];
  const from = prng.pick(log.isClosed && log.name === 'closed' ? [...own, ...twin.values()] : own);
  const mutant = changed({ log, name, at: start }, how, (bytes) => {
    if (how === 'zeroed') bytes.fill(0, start, end);
    else if (how === 'garbage') bytes.set(prng.bytes(end - start), start);
    else if (how === 'stale') bytes.set(from.subarray(start, Math.min(end, from.length)), start);
    else {
      bytes.copyWithin(start, other, Math.min(other + SECTOR_BYTES, whole.length));
      bytes.set(whole.subarray(start, Math.min(end, start + whole.length - other)), other);
    }
    return bytes;
  });
  return { ...mutant, isForged: how === 'stale' && !own.includes(from), isSector: true };
}

function files(log: DamagedLog, how: number, names: readonly string[], a: number, b: number): Mutant {
  const name = must(names[a]);
  const other = must(names[b]);
  const mutant = new Map(log.files);
  if (how === 0) mutant.delete(name);
  else if (how === 1) mutant.set(name, must(log.files.get(other)));
  else mutant.set(name, must(log.files.get(other))).set(other, must(log.files.get(name)));
  const what = ['deleted', `a copy of ${other}`, `swapped with ${other}`][how];
  return {
    what: `${log.name}: ${name} ${what}`,
    log,
    files: mutant,
    faults: 1,
    isForged: false,
    isSector: false,
  };
}

/** `twin`: the first log's files as they would be, had other records been appended. */
export function mutantKinds(
  logs: readonly DamagedLog[],
  twin: ReadonlyMap<string, Uint8Array>,
): MutantKind[] {
  const [closed, ...others] = logs as [DamagedLog, ...DamagedLog[]];
  const crashed = must(others[0]);
  const ofClosed = new Bytes([closed], 1, false);
  const ofCrashed = new Bytes([crashed], 1, false);
  const everywhere = new Bytes(logs);
  const sectors = new Bytes(logs, SECTOR_BYTES);
  const cuts = new Bytes([closed, crashed]);
  const rewrites: readonly [string, (prng: Prng) => number][] = [
    ['to 00', () => 0],
    ['to ff', () => 0xff],
    ['to a random value', (prng) => prng.below(256)],
  ];
  const kinds: MutantKind[] = [
    {
      name: 'bits',
      count: 8 * ofClosed.total,
      make: (index) => {
        const place = ofClosed.place(index >> 3);
        return changed(
          place,
          `bit ${index & 7}`,
          set(place.at, (old) => old ^ (1 << (index & 7))),
        );
      },
    },
    {
      name: 'bytes',
      count: 3 * ofCrashed.total,
      make: (index, prng) => {
        const place = ofCrashed.place(Math.floor(index / 3));
        const [how, value] = must(rewrites[index % 3]);
        return changed(
          place,
          how,
          set(place.at, () => value(prng)),
        );
      },
    },
    {
      name: 'bits of other logs',
      count: 40_000,
      make: (_, prng) => {
        const place = everywhere.place(prng.below(everywhere.total));
        const bit = prng.below(8);
        return changed(
          place,
          `bit ${bit}`,
          set(place.at, (old) => old ^ (1 << bit)),
        );
      },
    },
    {
      name: 'truncations',
      count: cuts.total,
      make: (index) => {
        const place = cuts.place(index);
        return changed(place, 'cut', (bytes) => bytes.subarray(0, place.at));
      },
    },
    {
      name: 'sectors',
      count: 16 * sectors.total,
      make: (index, prng) =>
        sector(
          sectors.place(index >> 4),
          must(['zeroed', 'stale', 'swapped', 'garbage'][index & 3]),
          prng,
          twin,
        ),
    },
  ];
  const groups = [...closed.files].slice(0, -1).flatMap(([name, bytes]) => {
    const other = must(twin.get(name));
    return groupsOf(bytes).flatMap(({ at, end }) =>
      Buffer.compare(bytes.subarray(at, end), other.subarray(at, end)) === 0 ? [] : [{ name, at, end }],
    );
  });
  kinds.push({
    name: 'groups of a twin',
    count: groups.length,
    make: (index) => {
      const { name, at, end } = must(groups[index]);
      const mutant = changed(
        { log: closed, name, at },
        'has the group of another log with its salt',
        (bytes) => {
          bytes.set(must(twin.get(name)).subarray(at, end), at);
          return bytes;
        },
      );
      return { ...mutant, isForged: true };
    },
  });
  const pairs = logs.flatMap((log) => {
    const names = [...log.files.keys()];
    return [0, 1, 2].flatMap((how) =>
      names.flatMap((_, a) =>
        names
          .map((_, b) => ({ log, how, names, a, b }))
          .filter(({ b }) => (how === 0 ? b === a : how === 1 ? b !== a : b > a)),
      ),
    );
  });
  kinds.push({
    name: 'files',
    count: pairs.length,
    make: (index) => {
      const { log, how, names, a, b } = must(pairs[index]);
      return files(log, how, names, a, b);
    },
  });
  const single = [...kinds];
  kinds.push({
    name: 'double faults',
    count: 100_000,
    make: (_, prng) => {
      for (;;) {
        const one = prng.pick(single);
        const first = one.make(prng.below(one.count), prng);
        // The second damage is done to what the first one left.
        const left = { ...first.log, files: first.files };
        if (left.files.size === 0) continue;
        const names = [...left.files].filter(([, bytes]) => bytes.length > 0).map(([name]) => name);
        const name = prng.pick(names);
        const { length } = must(left.files.get(name));
        const place = { log: left, name, at: prng.below(length) };
        const second = prng.chance(0.5)
          ? sector(
              { ...place, at: Math.floor(place.at / SECTOR_BYTES) },
              prng.pick(['zeroed', 'garbage', 'stale']),
              prng,
              twin,
            )
          : changed(
              place,
              'flipped',
              set(place.at, (old) => old ^ (1 << prng.below(8))),
            );
        return {
          what: `${first.what}; ${second.what}`,
          log: first.log,
          files: second.files,
          faults: 2,
          isForged: first.isForged || second.isForged,
          isSector: true,
        };
      }
    },
  });
  return kinds;
}
