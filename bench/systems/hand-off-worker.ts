/** hand-off-worker: the other thread of `hand-off`. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { groupBytes } from './floor.js';
import { ANSWERED, ASKED, type HandOffTask, PAYLOAD_BYTES } from './hand-off.js';
import { WrittenFile } from './written-file.js';

const { words, path } = workerData as HandOffTask;
const filling = randomBytes(65_536);
const file = new WrittenFile(path, filling);
let group = Buffer.alloc(0);
parentPort?.postMessage('ready');
for (let done = 0; ; ) {
  Atomics.wait(words, ASKED, done);
  if (Atomics.load(words, ASKED) < 0) break;
  done++;
  const bytes = groupBytes(words[PAYLOAD_BYTES] ?? 0, 1);
  if (group.length !== bytes) group = Buffer.alloc(bytes, filling);
  file.write(group);
  Atomics.store(words, ANSWERED, done);
  Atomics.notify(words, ANSWERED);
}
file.remove();
