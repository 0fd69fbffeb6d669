/**
 * handle: makes and takes the ports by which a log is passed on to another thread.
 *
 * The maker posts a greeting through its end before that end goes to the I/O worker. It lies in the handle's own
 * queue, travels with it, and is read without waiting: so a port that is no handle, or one that was used, is told
 * from a handle at once, whatever the worker is busy with, and a log that has ended is known by its shared state.
 */
import { MessageChannel, MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { InvalidArgumentError } from '../errors.js';
import type { LogTerms } from './contract.js';

interface Greeting {
  readonly greeting: 'ringwal';
  readonly terms: LogTerms;
}

/** A new handle, and the end of it that the I/O worker is to adopt. */
export function makeHandle(terms: LogTerms): { handle: MessagePort; workerEnd: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const greeting: Greeting = { greeting: 'ringwal', terms };
  port2.postMessage(greeting);
  return { handle: port1, workerEnd: port2 };
}

/** The control port behind a handle, and what its log's threads share. The handle can't be used any more. */
export function takeHandle(handle: unknown): { port: MessagePort; terms: LogTerms } {
  if (!(handle instanceof MessagePort)) {
    throw new InvalidArgumentError('A handle is what log.handle() returned, passed on in a transfer list.');
  }
  let port: MessagePort;
  try {
    // A transfer to ourselves: it fails if the port was used or passed on, and nobody else holds the new one.
    // (To receive from a port that was transferred would crash Node 20.)
    port = structuredClone(handle, { transfer: [handle] });
  } catch {
    throw new InvalidArgumentError('The handle was used, closed or passed on: one serves one attachLog.');
  }
  const received: { message: unknown } | undefined = receiveMessageOnPort(port);
  if (!isGreeting(received?.message)) {
    port.close();
    throw new InvalidArgumentError('The port is not a handle that log.handle() returned.');
  }
  return { port, terms: received.message.terms };
}

function isGreeting(message: unknown): message is Greeting {
  return (
    typeof message === 'object' && message !== null && 'greeting' in message && message.greeting === 'ringwal'
  );
}
