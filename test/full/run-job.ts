/** run-job: starts one part of one layer in a process of its own, and tells how it ended. */
import { type ChildProcess, fork } from 'node:child_process';
import type { JobInput, JobMessage } from './job.js';

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

const JOB = new URL('./job.js', import.meta.url);

/**
 * Resolves with `done` or `failed`; a process that ends without an answer, or not within `mostMs`, has failed too. `job`:
 * whose job.js to run.
 */
export function runJob(
  input: JobInput,
  progress: (text: string) => void = () => {},
  job: URL | string = JOB,
  mostMs = 3_600_000,
): Promise<Exclude<JobMessage, { kind: 'progress' }>> {
  const child = fork(job, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.add(child);
  return new Promise((resolve) => {
    child.on('message', (message: JobMessage) => {
      if (message.kind === 'progress') progress(message.text);
      else resolve(message);
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), mostMs);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ kind: 'failed', error: `its process ended without an answer (${signal ?? code})` });
    });
    child.once('error', (error) => resolve({ kind: 'failed', error: `its process: ${error.message}` }));
    child.send(input);
  });
}
