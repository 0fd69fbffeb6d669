/**
 * timers: Node's timers as they are when this is loaded. Fake timers of tests replace the global ones, and some those of
 * `node:timers` too, which an import by name would follow: an append would then wait for a turn that never comes.
 */
import timers from 'node:timers';

export const { clearInterval, setImmediate, setInterval } = timers;
