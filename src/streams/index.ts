/** index: `ringwal/streams`: Node and web streams over reads, tails and appends. */
export {
  type AppendStreamOptions,
  type Appends,
  appendStream,
  appendWritableStream,
} from './append-stream.js';
export { type RecordStreamOptions, toReadable, toWebStream } from './record-stream.js';
