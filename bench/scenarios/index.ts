/** index: all scenarios, in the order in which they run: later ones may use what earlier ones measured. */
import { bulk } from './bulk.js';
import { closed } from './closed.js';
import { http } from './http.js';
import { limits } from './limits.js';
import { memory } from './memory.js';
import { open } from './open.js';
import { presets } from './presets.js';
import { producers } from './producers.js';
import { recovery } from './recovery.js';
import { rotation } from './rotation.js';
import type { Scenario } from './scenario.js';
import { sizes } from './sizes.js';
import { windows } from './windows.js';

/** What runs when nothing is asked for. */
export const USUAL: readonly Scenario[] = [
  ...[limits, closed, open, windows, sizes, producers, rotation, bulk, http, recovery],
];
/** Those that are run by name. */
export const ON_DEMAND: readonly Scenario[] = [presets, memory];
