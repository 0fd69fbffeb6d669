/** vitest-setup: a mutant that loops in a test file is ended; each file has the same time. */
import { watchProcess } from './watch.js';

const SECONDS = 15;
const shared = globalThis as { nextFile?: () => void };
shared.nextFile ??= watchProcess(SECONDS);
shared.nextFile();
