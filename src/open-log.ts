/** open-log: ways to a log: `openLog` starts its I/O worker, `attachLog` joins it from another thread. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { checkOptions } from './check-options.js';
import { type KeyCallback, keySource } from './codec/keys.js';
import { ControlChannel } from './control/calls.js';
import type { OpenerApi, WorkerInput } from './control/contract.js';
import { takeHandle } from './control/handle.js';
import { openChannel } from './diagnostics.js';
import { absoluteDirectory } from './directory-path.js';
import { ClosedError, InvalidArgumentError, IoError, WorkerDiedError } from './errors.js';
import { serveFreed } from './lifecycle/freed-hook.js';
import type { Log, LogAppender } from './log.js';
import { type LogOptions, resolveOptions } from './options.js';
import { CLOSED, DEAD, LogState } from './ring/log-state.js';
import { type LogHandle, LogThread } from './thread.js';
import { AttachedLog, OpenedLog } from './thread-log.js';

/**
 * Opens the log in directory `path`, creating both if need be, and recovers it.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_LOCKED when it is open elsewhere, RINGWAL_CORRUPT when
 * acknowledged data is damaged, RINGWAL_UNSUPPORTED_VERSION, RINGWAL_IO, also when its thread can't be started, and
 * RINGWAL_WORKER_DIED when that ends before the log is open. An open log does not keep the process running; pending
 * appends and calls do.
 */
export async function openLog(path: string, options?: LogOptions): Promise<Log> {
  const directory = absoluteDirectory(path);
  const resolved = resolveOptions(options);
  const encryption = options?.encryption;
  const keys = encryption && keySource(encryption.key);
  const encryptionKey = keys && { keyId: encryption.keyId, key: await keys(encryption.keyId) };
  const state = new LogState();
  const { port1, port2 } = new MessageChannel();
  const freedPort = serveFreed(options?.onSegmentFreed);
  const input: WorkerInput = {
    directory,
    options: resolved,
    state: state.buffer,
    encryptionKey,
    port: port2,
    freedPort,
  };
  const worker = startWorker(options?.workerUrl, input, freedPort ? [port2, freedPort] : [port2]);
  const control = new ControlChannel<OpenerApi>(port1, () => state.ring());
  let failure: unknown;
  let log: OpenedLog | undefined;
  worker.once('error', (error) => {
    failure = error;
  });
  worker.once('exit', (code) => {
    const cause = failure ?? (code === 0 ? undefined : new Error(`exit code ${code}`));
    if (log === undefined) control.fail(new WorkerDiedError(cause));
    else log.workerGone(cause);
  });
  try {
    const recovery = await control.call('open');
    const thread = await LogThread.join(control, await control.call('options'), keys);
    log = new OpenedLog(thread, recovery, () => worker.terminate(), keys);
    worker.unref();
    openChannel.publish({ directory: log.directory, recovery });
    return log;
  } catch (error) {
    await worker.terminate();
    control.close();
    throw error;
  }
}

function startWorker(url: URL | undefined, input: WorkerInput, ports: MessagePort[]): Worker {
  try {
    return new Worker(url ?? new URL('../workers/io-worker.js', import.meta.url), {
      name: 'ringwal-io',
      workerData: input,
      transferList: ports,
      execArgv: [], // the application's flags (--input-type, --import, --inspect-brk) are not meant for this thread
    });
  } catch (cause) {
    // No thread may be made (`node --permission`), or no more of them; or a bundle of CommonJS has no `import.meta.url`.
    for (const port of ports) port.close();
    throw new IoError(`Starting the I/O worker of the log in ${input.directory}`, cause);
  }
}

/**
 * Takes part in a log that another thread opened, through a handle from its `handle()`. Appends from here go
 * through a ring of their own, at full speed. `close` it when done; when the thread ends without, its part ends
 * with it, and what it had published is still written.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT when `handle` is none or was used, and with RINGWAL_CLOSED when the log is
 * closed, RINGWAL_WORKER_DIED when it ended without.
 */
export async function attachLog(handle: LogHandle, options: AttachOptions = {}): Promise<LogAppender> {
  const { key } = checkAttachOptions(options);
  const { port, terms } = takeHandle(handle);
  const state = new LogState(terms.state);
  const control = new ControlChannel<OpenerApi>(port, () => state.ring());
  let log: AttachedLog | undefined;
  port.once('close', () => {
    // The worker closes its end when the log is closed, and the system closes it when the worker dies.
    if (log === undefined) control.fail(new ClosedError());
    else log.workerGone();
  });
  port.ref();
  try {
    if (state.state === CLOSED || state.state === DEAD) throw state.refusal();
    log = new AttachedLog(await LogThread.join(control, terms, key && keySource(key)));
    return log;
  } catch (error) {
    control.close();
    throw error;
  } finally {
    port.unref();
  }
}

/** Options of `attachLog`. */
export interface AttachOptions {
  /** Gives the keys for reading a log that is encrypted, as `encryption.key` of `openLog`; appending needs none. */
  readonly key?: KeyCallback;
}

const attachOptions = new Set<string>(['key'] satisfies (keyof AttachOptions)[]);

function checkAttachOptions(options: AttachOptions): AttachOptions {
  checkOptions('attachLog', options, attachOptions);
  if (options.key !== undefined && typeof options.key !== 'function')
    throw new InvalidArgumentError('Option "key" of attachLog must be a function.');
  return options;
}
