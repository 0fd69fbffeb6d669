/** killed: runs the child process, kills it with SIGKILL in the midst of its work, and knows what it was answered. */
import { fileURLToPath } from 'node:url';
import { untilKilled } from '../support/until-killed.js';

export interface Witness {
  /** Payloads of jobs that were added, by id. */
  readonly added: Map<number, string>;
  /** Jobs whose `ack` was called, and those for which it resolved. */
  readonly acking: Set<number>;
  readonly acked: Set<number>;
}

/** Adds to what `witness` knows. Kills when `acks` of this life were told. */
export async function killAfter(
  directory: string,
  name: string,
  acks: number,
  witness: Witness,
): Promise<void> {
  const program = fileURLToPath(new URL('./child.js', import.meta.url));
  let heard = 0;
  await untilKilled(program, [directory, name], (line) => {
    const [what, id, payload = ''] = line.split(' ');
    if (what === 'added') witness.added.set(Number(id), payload);
    if (what === 'acking') witness.acking.add(Number(id));
    if (what !== 'acked') return false;
    witness.acked.add(Number(id));
    return ++heard === acks;
  });
}
