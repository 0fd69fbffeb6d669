/** http: a web service that answers when the record is durable, beside the same one that does not wait for a disk. */
import { join } from 'node:path';
import autocannon from 'autocannon';
import { HostedSystem } from '../harness/hosted-system.js';
import { kindOf } from '../harness/kinds.js';
import type { Measurement } from '../harness/load.js';
import { payloadsOf } from '../harness/measure.js';
import type { Cell } from '../report/results.js';
import { PAYLOAD_BYTES } from './closed.js';
import { type Context, ofRole, present, type Scenario } from './scenario.js';

/** The name under which it is shown: it has the yardstick's process, and does not ask it. */
const WITHOUT = 'no durability';
const WARM_UP_S = 1;

const settings = ({ isQuick, kinds }: Pick<Context, 'isQuick' | 'kinds'>) =>
  isQuick
    ? {
        seconds: 1,
        rounds: 1,
        connections: [64],
        systems: [WITHOUT, ...present(['ringwal', 'yardstick'], kinds)],
      }
    : { seconds: 3, rounds: 2, connections: [32, 256], systems: systemsOf(kinds) };

export const http: Scenario = {
  name: 'http',
  what: 'a fastify server that answers after the durable append',
  hasPeers: true,
  estimateMs(context) {
    const { seconds, rounds, connections, systems } = settings(context);
    return systems.length * connections.length * rounds * (seconds + WARM_UP_S) * 1000;
  },
  async run({ directory, isQuick, kinds, progress }) {
    const { seconds, rounds, connections: all, systems } = settings({ isQuick, kinds });
    const cells = all.flatMap((connections) =>
      systems.map((system) => ({ system, at: { connections }, rounds: [] as Measurement[] })),
    );
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[(i + round) % cells.length] as Cell & { rounds: Measurement[] };
        const { connections } = cell.at;
        progress.say(`${cell.system}, ${connections} connections`);
        cell.rounds.push(
          await request(cell.system, Number(connections), seconds, join(directory, `${round}-${i}`)),
        );
        progress.advance((seconds + WARM_UP_S) * 1000);
      }
    }
    return cells;
  },
};

function systemsOf(kinds: Context['kinds']): string[] {
  return [WITHOUT, ...present(['ringwal', 'yardstick'], kinds), ...ofRole('peer', kinds)];
}

async function request(
  name: string,
  connections: number,
  seconds: number,
  directory: string,
): Promise<Measurement> {
  const isDurable = name !== WITHOUT;
  const system = await HostedSystem.open(kindOf(isDurable ? name : 'no I/O'), directory);
  try {
    const port = await system.serve(isDurable);
    const shoot = (duration: number): Promise<autocannon.Result> =>
      autocannon({
        ...{ url: `http://127.0.0.1:${port}`, method: 'POST', connections, duration },
        body: Buffer.from(payloadsOf(PAYLOAD_BYTES)[0] as Uint8Array),
        headers: { 'content-type': 'application/octet-stream' },
      });
    await shoot(WARM_UP_S);
    const { requests, latency, non2xx, errors, duration } = await shoot(seconds);
    if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx + errors} requests failed`);
    const { loopDelayP99Ms } = await system.served();
    const us = (ms: number): number => ms * 1000;
    return {
      ...{ records: requests.total, seconds: duration, loopDelayP99Ms },
      ...{
        recordsPerSecond: requests.total / duration,
        bytesPerSecond: (requests.total / duration) * PAYLOAD_BYTES,
      },
      latency: {
        ...{ p50Us: us(latency.p50), p90Us: us(latency.p90), p99Us: us(latency.p99) },
        ...{ p999Us: us(latency.p99_9), maxUs: us(latency.max), curve: [] },
      },
    };
  } finally {
    system.kill();
  }
}
