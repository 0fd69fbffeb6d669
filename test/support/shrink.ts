/**
 * shrink: makes a scenario that fails as small as it can be while it still fails in the same way: leaves actions out,
 * many at a time and then one by one, and sets what is left to its simplest value.
 */
import type { Action, Scenario } from './scenario.js';

/** What went wrong with a scenario; undefined: nothing. */
export type Trial = (scenario: Scenario) => Promise<unknown>;

export interface Shrunk {
  readonly scenario: Scenario;
  readonly error: unknown;
  readonly trials: number;
}

/** Names a failure, so that another one is not taken for it: its first line, without the numbers. */
export function kindOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const rule = text.match(/\b([AO]\d): /)?.[1];
  return rule ?? (text.split('\n')[0] ?? '').replace(/[\d.]+/g, '#').slice(0, 60);
}

/** `scenario` fails with `error`; tries up to `most` smaller ones. */
export async function shrink(scenario: Scenario, error: unknown, trial: Trial, most = 400): Promise<Shrunk> {
  const kind = kindOf(error);
  let best: Shrunk = { scenario, error, trials: 0 };
  let trials = 0;
  const fails = async (smaller: Scenario): Promise<boolean> => {
    if (trials >= most) return false;
    trials++;
    const found = await trial(smaller);
    if (found === undefined || kindOf(found) !== kind) return false;
    best = { scenario: smaller, error: found, trials };
    return true;
  };
  const withActions = (actions: readonly Action[]): Scenario => ({ ...best.scenario, actions });
  for (let before = Number.POSITIVE_INFINITY; best.scenario.actions.length < before && trials < most; ) {
    before = best.scenario.actions.length;
    for (let size = Math.ceil(before / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      // From the end: what comes last is what matters least before the failure, and most after it.
      for (let end = best.scenario.actions.length; end > 0; end -= size) {
        const { actions } = best.scenario;
        await fails(withActions([...actions.slice(0, Math.max(0, end - size)), ...actions.slice(end)]));
      }
    }
  }
  for (const simpler of simplerSettings(best.scenario)) await fails({ ...best.scenario, ...simpler });
  for (const name of Object.keys(best.scenario.options)) {
    const { [name as keyof Scenario['options']]: _, ...options } = best.scenario.options;
    await fails({ ...best.scenario, options });
  }
  for (let i = 0; i < best.scenario.actions.length; i++) {
    for (const simpler of simplerActions(best.scenario.actions[i] as Action))
      await fails(withActions(best.scenario.actions.map((action, at) => (at === i ? simpler : action))));
  }
  return { ...best, trials };
}

function simplerSettings(scenario: Scenario): Partial<Scenario>[] {
  const plain: Partial<Scenario> = {
    firstLsn: 1,
    firstSegment: 1,
    ringCount: 0,
    failedSync: 'lost',
    tearsToZeros: false,
    tearsToGarbage: false,
    tearsPages: false,
  };
  return Object.entries(plain)
    .filter(([name, value]) => scenario[name as keyof Scenario] !== value)
    .map(([name, value]) => ({ [name]: value }));
}

function simplerActions(action: Action): Action[] {
  if (action.do === 'append') {
    const { do: _, producer, bytes } = action;
    return [
      { do: 'append', producer: 0, bytes: [5] },
      { do: 'append', producer, bytes: [5] },
      { ...action, bytes: bytes.map(() => 5) },
      { ...action, producer: 0 },
    ];
  }
  if (action.do === 'crash')
    return [
      { ...action, nth: 0, seed: 0 },
      { ...action, seed: 0 },
      { ...action, power: false },
    ];
  if (action.do === 'finish')
    return [
      { ...action, count: 1, seed: 0 },
      { ...action, seed: 0 },
    ];
  if (action.do === 'rest' || action.do === 'close') return [{ ...action, seed: 0 }];
  return 'producer' in action && action.producer !== 0 ? [{ ...action, producer: 0 }] : [];
}
