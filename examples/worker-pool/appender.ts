/**
 * appender: a task of the pool: appends lines to the log that the main thread has open, through this thread's own ring.
 *
 * One handle serves one thread, and a pool does not say which of its threads gets a task: so the thread asks for its
 * handle, once, with its first task, and keeps its part in the log for as long as it lives. When the pool ends the thread, the I/O
 * worker notices, and writes what was published; what the thread was told of as durable is durable.
 */
import { once } from 'node:events';
import { MessageChannel, type MessagePort, parentPort } from 'node:worker_threads';
import { attachLog, type LogAppender, type LogHandle } from 'ringwal';

/** What a thread sends to the main thread: where its handle is to be sent. */
export interface HandleRequest {
  readonly handleWanted: MessagePort;
}

let attached: Promise<LogAppender> | undefined;

async function attach(): Promise<LogAppender> {
  const { port1, port2 } = new MessageChannel();
  parentPort?.postMessage({ handleWanted: port2 } satisfies HandleRequest, [port2]);
  const [handle] = (await once(port1, 'message')) as [LogHandle];
  return attachLog(handle);
}

/** Resolves with the LSNs of the lines once all of them are durable. */
export default async function appendLines(lines: readonly string[]): Promise<number[]> {
  attached ??= attach();
  const log = await attached;
  return Promise.all(lines.map((line) => log.append(line)));
}
