#!/usr/bin/env node
/** main: the `ringwal` command: this process's streams, signals and exit code around the program. */
import { createIo } from './io.js';
import { run } from './program.js';
import { heedSignals } from './signals.js';

const { io, interrupt } = createIo(process, process.env);
heedSignals(process, interrupt);

await run(process.argv.slice(2), io);
process.exitCode = io.exitCode;
// What can't be called off (threads that verify, a pipe that is read) must not keep the process waiting.
if (io.signal.aborted) process.exit();
