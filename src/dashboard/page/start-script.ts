/** start-script: listens to the server, and keeps figures, charts and state as it tells them; source of the page's script. */
export const START_SCRIPT = `
// More often the eye would not follow.
const DRAW_MS = 200;

function startPage() {
  const element = (id) => document.getElementById(id);
  // Setting what is there already would make screen readers say it again.
  const set = (id, text) => {
    if (element(id).textContent !== text) element(id).textContent = text;
  };
  const drawSegments = segmentMap(element('map'), element('detail'), element('spoken'));
  let history;
  let update;
  let intervals = [];
  let isConnected = false;
  let isDue = false;

  const due = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => requestAnimationFrame(() => {
      isDue = false;
      draw();
    }), DRAW_MS);
  };

  // The state in a word, what kind of word it is, and what to say about it.
  function situation() {
    if (!isConnected)
      return ['no connection', 'bad', update === undefined ? ['', ''] : ['No connection to the process', 'It may have ended. This page tries again every second; what it shows is old.']];
    if (update.state === 'failed') return ['failed', 'bad', ['The log has failed' + (update.code === '' ? '' : ': ' + update.code), update.message]];
    if (update.state === 'closed') return ['closed', '', ['The log is closed', 'What is shown is the last that was seen of it.']];
    if (update.silentMs > 0) return ['no answer', 'bad', ['The log does not answer', 'Its I/O worker has been silent for more than a second: a write or a sync hangs.']];
    const error = update.figures?.maintenanceError ?? '';
    if (error !== '') return ['open', 'bad', ['Maintenance fails', error.replace(/\\.?$/, '.') + ' It is tried again. While no segment can be prepared, appends wait at the end of the active one.']];
    return update.state === 'open' ? ['open', 'good', ['', '']] : ['connecting', '', ['', '']];
  }

  function drawState() {
    const [word, kind, [title, text]] = situation();
    set('state', word);
    element('state').className = 'state ' + kind;
    element('trouble').hidden = title === '';
    element('trouble').classList.toggle('calm', kind !== 'bad');
    set('trouble-title', title);
    set('trouble-text', text);
  }

  function drawFigures(figures) {
    const means = meansOf(recent(intervals, update.at, 2000));
    const or = (value, format) => (value === null ? '–' : format(value));
    set('rate', or(means.recordsPerSecond, count));
    set('byte-rate', or(means.bytesPerSecond, byteRate));
    set('group-rate', or(means.groupsPerSecond, (value) => count(value) + '/s'));
    set('group', or(means.groupRecords, count));
    set('group-bytes', or(means.groupBytes, bytes));
    set('record-bytes', or(means.recordBytes, bytes));
    set('latency', or(means.latencyUs, us));
    set('wait', or(means.waitUs, us));
    set('sync', or(means.syncUs, us));
    set('durable', figures.durableLsn < 1e7 ? whole(figures.durableLsn) : count(figures.durableLsn));
    element('durable').title = whole(figures.durableLsn);
    set('first', whole(figures.firstLsn));
    set('checkpoint', figures.checkpointLsn === 0 ? 'none' : whole(figures.checkpointLsn));
    set('flight', whole(Math.max(figures.inFlight, ...recent(intervals, update.at, 2000).map(({ inFlight }) => inFlight))));
    set('producers', whole(figures.producers));
    set('waiting', bytes(figures.waitingBytes));
    const counts = { 'records-total': figures.records, 'groups-total': figures.groups, 'syncs-total': figures.syncs,
      rotations: figures.rotations, prepared: figures.segmentsPrepared, recycled: figures.segmentsRecycled,
      removed: figures.segmentsRemoved, 'io-errors': figures.ioErrors, maintenance: figures.maintenanceErrors };
    for (const [id, value] of Object.entries(counts)) set(id, whole(value));
    set('mode', figures.syncMode);
    for (const id of ['io-errors', 'maintenance']) element(id).parentElement.classList.toggle('bad', counts[id] > 0);
    document.title = (means.recordsPerSecond === null ? '' : count(means.recordsPerSecond) + ' records/s · ') + 'ringwal';
  }

  function drawCharts(figures) {
    const { at } = update;
    const pauseMs = Math.max(2500, 4 * history.intervalMs);
    const time = (id, name, valueOf, look, now) => {
      const points = intervals.map((interval) => ({ at: interval.at, value: valueOf(interval) }));
      drawTime(element(id), name, points, at, pauseMs, look);
      set(id + '-now', now ?? (points.length === 0 ? '–' : look.format(points.at(-1).value)));
    };
    drawGroups(element('groups'), intervals, at);
    time('records', 'Records a second', ({ records, seconds }) => records / seconds, { format: count, least: 10 });
    time('bytes', 'Bytes a second', (interval) => interval.bytes / interval.seconds, { format: byteRate, least: 1000, isSecond: true });
    time('rings', 'Share of the rings in use', ({ ringShare }) => ringShare, { format: percent, most: 1 },
      percent(figures.ringsUsedBytes / Math.max(1, figures.ringsCapacityBytes)) + ' of ' + bytes(figures.ringsCapacityBytes));
    time('flights', 'Appends in flight', ({ inFlight }) => inFlight, { format: count, least: 10, isSecond: true });
    set('syncs-says', drawSyncs(element('syncs'), intervals, at));
    drawSegments(figures);
  }

  function draw() {
    if (history === undefined) return;
    drawState();
    set('directory', history.directory);
    if (update.figures === null) return;
    drawFigures(update.figures);
    drawCharts(update.figures);
  }

  function take(next, added) {
    update = next;
    intervals = recent([...intervals, ...added], update.at, WINDOW_MS);
    isConnected = true;
    due();
  }

  function listen() {
    const source = new EventSource('events');
    source.addEventListener('history', ({ data }) => {
      history = JSON.parse(data);
      intervals = [];
      take(history.update, history.intervals);
    });
    source.addEventListener('update', ({ data }) => {
      const next = JSON.parse(data);
      take(next, next.interval === null ? [] : [next.interval]);
    });
    source.addEventListener('error', () => {
      isConnected = false;
      drawState();
      // After an answer that is none the browser gives up; after a lost connection it does not.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    });
  }

  const observer = new ResizeObserver(due);
  for (const place of document.querySelectorAll('.plot')) observer.observe(place);
  listen();
}
`;
