/** killed: runs the child process, kills it with SIGKILL in the midst of its work, and knows what it was answered. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

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
  const child = spawn(process.execPath, [program, directory, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  let heard = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [what, id, payload = ''] = line.split(' ');
      if (what === 'added') witness.added.set(Number(id), payload);
      if (what === 'acking') witness.acking.add(Number(id));
      if (what !== 'acked') continue;
      witness.acked.add(Number(id));
      if (++heard === acks) child.kill('SIGKILL');
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`The child ended by itself, with ${signal ?? code}.`);
}
