/** job: one part of one layer, in a process of its own; tells its parent how far it is and what came of it. */
import type { LayerFigures } from './layer.js';
import { loadLayer } from './layers.js';

export interface JobInput {
  readonly layer: string;
  readonly part: number;
  readonly parts: number;
  readonly share: number;
  readonly seed: number;
}

export type JobMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'done'; readonly figures: LayerFigures }
  | { readonly kind: 'failed'; readonly error: string };

const tell = (message: JobMessage): void => {
  process.send?.(message);
};

process.once('message', async (input: JobInput) => {
  try {
    const layer = await loadLayer(input.layer);
    let told = 0;
    const progress = (text: string): void => {
      if (performance.now() - told < 1000) return;
      told = performance.now();
      tell({ kind: 'progress', text });
    };
    tell({ kind: 'done', figures: await layer.run({ ...input, progress }) });
  } catch (error) {
    tell({ kind: 'failed', error: error instanceof Error ? (error.stack ?? String(error)) : String(error) });
  }
  process.disconnect();
});
