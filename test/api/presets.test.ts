/** presets: each can be spread into the options of a log, which then has what the preset says. */
import { expect, it } from 'vitest';
import { durable, highThroughput, type LogOptions, lowLatency, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const PRESETS: [string, LogOptions][] = [
  ['lowLatency', lowLatency],
  ['highThroughput', highThroughput],
  ['durable', durable],
];
it.each(PRESETS)('%s opens a log, alone and with options of its own', async (_, preset) => {
  for (const more of [{}, { recycle: false }]) {
    const log = await openLog(tempDir(), { ...preset, ...more });
    expect(await log.append('x')).toBe(1);
    // A batch fits as far as the preset's largest group says, and no further.
    const limit = preset.maxGroupBytes ?? 4 * 1024 * 1024;
    await expect(log.appendBatch([Buffer.alloc(limit)])).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
    await log.appendBatch([Buffer.alloc(limit - 4096)]);
    await log.close();
  }
});
