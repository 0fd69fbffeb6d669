/**
 * sonic-boom: the writer under pino. Its README: the callback of `flush` "is called once all pending writes have
 * completed and the file has been fsynced", by fs.fsync, or with the option `fsync` by an fsyncSync behind each write,
 * which blocks the thread. Nothing else tells: events `write` and `drain` come when the bytes are in the page cache.
 *
 * `flush` waits for a moment without any write. Appends that came during it would put that off; so the next group is
 * written when the last one is flushed.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import type { System, SystemKind } from '../harness/system.js';
import { oneInFlight } from './coalesce.js';
import { lackingPackage, loadPackage } from './packages.js';

interface SonicBoomModule {
  readonly default: new (options: {
    readonly dest: string;
    readonly contentMode: 'buffer';
    readonly minLength: number;
    readonly maxWrite: number;
    readonly fsync: boolean;
  }) => SonicBoom;
}

interface SonicBoom extends NodeJS.EventEmitter {
  write(bytes: Uint8Array): boolean;
  flush(callback: (error?: Error) => void): void;
  end(): void;
}

/** A group up to this length is one write; the default is 16 KiB. */
const MAX_WRITE_BYTES = 4 * 1024 * 1024;

/** `minLength`: bytes that make it write without being told to. */
async function openStream(directory: string, minLength: number, fsync: boolean): Promise<SonicBoom> {
  const { default: Stream } = await loadPackage<SonicBoomModule>('sonic-boom');
  const stream = new Stream({
    dest: join(directory, 'log'),
    contentMode: 'buffer',
    minLength,
    maxWrite: MAX_WRITE_BYTES,
    fsync,
  });
  await once(stream, 'ready');
  return stream;
}

async function close(stream: SonicBoom): Promise<void> {
  stream.end();
  await once(stream, 'close');
}

/** Writes a group, then flushes it. */
function openFlushed(stream: SonicBoom): System {
  const { append, groups } = oneInFlight(
    (group) =>
      new Promise<void>((resolve, reject) => {
        for (const payload of group) stream.write(payload);
        stream.flush((error) => (error ? reject(error) : resolve()));
      }),
  );
  return { append, groups, close: () => close(stream) };
}

export const sonicBoomFlush: SystemKind = {
  name: 'sonic-boom, flush',
  what: 'write, then flush with a callback: one write and fsync of a group, one in flight while the next collects',
  role: 'peer',
  lacking: () => lackingPackage('sonic-boom'),
  open: async (directory) => openFlushed(await openStream(directory, MAX_WRITE_BYTES - 1, false)),
};

export const sonicBoomFsync: SystemKind = {
  name: 'sonic-boom, fsync',
  what: 'the same with option `fsync`: one write of a group, then fsyncSync, which blocks the thread',
  role: 'peer',
  lacking: () => lackingPackage('sonic-boom'),
  open: async (directory) => openFlushed(await openStream(directory, MAX_WRITE_BYTES - 1, true)),
};

export const sonicBoomUnsynced: SystemKind = {
  name: 'sonic-boom, not synced',
  what: 'write, then event `drain`: in the page cache, which survives the death of the process, not that of the machine',
  role: 'weaker',
  lacking: () => lackingPackage('sonic-boom'),
  async open(directory) {
    const stream = await openStream(directory, 0, false);
    const { append, groups } = oneInFlight(async (group) => {
      const isWritten = once(stream, 'drain');
      for (const payload of group) stream.write(payload);
      await isWritten;
    });
    return { append, groups, close: () => close(stream) };
  },
};
