/** report: what a repair saved and lost, as a file beside the saved records and as text. */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { SalvageReport } from '../../index.js';
import { paint } from '../colours.js';
import type { CliIo } from '../io.js';
import { counted } from '../quantities.js';
import { table } from '../table.js';

/** Name of the file; a log does not mind files that it does not know. */
export const REPORT = 'repair-report.json';

export interface RepairReport extends SalvageReport {
  /** The damaged log, and where the repaired one is. */
  readonly directory: string;
  readonly repaired: string;
  /** Files of cursors, which belong to the damaged log alone. */
  readonly cursors: readonly string[];
  /** Of the damaged log's files, their names, sizes and times, as they were when they were read. */
  readonly fingerprint: string;
}

/** Whether records, or transactions, are not there any more. */
export function hasLosses({ lost, abortedTransactions }: SalvageReport): boolean {
  return lost.length > 0 || abortedTransactions > 0;
}

/** Writes the report into `directory`, durably but for the directory itself; complete, or not there. */
export async function writeReport(directory: string, report: RepairReport): Promise<void> {
  const path = join(directory, REPORT);
  const file = await open(`${path}.new`, 'wx');
  try {
    await file.writeFile(`${JSON.stringify(report, undefined, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** The report for a human: what was saved, every range that was lost, and what else is to be known. */
export function describeReport(io: Pick<CliIo, 'hasColour'>, report: RepairReport): string {
  const { savedRecords, firstLsn, lastLsn, lost } = report;
  const lines = [
    `${paint(io, 'green', 'saved')}  ${counted(savedRecords, 'record')}, LSN ${firstLsn} to ${lastLsn}`,
    lost.length === 0
      ? `${paint(io, 'green', 'lost')}   nothing`
      : `${paint(io, 'red', 'lost')}   ${amount(report)}, in ${counted(lost.length, 'range')}:`,
  ];
  if (lost.length > 0) lines.push('', lostTable(io, report).trimEnd(), '');
  if (report.isMerged) lines.push('There are more ranges: the last ones also cover LSNs that were saved.');
  if (report.abortedTransactions > 0)
    lines.push(
      `${counted(report.abortedTransactions, 'transaction')} of which records may be lost: aborted, none of their records is shown.`,
    );
  for (const { firstLsn: from, lastLsn: to, newFirstLsn } of report.saved) {
    if (from !== newFirstLsn)
      lines.push(`LSN ${from} to ${to} are now ${newFirstLsn} to ${newFirstLsn + to - from}.`);
  }
  if (report.cursors.length > 0)
    lines.push(
      `Cursors are not carried over (${report.cursors.join(', ')}): make them anew, and ack where their consumers are.`,
    );
  return `${lines.join('\n')}\n`;
}

function amount({ lost }: RepairReport): string {
  const known = lost.reduce(
    (sum, { firstLsn, lastLsn }) => sum + (lastLsn ?? firstLsn - 1) - firstLsn + 1,
    0,
  );
  const isOpen = lost.some(({ lastLsn }) => lastLsn === undefined);
  if (known === 0) return 'perhaps records at the end';
  return `${counted(known, 'LSN')}${isOpen ? ', and perhaps more at the end' : ''}`;
}

function lostTable(io: Pick<CliIo, 'hasColour'>, { lost }: RepairReport): string {
  const rows = lost.map(({ firstLsn, lastLsn, file, offset, reason }) => [
    lastLsn === undefined
      ? `${firstLsn} on`
      : lastLsn === firstLsn
        ? `${firstLsn}`
        : `${firstLsn}-${lastLsn}`,
    file ?? '?',
    offset === undefined ? '' : String(offset),
    reason,
  ]);
  return table(
    io,
    [{ title: 'LSNs' }, { title: 'file' }, { title: 'offset', align: 'right' }, { title: 'why' }],
    rows,
  );
}
