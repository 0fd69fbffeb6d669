/** segments-script: the map of segments, for pointers and keys, as source of the page's script. */
export const SEGMENTS_SCRIPT = `
// Blocks stay the same elements while their segments live, so that their fill can grow.
function segmentMap(map, detail, spoken) {
  const blocks = new Map();
  let rows = [];
  let capacity = 0;
  let summary = '';
  let chosen;

  const show = () => {
    const row = rows.find(([number]) => number === chosen);
    for (const [number, block] of blocks) block.classList.toggle('chosen', number === chosen);
    detail.textContent = row === undefined ? summary : segmentText(row, capacity);
    return row;
  };
  const choose = (number) => {
    chosen = number;
    return show();
  };
  map.addEventListener('pointerover', ({ target }) => {
    const block = target.closest('li');
    choose(block === null ? undefined : Number(block.dataset.number));
  });
  map.addEventListener('pointerleave', () => choose(undefined));
  map.addEventListener('blur', () => choose(undefined));
  map.addEventListener('keydown', (event) => {
    const at = rows.findIndex(([number]) => number === chosen);
    const steps = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 };
    if (!(event.key in steps) || rows.length === 0) return;
    event.preventDefault();
    // Without a chosen one the keys begin with the newest.
    const next = at === -1 && event.key.startsWith('Arrow') ? rows.length - 1 : steps[event.key];
    const row = choose(rows[Math.min(rows.length - 1, Math.max(0, next))][0]);
    spoken.textContent = segmentText(row, capacity);
  });

  return (figures) => {
    rows = figures.segments;
    // Without knowing the size of a segment, the largest is taken for full.
    capacity = figures.segmentCapacity;
    const full = capacity > 0 ? capacity : Math.max(1, ...rows.map(([, , , size]) => size));
    const numbers = new Set(rows.map(([number]) => number));
    for (const [number, block] of blocks) {
      if (numbers.has(number)) continue;
      block.remove();
      blocks.delete(number);
    }
    for (const row of rows) {
      const [number, , , size, isClosed] = row;
      let block = blocks.get(number);
      if (block === undefined) {
        block = document.createElement('li');
        block.dataset.number = number;
        block.append(document.createElement('i'), document.createElement('span'));
        block.lastChild.textContent = whole(number);
        blocks.set(number, block);
        map.append(block);
      }
      block.classList.toggle('active', !isClosed);
      block.firstChild.style.setProperty('--fill', Math.min(100, (100 * size) / full).toFixed(1) + '%');
    }
    map.classList.toggle('tight', rows.length > 60);
    map.style.setProperty('--block', rows.length > 60 ? '26px' : '74px');
    const { segmentCount, segmentBytes, firstLsn, durableLsn } = figures;
    const older = segmentCount - rows.length;
    const held = durableLsn >= firstLsn ? ', LSN ' + whole(firstLsn) + ' to ' + whole(durableLsn) : '';
    summary = segmentCount === 0 ? 'The log holds no records.' : (segmentCount === 1 ? '1 segment' : whole(segmentCount) + ' segments') + ', ' + bytes(segmentBytes) + held +
      (older > 0 ? '; ' + whole(older) + ' older ones are not drawn' : '');
    show();
  };
}
`;
