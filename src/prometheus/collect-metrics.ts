/** collect-metrics: puts a log's metrics into a registry, and takes them out. */
import { register } from 'prom-client';
import { checkOptions, isOptions } from '../check-options.js';
import { shown } from '../errors.js';
import { InvalidArgumentError } from '../index.js';
import { Collector, type MetricRegistry } from './collector.js';
import { type ObservedLog, ScrapedLog } from './figures.js';

/** Options of `collectMetrics`. All are optional. */
export interface CollectOptions {
  /** Where the metrics go: a Registry of prom-client, of either format. Default: its global `register`. */
  registry?: MetricRegistry;
  /** What all names begin with: letters, digits, `_` and `:`, not a digit first. Default `ringwal_`. */
  prefix?: string;
  /**
   * Labels of all series of this log. Label `log` tells the logs of one registry apart; it is the directory unless given
   * here. Default: none but that.
   */
  labels?: Readonly<Record<string, string>>;
  /**
   * How long a scrape waits for the log, in milliseconds, before it goes on without it: while a sync hangs, the I/O
   * worker answers nothing. Default 2000; 1 to 60 000.
   */
  timeoutMs?: number;
}

/** Takes the metrics of the log out of the registry. May be called more than once, and is what `using` calls. */
export interface StopCollecting extends Disposable {
  (): void;
}

const known = new Set<string>([
  'registry',
  'prefix',
  'labels',
  'timeoutMs',
] satisfies (keyof CollectOptions)[]);

/** Labels that the exposition, or the collector, gives a meaning of their own. */
const RESERVED = ['le', 'quantile', 'sync_mode'];

/**
 * Exports what `log` does as metrics of prom-client; docs/OBSERVABILITY.md has all of them. The log is asked, with one
 * `stats()`, when the registry is scraped; in between this costs nothing. Several logs may be in one registry. A log that
 * is closed or has died never fails a scrape: `ringwal_up` is 0, and its other series are gone, until it is taken out
 * or a log of the same directory is collected in its place.
 *
 * Throws RINGWAL_INVALID_ARGUMENT for an option that is out of range, when the registry has metrics of these names from
 * elsewhere, and when another log has the same labels; nothing is registered then.
 */
export function collectMetrics(log: ObservedLog, options: CollectOptions = {}): StopCollecting {
  if (typeof log?.stats !== 'function')
    throw new InvalidArgumentError('The first argument must be an open log, of openLog or attachLog.');
  checkOptions('collectMetrics', options, known);
  const { registry = register, prefix = 'ringwal_', labels = {}, timeoutMs = 2000 } = options;
  if (typeof registry?.registerMetric !== 'function')
    throw new InvalidArgumentError('Option "registry" must be a Registry of prom-client.');
  if (typeof prefix !== 'string' || !/^[A-Za-z_:][A-Za-z0-9_:]*$/.test(prefix))
    throw new InvalidArgumentError(
      `Option "prefix" must be letters, digits, "_" and ":", not a digit first, not ${shown(prefix)}.`,
    );
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 60_000)
    throw new InvalidArgumentError(
      `Option "timeoutMs" must be an integer from 1 to 60000, not ${shown(timeoutMs)}.`,
    );
  checkLabels(labels);

  const scraped = new ScrapedLog(log, { log: log.directory, ...labels }, timeoutMs);
  const collector = Collector.in(registry, prefix);
  collector.add(scraped);
  const stop = (): void => collector.remove(scraped);
  return Object.assign(stop, { [Symbol.dispose]: stop });
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  if (!isOptions(labels)) throw new InvalidArgumentError('Option "labels" must be a plain object.');
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('__') || RESERVED.includes(name))
      throw new InvalidArgumentError(
        `Option "labels" has a name that is no label's or has a meaning of its own: ${JSON.stringify(name)}.`,
      );
    if (typeof value !== 'string')
      throw new InvalidArgumentError(`Label "${name}" must be a string, not ${shown(value)}.`);
  }
}
