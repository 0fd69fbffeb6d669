/** kill: lets a child write, kills it with SIGKILL mid-flight, reopens the log, and compares byte for byte. */
import { fileURLToPath } from 'node:url';
import { openLog } from 'ringwal';
import { untilKilled } from '../support/until-killed.js';

/** Smaller lines fit into a group of the writer's log. */
const SMALLEST_LARGE_BYTES = 512 * 1024;

export interface KillResult {
  readonly acknowledged: number;
  readonly recovered: number;
  /** What is wrong; empty when every acknowledged record is there. */
  readonly problems: readonly string[];
  readonly tornTail: boolean;
}

/** `afterAcks`: how many acknowledgements the witness waits for before it kills. */
export async function killAndRecover(
  directory: string,
  input: string,
  lines: readonly string[],
  afterAcks: number,
): Promise<KillResult> {
  const writer = fileURLToPath(new URL('./writer.js', import.meta.url));
  const problems: string[] = [];
  const witnessed = new Map<number, number>();
  const hear = (ack: string): boolean => {
    const [lsn, line] = ack.split(' ').map(Number) as [number, number];
    witnessed.set(lsn, line);
    return witnessed.size >= afterAcks;
  };
  await untilKilled(writer, [directory, input], hear).catch((error: Error) => problems.push(error.message));
  const log = await openLog(directory);
  const missing = new Set(witnessed.keys());
  let recovered = 0;
  // A line that is larger than a group is stored in fragments, each of which takes an LSN.
  const isDense = lines.every((line) => Buffer.byteLength(line) < SMALLEST_LARGE_BYTES);
  let last = log.firstLsn - 1;
  for await (const { lsn, payload } of log.read()) {
    if (isDense ? lsn !== last + 1 : lsn <= last) problems.push(`LSN ${lsn} follows ${last}`);
    last = lsn;
    recovered++;
    const line = witnessed.get(lsn);
    if (line === undefined) continue;
    missing.delete(lsn);
    if (!Buffer.from(lines[line] ?? '').equals(payload)) problems.push(`LSN ${lsn} is not what was appended`);
  }
  if (missing.size > 0)
    problems.push(`${missing.size} acknowledged records are missing, ${[...missing][0]} first`);
  await log.close();
  return { acknowledged: witnessed.size, recovered, problems, tornTail: log.recovery.tornTail !== undefined };
}
