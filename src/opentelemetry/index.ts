/** index: `ringwal/opentelemetry`: what logs do, as OpenTelemetry metrics. */

export type { ObservedLog } from './instruments.js';
export { type ObserveOptions, observeLog, type StopObserving } from './observe-log.js';
