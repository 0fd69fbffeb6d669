/** tellers: runs tellers in threads of their own on one log, and adds up what they report. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Log } from 'ringwal';
import type { TellerJob, TellerReport } from './teller.js';

/** `job`: what each of the `threads` does. Rejects when one of them fails. */
export async function runTellers(
  log: Log,
  threads: number,
  job: Omit<TellerJob, 'handle'>,
): Promise<TellerReport> {
  const tellers = await Promise.all(
    Array.from({ length: threads }, async () => {
      const handle = log.handle();
      const worker = new Worker(new URL('./teller.js', import.meta.url), {
        workerData: { ...job, handle },
        transferList: [handle],
      });
      await once(worker, 'message'); // ready; an 'error' of the worker rejects it
      return worker;
    }),
  );
  const reports = await Promise.all(
    tellers.map(async (worker) => {
      worker.postMessage('go');
      const [report] = (await once(worker, 'message')) as [TellerReport];
      return report;
    }),
  );
  const sum = (field: keyof TellerReport): number =>
    reports.reduce((total, report) => total + report[field], 0);
  return {
    deposited: sum('deposited'),
    withdrawn: sum('withdrawn'),
    refused: sum('refused'),
    conflicts: sum('conflicts'),
  };
}
