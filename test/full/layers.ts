/** layers: the layers of a full run, in the order of the report; each is a module of its own in test/layers. */
import type { Layer } from './layer.js';

export const LAYERS = [
  'crash-states',
  'simulation',
  'corruption',
  'io-errors',
  'decoder-fuzz',
  'kill9',
  'power-cut',
  'block-log',
  'failing-sync',
  'deaths',
  'ring-protocol',
  'stress',
  'large-record',
  'planted-bugs',
] as const;

export async function loadLayer(name: string): Promise<Layer> {
  const { layer } = (await import(`../layers/${name}.js`)) as { layer: Layer };
  return layer;
}
