/** collector: the metrics of one registry under one prefix, shared by the logs that are collected there. */
import type { Metric, Registry } from 'prom-client';
import { InvalidArgumentError } from '../index.js';
import { type Definition, definitions, type Sample, UP } from './definitions.js';
import type { Scraped, ScrapedLog } from './figures.js';

/** What is needed of a Registry, whichever format it writes. */
export type MetricRegistry = Pick<Registry, 'registerMetric' | 'getSingleMetric' | 'removeSingleMetric'>;

/** What prom-client asks a metric for. */
interface MetricObject {
  readonly name: string;
  readonly help: string;
  readonly type: Definition['type'];
  readonly aggregator: 'sum';
  readonly values: readonly Sample[];
}

/**
 * A metric whose values come from elsewhere. prom-client's own classes can't say what the engine has counted: a Counter
 * only counts up, and a Histogram takes single observations. Its registry takes whatever has `get`, and does so itself
 * with the metrics that it aggregates for a cluster.
 */
class CollectedMetric {
  readonly collector: Collector;
  /** Not readonly: an OpenMetrics registry takes the suffix off, and wants to find it taken off in `get`. */
  name: string;
  readonly type: Definition['type'];
  readonly help: string;
  /** For a cluster: a log is open in one process, so there is one value to sum. */
  readonly aggregator = 'sum';
  readonly #definition: Definition;

  constructor(collector: Collector, name: string, definition: Definition) {
    this.collector = collector;
    this.name = name;
    this.type = definition.type;
    this.help = definition.help;
    this.#definition = definition;
  }

  async get(): Promise<MetricObject> {
    const scraped = await this.collector.scrape();
    const { name, help, type, aggregator } = this;
    const values = scraped.flatMap((log) => this.#definition.samples(log, name));
    return { name, help, type, aggregator, values };
  }

  /** `registry.resetMetrics()` calls it. What the engine has counted stays. */
  reset(): void {}
}

const asMetric = (metric: CollectedMetric): Metric => metric as unknown as Metric;

export class Collector {
  readonly #registry: MetricRegistry;
  /** By their names in the registry. */
  readonly #metrics: ReadonlyMap<string, CollectedMetric>;
  readonly #logs = new Set<ScrapedLog>();
  #scraping: Promise<readonly Scraped[]> | undefined;

  /** The one of `registry` and `prefix`. Throws InvalidArgumentError when the names are others'. */
  static in(registry: MetricRegistry, prefix: string): Collector {
    // The registry is asked, as its owner may have cleared it.
    const registered: unknown = registry.getSingleMetric(prefix + UP);
    return registered instanceof CollectedMetric ? registered.collector : new Collector(registry, prefix);
  }

  private constructor(registry: MetricRegistry, prefix: string) {
    this.#registry = registry;
    this.#metrics = new Map(
      definitions.map((definition) => {
        const name = prefix + definition.name;
        return [name, new CollectedMetric(this, name, definition)];
      }),
    );
    for (const name of this.#metrics.keys()) {
      if (registry.getSingleMetric(name) !== undefined)
        throw new InvalidArgumentError(
          `The registry has a metric "${name}" of somebody else: give another "prefix", or another registry.`,
        );
    }
    for (const metric of this.#metrics.values()) registry.registerMetric(asMetric(metric));
  }

  /** A log of the same directory under the same labels gives way: it must have been closed before this one was opened. */
  add(log: ScrapedLog): void {
    const same = [...this.#logs].find((other) => isSame(other.labels, log.labels));
    if (same !== undefined && same.directory !== log.directory)
      throw new InvalidArgumentError(
        `The log in ${same.directory} is collected under these labels already: give each a label "log" of its own.`,
      );
    if (same !== undefined) this.#logs.delete(same);
    this.#logs.add(log);
  }

  remove(log: ScrapedLog): void {
    if (!this.#logs.delete(log) || this.#logs.size > 0) return;
    for (const [name, metric] of this.#metrics) {
      if (this.#registry.getSingleMetric(name) === asMetric(metric)) this.#registry.removeSingleMetric(name);
    }
  }

  /** A registry asks all metrics in one turn of the event loop; they share one question to each log. */
  scrape(): Promise<readonly Scraped[]> {
    this.#scraping ??= Promise.all([...this.#logs].map((log) => log.scrape())).finally(() => {
      this.#scraping = undefined;
    });
    return this.#scraping;
  }
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
