/** killed: runs the child process, kills it with SIGKILL in the midst of its work, and knows what it was answered. */
import { fileURLToPath } from 'node:url';
import { untilKilled } from '../support/until-killed.js';

/** Balances that were told, by `account version`. */
export type Witness = Map<string, number>;

/** Adds to what `witness` knows. Kills after so many answers of this life; `truncate`: snapshots free the log. */
export async function killAfter(
  directory: string,
  answers: number,
  truncate: boolean,
  witness: Witness,
): Promise<void> {
  const program = fileURLToPath(new URL('./child.js', import.meta.url));
  let heard = 0;
  await untilKilled(program, [directory, truncate ? 'truncate' : 'keep'], (line) => {
    const [account, version, balance] = line.split(' ');
    witness.set(`${account} ${version}`, Number(balance));
    return ++heard === answers;
  });
}
