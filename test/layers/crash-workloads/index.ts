/** crash-workloads: what the engine does while it is stopped at every change; see engine-sweep. */
import type { Workload } from '../../support/engine-sweep.js';
import { appends } from './appends.js';
import { failures } from './failures.js';
import { segments } from './segments.js';
import { spans } from './spans.js';

export const WORKLOADS: readonly Workload[] = [...appends, ...segments, ...spans, ...failures];
