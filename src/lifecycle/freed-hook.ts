/** freed-hook: the opener's end of option `onSegmentFreed`: has the I/O worker call it. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { serve } from '../control/calls.js';
import type { FreedApi, FreedSegment } from '../control/contract.js';

/** Option `onSegmentFreed`; what it rejects with is counted, and the segment comes again. */
export type OnSegmentFreed = (segment: FreedSegment) => Promise<void> | void;

/** The port through which the worker calls `hook`; undefined without one. Keeps no process alive. */
export function serveFreed(hook: OnSegmentFreed | undefined): MessagePort | undefined {
  if (hook === undefined) return undefined;
  const { port1, port2 } = new MessageChannel();
  const api: FreedApi = { freed: async (segment) => hook(segment) };
  serve(port1, api);
  port1.unref();
  return port2;
}
