/**
 * figures-script: the arithmetic of the page and how its numbers are written, as source of the page's script. It is text,
 * not functions turned into text: whatever bundles and renames this package's code must not change it.
 */
export const FIGURES_SCRIPT = String.raw`
// Three significant digits, without zeros at the end.
function digits(value) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0' : '–';
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? String(Math.round(rounded)) : String(rounded);
}

// 12 300 000 as 12.3 M; what would be written 1000 belongs to the next unit.
function count(value) {
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e9) return digits(value / 1e9) + ' G';
  if (size >= 1e6) return digits(value / 1e6) + ' M';
  if (size >= 1e4) return digits(value / 1e3) + ' k';
  return digits(value).replace(/^(\d)(\d{3})$/, '$1\u202f$2');
}

// Whole numbers in full, in groups of three: 16 384.
function whole(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function us(value) {
  if (value === 0) return '0';
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e6) return digits(value / 1e6) + ' s';
  if (size >= 1e3) return digits(value / 1e3) + ' ms';
  return digits(value) + ' µs';
}

function bytes(value) {
  if (value >= 2 ** 30) return digits(value / 2 ** 30) + ' GiB';
  if (value >= 2 ** 20) return digits(value / 2 ** 20) + ' MiB';
  if (value >= 2 ** 10) return digits(value / 2 ** 10) + ' KiB';
  return digits(value) + ' B';
}

function byteRate(value) {
  if (value === 0) return '0';
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e9) return digits(value / 1e9) + ' GB/s';
  if (size >= 1e6) return digits(value / 1e6) + ' MB/s';
  return size >= 1e3 ? digits(value / 1e3) + ' kB/s' : digits(value) + ' B/s';
}

function percent(value) {
  return digits(value * 100) + ' %';
}

// The intervals that ended in the last so many milliseconds before the time at.
function recent(intervals, at, ms) {
  return intervals.filter((interval) => interval.at > at - ms);
}

// Rates and means over intervals; null where there was nothing to take a mean of.
function meansOf(intervals) {
  const sum = (name) => intervals.reduce((total, interval) => total + interval[name], 0);
  const per = (total, number) => (number > 0 ? total / number : null);
  const seconds = sum('seconds');
  const groups = sum('groups');
  const waitUs = per(sum('waitUs'), groups);
  const syncUs = per(sum('syncUs'), sum('syncs'));
  return {
    recordsPerSecond: per(sum('records'), seconds),
    bytesPerSecond: per(sum('bytes'), seconds),
    groupsPerSecond: per(groups, seconds),
    groupRecords: per(sum('records'), groups),
    groupBytes: per(sum('bytes'), groups),
    recordBytes: per(sum('bytes'), sum('records')),
    waitUs,
    syncUs,
    latencyUs: waitUs === null ? null : waitUs + (syncUs ?? 0),
  };
}

// Syncs by power of two, added up.
function bucketsOf(intervals) {
  const total = [];
  for (const { syncBuckets } of intervals) {
    syncBuckets.forEach((number, i) => {
      while (total.length <= i) total.push(0);
      total[i] += number;
    });
  }
  return total;
}

// The power of two that the share (0 to 1) of all are at most; null of none.
function boundOf(buckets, share) {
  const total = buckets.reduce((sum, number) => sum + number, 0);
  if (total === 0) return null;
  let below = 0;
  for (let i = 0; i < buckets.length; i++) {
    below += buckets[i];
    if (below >= total * share) return 2 ** i;
  }
  return null;
}

// Which buckets to show, from and to: those with anything in them, one more on both sides, and eight at least.
function bucketRange(buckets) {
  const first = buckets.findIndex((number) => number > 0);
  if (first === -1) return [6, 14];
  let last = buckets.length - 1;
  while (buckets[last] === 0) last--;
  let from = Math.max(0, first - 1);
  let to = last + 1;
  while (to - from < 7) {
    to++;
    if (to - from < 7 && from > 0) from--;
  }
  return [from, to];
}

// The ends of a logarithmic axis, each 1, 2 or 5 times a power of ten, with room around the values, and so many decades.
function logEnds(values, decades) {
  const steps = [1, 2, 5];
  const least = Math.min(...values) * 0.85;
  const most = Math.max(...values) * 1.2;
  const below = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * steps.filter((step) => step * power <= value * 1.0000001).at(-1);
  };
  const above = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * ([...steps, 10].find((step) => step * power >= value * 0.9999999));
  };
  let from = below(least);
  let to = above(most);
  while (Math.log10(to / from) < decades) {
    to = above(to * 1.01);
    if (Math.log10(to / from) < decades) from = below(from * 0.99);
  }
  return [from, to];
}

// Powers of ten between the ends, and 2 and 5 times those where a decade has room for them.
function logTicks(from, to, hasRoom) {
  const steps = hasRoom ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10) {
    for (const step of steps) {
      const tick = step * power;
      if (tick >= from * 0.9999999 && tick <= to * 1.0000001) ticks.push(tick);
    }
  }
  return ticks;
}

// Where a value is between two places, on a logarithmic axis.
function logPlace(value, from, to, start, end) {
  return start + (Math.log(value / from) / Math.log(to / from)) * (end - start);
}

// A round number that is not below the value.
function roundTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.9999999);
}

// Runs of points without a pause between them of more than so many milliseconds.
function runsOf(points, pauseMs) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run === undefined || point.at - run.at(-1).at > pauseMs) runs.push([point]);
    else run.push(point);
  }
  return runs;
}

// What is said about a segment: number, LSNs, bytes, and whether it is closed.
function segmentText([number, firstLsn, lastLsn, size, isClosed], capacity) {
  const records = lastLsn - firstLsn + 1;
  const fill = capacity > 0 ? bytes(size) + ' of ' + bytes(capacity) : bytes(size);
  return [
    'Segment ' + whole(number),
    isClosed ? 'closed' : 'active',
    fill,
    records > 0 ? 'LSN ' + whole(firstLsn) + ' to ' + whole(lastLsn) : 'no records yet',
    records === 1 ? '1 record' : whole(Math.max(0, records)) + ' records',
  ].join(' · ');
}
`;
