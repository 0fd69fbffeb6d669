/** until-killed: runs a program and listens to what it says, line by line, until it is killed with SIGKILL in the midst of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Kills the child when `hear` returns true for one of its lines; what it has said before that is still heard. Throws when
 * the child ends by itself.
 */
export async function untilKilled(
  program: string,
  args: readonly string[],
  hear: (line: string) => boolean,
): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (hear(line)) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`The child ended by itself, with ${signal ?? code}.`);
}
