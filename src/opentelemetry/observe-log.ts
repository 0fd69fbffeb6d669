/** observe-log: observes a log with the instruments of a meter, until it is told to stop. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Attributes, type BatchObservableCallback, type Meter, ValueType } from '@opentelemetry/api';
import { checkOptions, isOptions } from '../check-options.js';
import { InvalidArgumentError, type LogStats, type OpenMessage } from '../index.js';
import { recordGroups } from './group-histograms.js';
import { createInstruments, type Figures, type ObservedLog } from './instruments.js';

/** Options of `observeLog`. */
export interface ObserveOptions {
  /** Of all measurements of this log. `ringwal.log` tells logs apart; it is the directory unless given here. */
  attributes?: Attributes;
}

const known = new Set<string>(['attributes'] satisfies (keyof ObserveOptions)[]);

/** The logs that each meter observes, by their attributes. */
const observations = new WeakMap<
  Meter,
  Map<string, { readonly directory: string; readonly stop: () => void }>
>();

/** Ends the observation. May be called more than once, and is what `using` calls. */
export interface StopObserving extends Disposable {
  (): void;
}

/**
 * Observes `log` with instruments of `meter`; docs/OBSERVABILITY.md has all of them. Counters and gauges come from one
 * `stats()` a collection, and cover all threads. The histograms are recorded group by group, and cover the groups that
 * had records of the thread that calls this. A log that is closed or has died never fails a collection: `ringwal.up` is 0,
 * and nothing else is observed, until it is stopped or its directory is opened again on this thread, which stops it. So does
 * observing the directory again, with the same meter and attributes: nothing is counted twice.
 *
 * Throws RINGWAL_INVALID_ARGUMENT for what is no log, no meter, or an unknown option, and when another log is observed with
 * this meter under the same attributes.
 */
export function observeLog(log: ObservedLog, meter: Meter, options: ObserveOptions = {}): StopObserving {
  if (typeof log?.stats !== 'function')
    throw new InvalidArgumentError('The first argument must be an open log, of openLog or attachLog.');
  if (typeof meter?.addBatchObservableCallback !== 'function')
    throw new InvalidArgumentError('The second argument must be a Meter, of `metrics.getMeter(name)`.');
  checkOptions('observeLog', options, known);
  if (options.attributes !== undefined && !isOptions(options.attributes))
    throw new InvalidArgumentError('Option "attributes" must be a plain object.');
  const attributes: Attributes = { 'ringwal.log': log.directory, ...options.attributes };
  const others = observations.get(meter) ?? new Map();
  observations.set(meter, others);
  const key = JSON.stringify(Object.entries(attributes).sort());
  const same = others.get(key);
  if (same !== undefined && same.directory !== log.directory)
    throw new InvalidArgumentError(
      `The log in ${same.directory} is observed with these attributes already: give each a "ringwal.log" of its own.`,
    );
  same?.stop();
  const instruments = createInstruments(meter);
  const up = meter.createObservableGauge('ringwal.up', {
    unit: '1',
    description:
      'Whether the log takes appends: 0 when it is closed, its I/O worker died, or a write failed.',
    valueType: ValueType.INT,
  });
  const ask = shared(() => log.stats());
  const observe: BatchObservableCallback = async (result) => {
    let figures: Figures;
    try {
      figures = { ...(await ask()), checkpointLsn: log.checkpointLsn };
    } catch {
      result.observe(up, 0, attributes);
      return;
    }
    result.observe(up, figures.ioErrors === 0 ? 1 : 0, attributes);
    for (const [definition, instrument] of instruments) {
      const own = definition.attributesOf?.(figures);
      result.observe(instrument, definition.valueOf(figures), own ? { ...own, ...attributes } : attributes);
    }
  };
  const observed = [up, ...instruments.values()];
  meter.addBatchObservableCallback(observe, observed);
  const stopRecording = recordGroups(meter, log.directory, attributes);

  // Who opens the directory again has closed this log, and two would say different things about the same.
  const opened = (message: unknown): void => {
    if ((message as OpenMessage).directory === log.directory) stop();
  };
  subscribe('ringwal:open', opened);
  const stop = (): void => {
    if (others.get(key)?.stop === stop) others.delete(key);
    unsubscribe('ringwal:open', opened);
    stopRecording();
    meter.removeBatchObservableCallback(observe, observed);
  };
  others.set(key, { directory: log.directory, stop });
  return Object.assign(stop, { [Symbol.dispose]: stop });
}

/** Asks again only after the last answer: a worker that hangs in a sync has one question to answer, not many. */
function shared(question: () => Promise<LogStats>): () => Promise<LogStats> {
  let asked: Promise<LogStats> | undefined;
  return () => {
    asked ??= question().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
