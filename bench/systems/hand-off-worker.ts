/** hand-off-worker: the other thread of `hand-off`. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { FILE_BYTES } from './floor.js';
import { ANSWERED, ASKED, type HandOffTask } from './hand-off.js';

const { words, path, groupBytes } = workerData as HandOffTask;
const group = Buffer.alloc(groupBytes, 1);
const fd = openSync(path, 'w+');
for (let at = 0; at < FILE_BYTES; at += group.length) writeSync(fd, group, 0, group.length, at);
fsyncSync(fd);
parentPort?.postMessage('ready');
let at = 0;
for (let done = 0; ; ) {
  Atomics.wait(words, ASKED, done);
  if (Atomics.load(words, ASKED) < 0) break;
  done++;
  writeSync(fd, group, 0, group.length, at);
  fdatasyncSync(fd);
  at = at + 2 * group.length > FILE_BYTES ? 0 : at + group.length;
  Atomics.store(words, ANSWERED, done);
  Atomics.notify(words, ANSWERED);
}
closeSync(fd);
unlinkSync(path);
