/** index: `ringwal/prometheus`: what logs do, as metrics in a registry of prom-client. */
export { type CollectOptions, collectMetrics, type StopCollecting } from './collect-metrics.js';
export type { MetricRegistry } from './collector.js';
export type { ObservedLog } from './figures.js';
