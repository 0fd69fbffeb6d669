/** sync-trace: reads the output of strace: during which appends there was a sync of a file in the directory. */

/** What the traced process asks for, in the directory, before and after an append: marks in the trace. */
export const BEGIN = 'append-begins';
export const END = 'append-ends';

const LINE = /^(?<pid>\d+) +(?<call>.*)$/;
const UNFINISHED = ' <unfinished ...>';
const RESUMED = /^<\.\.\. \w+ resumed>/;
const SYNCS = /^(?:fsync|fdatasync|syncfs)\(/;
const WRITES = /^(?:write|pwrite64|writev|pwritev|pwritev2)\((?<file>\d+<[^>]*>)/;
const OPENED = /^open(?:at)?\(.*= (?<file>\d+<[^>]*>)$/;

/** How many appends had a sync that began and ended while they waited. `lines`: of `strace -f -y`. */
export function synced(lines: readonly string[], directory: string): number {
  /** Files whose every write is a sync, as `-y` shows them: descriptor and path. */
  const syncing = new Set<string>();
  /** Calls of each thread that have begun and not ended. */
  const begun = new Map<string, { readonly call: string; readonly append: number }>();
  const appends = new Set<number>();
  let append = 0;
  let isWaiting = false;
  for (const line of lines) {
    const { pid = '', call: text = '' } = LINE.exec(line)?.groups ?? {};
    if (text.endsWith(UNFINISHED)) {
      begun.set(pid, { call: text.slice(0, -UNFINISHED.length), append });
      continue;
    }
    // Not cut in two: nothing happened between its begin and its end.
    let call = text;
    let since = append;
    if (RESUMED.test(text)) {
      const first = begun.get(pid);
      if (first === undefined) continue;
      begun.delete(pid);
      call = first.call + text.replace(RESUMED, '');
      since = first.append;
    }
    if (call.includes(`/${BEGIN}"`)) {
      append++;
      isWaiting = true;
    } else if (call.includes(`/${END}"`)) {
      append++;
      isWaiting = false;
    } else if (isWaiting && since === append && isSync(call, syncing, directory)) {
      appends.add(append);
    }
    noteOpened(call, syncing);
  }
  return appends.size;
}

function isSync(call: string, syncing: ReadonlySet<string>, directory: string): boolean {
  if (/ = -1 \w+ \(.*\)$/.test(call)) return false;
  if (/^sync\(/.test(call) || /^msync\(.*\bMS_SYNC\b/.test(call)) return true;
  if (!call.includes(`<${directory}/`)) return false;
  if (SYNCS.test(call)) return true;
  const file = WRITES.exec(call)?.groups?.file;
  return file !== undefined && (syncing.has(file) || /\bRWF_D?SYNC\b/.test(call));
}

function noteOpened(call: string, syncing: Set<string>): void {
  const file = OPENED.exec(call)?.groups?.file;
  if (file === undefined) return;
  if (/\bO_D?SYNC\b/.test(call)) syncing.add(file);
  else syncing.delete(file);
}
