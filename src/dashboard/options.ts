/** options: what can be said about the page's server, and what of it is out of range. */
import { checkOptions } from '../check-options.js';
import { shown } from '../errors.js';
import { InvalidArgumentError } from '../index.js';

/** Options of `serveDashboard`. All are optional. */
export interface DashboardOptions {
  /**
   * TCP port, 0 to 65 535. Default 0, which is any that is free, so that it never fails for another process's sake; `url` tells
   * which it is.
   */
  port?: number;
  /**
   * Address or name to listen on. Default `127.0.0.1`: this machine only. Whoever reaches another one sees the page;
   * there is no login.
   */
  host?: string;
  /** How often the log is asked while somebody looks, milliseconds: 100 to 60 000. Default 500. */
  intervalMs?: number;
}

const known = new Set<string>(['port', 'host', 'intervalMs'] satisfies (keyof DashboardOptions)[]);

/** Throws RINGWAL_INVALID_ARGUMENT. */
export function resolveOptions(options: DashboardOptions): Required<DashboardOptions> {
  checkOptions('serveDashboard', options, known);
  const { port = 0, host = '127.0.0.1', intervalMs = 500 } = options;
  checkInteger('port', port, 0, 65_535);
  checkInteger('intervalMs', intervalMs, 100, 60_000);
  if (typeof host !== 'string' || host === '')
    throw new InvalidArgumentError(`Option "host" must be an address or a name, not ${shown(host)}.`);
  return { port, host, intervalMs };
}

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(
      `Option "${name}" must be an integer from ${least} to ${most}, not ${shown(value)}.`,
    );
}
