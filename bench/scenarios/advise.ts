/** advise: what suits this disk: each way to sync that it knows, and the presets, under the loads that tell them apart. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { highThroughput, type LogOptions, openLog } from 'ringwal';
import type { ClosedLoad } from '../harness/load.js';
import { measureCells, type Planned, roundMs } from '../harness/rounds.js';
import { LARGE, LARGE_GROUPS, MANY, ONE } from '../report/advice.js';
import type { Scenario } from './scenario.js';

const MODES = ['direct', 'dsync', 'fdatasync'] as const;
const LOADS: readonly (readonly [what: string, load: Pick<ClosedLoad, 'inFlight' | 'payloadBytes'>])[] = [
  [ONE, { inFlight: 1, payloadBytes: 128 }],
  [MANY, { inFlight: 1000, payloadBytes: 128 }],
  [LARGE, { inFlight: 200, payloadBytes: 65_536 }],
];
const ROUNDS = 3;

function planned(modes: readonly string[], isQuick: boolean): Planned[] {
  const settings: [string, LogOptions][] = [
    ...modes.map((syncMode): [string, LogOptions] => [syncMode, { syncMode } as LogOptions]),
    [LARGE_GROUPS, highThroughput],
  ];
  return LOADS.flatMap(([what, load]) =>
    settings.map(
      ([setting, options]): Planned => ({
        ...{ system: 'ringwal', options, at: { what, setting }, beside: what },
        load: { kind: 'closed', batch: 1, ms: isQuick ? 200 : 700, ...load },
      }),
    ),
  );
}

export const advise: Scenario = {
  name: 'advise',
  what: 'which options suit this disk, in half a minute',
  hasPeers: false,
  estimateMs: ({ isQuick }) => roundMs(planned(MODES, isQuick)) * ROUNDS,
  async run({ directory, isQuick, progress }) {
    const modes: string[] = [];
    for (const mode of MODES) if (await isKnown(join(directory, mode), mode)) modes.push(mode);
    return measureCells(planned(modes, isQuick), ROUNDS, directory, progress);
  },
};

/** Whether the file system can sync in this way. */
async function isKnown(path: string, syncMode: (typeof MODES)[number]): Promise<boolean> {
  try {
    const log = await openLog(path, { syncMode });
    await log.close();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
