/** turns: how far the measuring is, on stderr when that is a terminal. */
import { SingleBar } from 'cli-progress';
import type { CliIo } from '../io.js';
import { inTime, inWords } from '../quantities.js';
import type { Turn } from './rounds.js';

const BAR = 10;

export interface TurnBar {
  show(turn: Turn): void;
  stop(): void;
}

export function turnBar(io: CliIo): TurnBar {
  if (!io.isStderrTty) return { show: () => {}, stop: () => {} };
  let text = '';
  const bar = new SingleBar({
    stream: io.stderr as NodeJS.WritableStream,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false, // signals are the program's own matter
    format: () => text,
  });
  let isStarted = false;
  return {
    show(turn) {
      text = turnLine(turn);
      if (isStarted) bar.update(turn.done);
      else bar.start(turn.total, turn.done);
      isStarted = true;
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}

/** `measuring  [====      ]  42 %  12 s left  durable, 1 000 in flight`: at most 80 columns. */
export function turnLine({ done, total, leftMs, cell }: Turn): string {
  const filled = Math.round((BAR * done) / total);
  const left = inTime(Math.ceil(leftMs / 1000) * 1000);
  const what = `${label(cell)}, ${inWords(cell.load.inFlight)} in flight`;
  const drawn = `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}]`;
  return `measuring  ${drawn}  ${Math.floor((100 * done) / total)} %  ${left} left  ${what}`;
}

function label({ about, setting }: Turn['cell']): string {
  if (about === 'windows') return `windowUs ${setting}`;
  return about === 'recycling' ? `recycle ${setting}` : setting;
}
