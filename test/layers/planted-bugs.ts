/**
 * planted-bugs: the checker is checked: bugs that logs are known for are planted into copies of the built package, one
 * at a time, and the layer that is named with each must catch it.
 */
import type { Layer } from '../full/layer.js';
import { type Edit, PlantedTree } from '../full/planted-tree.js';
import { runJob } from '../full/run-job.js';

interface PlantedBug {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The layer that must catch it, and the share of its cases that is enough. */
  readonly layer: string;
  readonly share: number;
}

/** A bug that makes a layer hang is caught too. */
const MOST_MS = 120_000;

const WRITER = 'src/segment/segment-writer.js';
const LOG_WRITER = 'src/commit/log-writer.js';
const CURSOR = 'src/segment/segment-cursor.js';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'groups are not synced',
    edits: [{ file: WRITER, find: 'this.segment.file.syncGroup();', replace: '' }],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'callers are told before the sync',
    edits: [
      {
        file: LOG_WRITER,
        find: 'outcome.syncUs = this.#writeAndSync(group.bytes, group.records, group.waitUs);',
        replace: `{ group.complete(firstLsn, outcome); group.contributors.length = 0;
          outcome.syncUs = this.#writeAndSync(group.bytes, group.records, group.waitUs); }`,
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'the directory is not synced when a segment is published',
    edits: [
      {
        file: 'src/segment/prepare.js',
        find: `unlink(preparedName(number));
        await storage.syncDirectory();`,
        replace: 'unlink(preparedName(number));',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'a segment is published before its header is durable',
    edits: [
      {
        file: 'src/segment/prepare.js',
        find: 'await file.sync(); // the header is durable before the file is published',
        replace: '',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'the chain of checksums is not verified',
    edits: [
      {
        file: CURSOR,
        find: '&& header.previousChecksum === this.lastChecksum',
        replace: '',
      },
    ],
    layer: 'corruption',
    share: 0.01,
  },
  {
    name: 'salts are not verified',
    edits: [
      {
        file: 'src/format/group-header.js',
        find: 'return { seed: checksum(salt, 0), prefixLow: view.getUint32(0, true), prefixHigh: view.getUint32(4, true) };',
        replace: 'return { seed: 0, prefixLow: 0, prefixHigh: 0 };',
      },
    ],
    layer: 'corruption',
    share: 0.01,
  },
  {
    name: 'a torn batch is accepted',
    edits: [
      {
        file: CURSOR,
        find: 'checksum(body, this.#key.seed) !== header.bodyChecksum',
        replace: 'false',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'the durable end is never written',
    edits: [
      { file: WRITER, find: 'header.durableEnd = this.#durableEnd;', replace: 'header.durableEnd = 4096;' },
      { file: WRITER, find: 'header.durableLsn = this.#durableLsn;', replace: 'header.durableLsn = 0;' },
    ],
    layer: 'corruption',
    share: 0.01,
  },
  {
    name: 'what recovery logs again is not synced',
    edits: [
      { file: 'src/recovery/recover.js', find: 'await draft.file.sync();', replace: '' },
      { file: 'src/recovery/recover.js', find: 'writer.sync();', replace: '' },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'recovery logs nothing again',
    edits: [{ file: 'src/recovery/recover.js', find: 'if (next.relog === undefined)', replace: 'if (true)' }],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'an LSN is given out twice',
    edits: [
      {
        file: WRITER,
        find: 'this.#lastLsn += records;',
        replace: 'this.#lastLsn += records > 1 ? records - 1 : records;',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'the log goes on after a write or sync has failed',
    edits: [
      {
        file: 'src/commit/commit-loop.js',
        find: `this.#fail(error);
            return 'failed';`,
        replace: "return 'idle';",
      },
      { file: LOG_WRITER, find: 'this.#failed = true;', replace: '' },
    ],
    layer: 'io-errors',
    share: 0.005,
  },
  {
    name: 'garbage collection is off by one',
    edits: [
      {
        file: 'src/maintenance/segment-keeper.js',
        find: 'this.#closed.filter((one) => one.lastLsn < neededFrom &&',
        replace: 'this.#closed.filter((one) => one.lastLsn <= neededFrom &&',
      },
      {
        file: 'src/maintenance/segment-keeper.js',
        find: 'segment.lastLsn >= neededFrom ||',
        replace: 'true ||',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
  {
    name: 'files are freed before the truncation mark is durable',
    edits: [
      {
        file: 'src/maintenance/truncation.js',
        find: 'if (writer.isMarkDurable)',
        replace: 'if (lsn > 0)',
      },
    ],
    layer: 'crash-states',
    share: 0.002,
  },
];

export const layer: Layer = {
  name: 'planted-bugs',
  title: 'bugs planted into copies of the package, each caught by the layer that is named with it',
  targets: { 'bugs caught': PLANTED_BUGS.length },
  parts: 2,
  minutes: 1,
  async run(task) {
    const tree = new PlantedTree();
    let caught = 0;
    try {
      for (const [i, bug] of PLANTED_BUGS.entries()) {
        if (i % task.parts !== task.part) continue;
        task.progress(bug.name);
        await mustBeCaught(bug, tree, task.seed);
        caught++;
      }
    } finally {
      tree.remove();
    }
    return { 'bugs caught': caught };
  },
};

/** Throws when the layer passes all the same. Returns what it said. */
export async function mustBeCaught(
  { name, edits, layer: catcher, share }: PlantedBug,
  tree: PlantedTree,
  seed: number,
): Promise<string> {
  const job = { layer: catcher, part: 0, parts: 1, share, seed };
  const end = await tree.planted(edits, () => runJob(job, undefined, tree.job, MOST_MS));
  if (end.kind === 'done') throw new Error(`planted and not caught by ${catcher}: ${name}`);
  return end.error;
}
