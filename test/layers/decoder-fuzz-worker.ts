/** decoder-fuzz-worker: a part of the layer `decoder-fuzz` in a thread whose heap is small. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LayerTask } from '../full/layer.js';
import { fuzz } from './decoder-fuzz.js';

let told = 0;
const progress = (text: string): void => {
  if (performance.now() - told < 1000) return;
  told = performance.now();
  parentPort?.postMessage(text);
};
parentPort?.postMessage(await fuzz({ ...(workerData as Omit<LayerTask, 'progress'>), progress }));
