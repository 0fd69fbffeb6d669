/** index: `ringwal/operations`: put and delete batches, as engines with a memtable log them; on top of the log. */
export {
  type Bytes,
  type DeleteOperation,
  decodeOperation,
  type Operation,
  type PutOperation,
} from './operation.js';
export { WriteBatch, writeBatch } from './write-batch.js';
