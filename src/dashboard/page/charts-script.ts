/** charts-script: draws the charts as SVG, as source of the page's script. */
export const CHARTS_SCRIPT = `
const WINDOW_MS = 120000;
const LEFT = 54;

function make(name, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Draws anew what is in the place; says is what the picture tells who can't see it.
function picture(place, says, draw) {
  const width = place.clientWidth;
  const height = place.clientHeight;
  const svg = make('svg', { role: 'img', 'aria-label': says, viewBox: '0 0 ' + width + ' ' + height });
  draw((...shape) => svg.append(make(...shape)), width, height);
  place.replaceChildren(svg);
}

function line(draw, kind, x1, y1, x2, y2, opacity) {
  draw('line', { class: kind, x1, y1, x2, y2, ...(opacity === undefined ? {} : { opacity }) });
}

function label(draw, x, y, text, anchor, kind) {
  draw('text', { x, y, 'text-anchor': anchor ?? 'start', ...(kind === undefined ? {} : { class: kind }) }, text);
}

function drawGroups(place, intervals, at) {
  const points = intervals
    .map((interval) => ({ at: interval.at, ...meansOf([interval]) }))
    .filter(({ groupRecords, latencyUs }) => groupRecords !== null && latencyUs > 0);
  const last = points.at(-1);
  const says = last === undefined ? 'No groups yet'
    : 'Group size against latency: now groups of ' + count(last.groupRecords) + ', ' + us(last.latencyUs);
  picture(place, says, (draw, width, height) => {
    const right = width - 12;
    const top = 24;
    const bottom = height - 40;
    const sizes = points.map(({ groupRecords }) => groupRecords);
    const times = points.map(({ latencyUs }) => latencyUs);
    const [fromX, toX] = logEnds([1, 100, ...sizes], 2);
    const [fromY, toY] = logEnds(last === undefined ? [300, 3000] : times, 1.4);
    const x = (value) => logPlace(value, fromX, toX, LEFT, right);
    const y = (value) => logPlace(value, fromY, toY, bottom, top);
    const decadeX = (right - LEFT) / Math.log10(toX / fromX);
    const decadeY = (bottom - top) / Math.log10(toY / fromY);
    for (const tick of logTicks(fromX, toX, decadeX > 120)) {
      if (tick < 1) continue;
      line(draw, 'grid', x(tick), top, x(tick), bottom);
      label(draw, x(tick), bottom + 17, count(tick), 'middle');
    }
    for (const tick of logTicks(fromY, toY, decadeY > 60)) {
      line(draw, 'grid', LEFT, y(tick), right, y(tick));
      label(draw, LEFT - 8, y(tick) + 4, us(tick), 'end');
    }
    line(draw, 'axis', LEFT, bottom, right, bottom);
    label(draw, LEFT, 12, 'wait + write and sync', 'start', 'name');
    label(draw, right, height - 5, 'records in a group', 'end', 'name');
    if (last === undefined) {
      label(draw, (LEFT + right) / 2, (top + bottom) / 2, 'no groups in the last two minutes', 'middle', 'empty');
      return;
    }
    const youth = (point) => 1 - Math.min(1, (at - point.at) / WINDOW_MS);
    points.forEach((point, i) => {
      const before = points[i - 1];
      const age = at - point.at;
      if (before !== undefined && age < 12000)
        line(draw, 'trail', x(before.groupRecords), y(before.latencyUs), x(point.groupRecords), y(point.latencyUs),
          (0.75 * (1 - age / 12000)).toFixed(2));
    });
    for (const point of points)
      draw('circle', { class: 'past', cx: x(point.groupRecords), cy: y(point.latencyUs), r: 3.1,
        opacity: (0.07 + 0.55 * youth(point) ** 2.2).toFixed(2) });
    const cx = x(last.groupRecords);
    const cy = y(last.latencyUs);
    line(draw, 'cross', cx, cy, cx, bottom);
    line(draw, 'cross', LEFT, cy, cx, cy);
    draw('circle', { class: 'halo', cx, cy, r: 9 });
    draw('circle', { class: 'now', cx, cy, r: 6.5 });
    const isRight = cx > (LEFT + right) / 2;
    label(draw, cx + (isRight ? -14 : 14), Math.max(top + 12, cy - 12),
      count(last.groupRecords) + ' at ' + us(last.latencyUs), isRight ? 'end' : 'start', 'label');
  });
}

// points: { at, value }; look: how values are written, the least top of the axis, whether the second colour.
function drawTime(place, name, points, at, pauseMs, look) {
  const last = points.at(-1);
  const says = name + ', the last two minutes: now ' + (last === undefined ? 'unknown' : look.format(last.value));
  picture(place, says, (draw, width, height) => {
    const right = width - 8;
    const top = 8;
    const bottom = height - 20;
    const most = look.most ?? roundTop(Math.max(look.least, ...points.map(({ value }) => value)));
    const x = (time) => right - ((at - time) / WINDOW_MS) * (right - LEFT);
    const y = (value) => bottom - (value / most) * (bottom - top);
    for (const tick of height > 100 ? [0, most / 2, most] : [0, most]) {
      line(draw, tick === 0 ? 'axis' : 'grid', LEFT, y(tick), right, y(tick));
      label(draw, LEFT - 8, y(tick) + 4, look.format(tick), 'end');
    }
    for (const [time, text, anchor] of [[at - WINDOW_MS, '2 min ago', 'start'], [at - WINDOW_MS / 2, '1 min', 'middle'], [at, 'now', 'end']])
      label(draw, x(time), height - 4, text, anchor, 'name');
    const kind = look.isSecond ? 'second ' : '';
    for (const run of runsOf(points, pauseMs)) {
      const path = run.map(({ at: time, value }) => x(time).toFixed(1) + ' ' + y(value).toFixed(1)).join(' L');
      draw('path', { class: kind + 'area',
        d: 'M' + x(run[0].at).toFixed(1) + ' ' + bottom + ' L' + path + ' L' + x(run.at(-1).at).toFixed(1) + ' ' + bottom + ' Z' });
      draw('path', { class: kind + 'curve', d: 'M' + path });
    }
    if (last !== undefined) draw('circle', { class: kind + 'end', cx: x(last.at), cy: y(last.value), r: 3.2 });
  });
}

function drawSyncs(place, intervals, at) {
  const long = bucketsOf(intervals);
  const short = bucketsOf(recent(intervals, at, 10000));
  const totals = [long, short].map((buckets) => buckets.reduce((sum, number) => sum + number, 0));
  const half = boundOf(long, 0.5);
  const says = half === null ? 'No syncs in the last two minutes.'
    : 'Of ' + whole(totals[0]) + ' in two minutes, half took at most ' + us(half) + ', 99 % at most ' + us(boundOf(long, 0.99)) + '.';
  picture(place, 'How long a write and its sync take. ' + says, (draw, width, height) => {
    const right = width - 8;
    const top = 8;
    const bottom = height - 22;
    const [from, to] = bucketRange(long);
    const step = (right - LEFT) / (to - from + 1);
    const share = (buckets, total, i) => (total === 0 ? 0 : (buckets[i] ?? 0) / total);
    const most = Math.min(1, roundTop(Math.max(0.2, ...long.map((_, i) => Math.max(share(long, totals[0], i), share(short, totals[1], i))))));
    const y = (value) => bottom - (value / most) * (bottom - top);
    for (const tick of [0, most / 2, most]) {
      line(draw, tick === 0 ? 'axis' : 'grid', LEFT, y(tick), right, y(tick));
      label(draw, LEFT - 8, y(tick) + 4, percent(tick), 'end');
    }
    const every = Math.ceil(62 / step);
    for (let i = from; i <= to; i++) {
      const x = LEFT + (i - from) * step;
      const bar = (kind, value, inset) => {
        // The rare slow one must not vanish.
        const size = Math.max(2, bottom - y(value));
        if (value > 0) draw('rect', { class: kind, x: x + inset, y: bottom - size, width: Math.max(1, step - 2 * inset), height: size, rx: Math.min(2, size / 2) });
      };
      bar('long', share(long, totals[0], i), step * 0.06);
      bar('short', share(short, totals[1], i), step * 0.26);
      // The upper end of a bar's values stands below its right edge.
      if ((i - from) % every === 0 && i < to) label(draw, x + step, height - 5, us(2 ** i), 'middle');
    }
  });
  return says;
}
`;
