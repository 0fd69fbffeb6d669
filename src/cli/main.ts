#!/usr/bin/env node
/** main: the `ringwal` command: this process's streams, signals and exit code around the program. */
import { createIo, Interrupted } from './io.js';
import { run } from './program.js';

const { io, interrupt } = createIo(process, process.env);
// Once: who sends a second one does not want to wait.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => interrupt(new Interrupted(`The process got ${name}.`)));

await run(process.argv.slice(2), io);
process.exitCode = io.exitCode;
// What can't be called off (threads that verify, a pipe that is read) must not keep the process waiting.
if (io.signal.aborted) process.exit();
