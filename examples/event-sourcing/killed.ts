/** killed: runs the child process, kills it with SIGKILL in the midst of its work, and knows what it was answered. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

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
  const child = spawn(process.execPath, [program, directory, truncate ? 'truncate' : 'keep'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  let heard = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [account, version, balance] = line.split(' ');
      witness.set(`${account} ${version}`, Number(balance));
      if (++heard === answers) child.kill('SIGKILL');
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`The child ended by itself, with ${signal ?? code}.`);
}
