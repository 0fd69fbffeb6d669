/** tell: answers a connection to the lock's socket that asks how the log is doing; the I/O worker's side. */
import type { Socket } from 'node:net';
import { describe } from '../errors.js';
import { ASK, type LiveAnswer, type LiveStats } from './contract.js';

/** Who says nothing for so long is cut off. */
const PATIENCE_MS = 1000;

/** Nobody's connection keeps the worker alive, and none that goes wrong does it any harm. */
export function tell(socket: Socket, stats: () => LiveStats): void {
  let asked = '';
  socket.unref();
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    asked += text;
    if (asked === ASK) socket.end(`${JSON.stringify(answer(stats))}\n`);
    else if (!ASK.startsWith(asked)) socket.destroy();
  });
}

function answer(stats: () => LiveStats): LiveAnswer {
  try {
    return { stats: stats() };
  } catch (error) {
    return { error: describe(error) };
  }
}
