/// <reference lib="dom" />
/**
 * client: what the page does in the browser: draws the charts, and hides and shows systems, changes views and themes. Its
 * functions are put into the page as source (script.ts): all are exported, and they use only each other and their
 * arguments.
 */
interface Chart {
  setOption(option: unknown, notMerge: boolean): void;
  dispatchAction(action: object): void;
  resize(size?: { width: number | 'auto' }): void;
}

/** What a figure whose panels share their names needs to know of its options. */
interface NamedOption {
  readonly yAxis: readonly { readonly axisLabel: { show?: boolean } }[];
}

interface Charts {
  init(element: HTMLElement, theme: null, options: { renderer: 'svg' }): Chart;
}

type Dictionary = Readonly<Record<string, unknown>>;

export interface PageData {
  readonly light: Readonly<Record<string, string>>;
  readonly dark: Readonly<Record<string, string>>;
  /** Options of a figure's panels, by figure and view. */
  readonly figures: Readonly<Record<string, readonly (readonly object[])[]>>;
  /** Systems that are left out at first. */
  readonly hidden: readonly string[];
}

interface Page {
  readonly echarts: Charts;
  readonly data: PageData;
  readonly formats: Dictionary;
  readonly dress: (value: unknown, dictionary: Dictionary) => unknown;
  readonly hidden: Set<string>;
  readonly shown: Map<HTMLElement, Chart[]>;
  isPrinting: boolean;
}

export function startPage(echarts: Charts, data: PageData, formats: Dictionary, dress: Page['dress']): void {
  const shown: Page['shown'] = new Map();
  const page: Page = {
    ...{ echarts, data, formats, dress, shown },
    hidden: new Set(data.hidden),
    isPrinting: false,
  };
  document.documentElement.classList.add('is-live');
  const figures = [...document.querySelectorAll<HTMLElement>('[data-figure]')];
  listen(page);
  // One figure at a time, so that the page can be read and scrolled meanwhile.
  const next = (): void => {
    const figure = figures.shift();
    if (figure === undefined) return;
    if (!page.shown.has(figure)) drawFigure(page, figure);
    setTimeout(next);
  };
  next();
}

export function drawFigure(page: Page, figure: HTMLElement): void {
  const places = [...figure.querySelectorAll<HTMLElement>('.panel')];
  const chosen = figure.querySelector<HTMLInputElement>('.views input:checked');
  const options = page.data.figures[figure.dataset.figure ?? '']?.[Number(chosen?.value ?? 0)] ?? [];
  const charts = page.shown.get(figure) ?? places.map((place) => initChart(page, figure, place));
  page.shown.set(figure, charts);
  charts.forEach((chart, i) => {
    const option = page.dress(options[i], { ...page.formats, ...themeOf(page) }) as NamedOption;
    const isBeside = i > 0 && places[i]?.offsetTop === places[0]?.offsetTop;
    const names = figure.querySelector('.once') !== null ? option.yAxis[0] : undefined;
    if (names !== undefined) names.axisLabel.show = !isBeside;
    const selected = Object.fromEntries([...page.hidden].map((name) => [name, false]));
    chart.setOption({ ...option, legend: { show: false, selected } }, true);
  });
}

export function initChart(page: Page, figure: HTMLElement, place: HTMLElement): Chart {
  place.replaceChildren();
  const chart = page.echarts.init(place, null, { renderer: 'svg' });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (page.isPrinting) return;
    chart.resize();
    // Panels that stood side by side may stand below each other now.
    if (width !== place.clientWidth && place.closest('.once') !== null) drawFigure(page, figure);
    width = place.clientWidth;
  }).observe(place);
  return chart;
}

export function themeOf({ data, isPrinting }: Page): Readonly<Record<string, string>> {
  if (isPrinting) return data.light;
  const chosen = document.documentElement.dataset.theme;
  const isDark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  return isDark ? data.dark : data.light;
}

export function listen(page: Page): void {
  const redraw = (): void => {
    for (const figure of page.shown.keys()) drawFigure(page, figure);
  };
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.name === 'theme') chooseTheme(target.value, redraw);
    const figure = target.closest<HTMLElement>('[data-figure]');
    if (figure !== null) drawFigure(page, figure);
  });
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (button === null) return;
    const { system, show, csv } = button.dataset;
    if (system !== undefined) chooseSystem(page, button, system, event.shiftKey || event.altKey);
    if (show !== undefined) chooseSystems(page, show === 'all' ? [] : page.data.hidden);
    if (csv !== undefined) saveTable(button, csv);
  });
  for (const [kinds, action] of [
    [['pointerover', 'focusin'], 'highlight'],
    [['pointerout', 'focusout'], 'downplay'],
  ] as const) {
    for (const kind of kinds) document.addEventListener(kind, ({ target }) => point(page, target, action));
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  const print = (isPrinting: boolean) => (): void => {
    page.isPrinting = isPrinting;
    for (const [figure, charts] of page.shown) {
      // The sheet's width can't be asked for: half of A4 or letter where panels stand side by side, as style.ts has it.
      const isWide = charts.length === 1 || figure.querySelector('.stacked') !== null;
      for (const chart of charts) chart.resize({ width: isPrinting ? (isWide ? 670 : 325) : 'auto' });
    }
    // Last: it draws at once, a new size only with the next frame.
    redraw();
  };
  addEventListener('beforeprint', print(true));
  addEventListener('afterprint', print(false));
  for (const input of document.querySelectorAll<HTMLInputElement>('[name=theme]')) {
    input.checked = input.value === document.documentElement.dataset.theme;
  }
}

export function chooseTheme(theme: string, redraw: () => void): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('ringwal-theme', theme);
  } catch {
    // A page without storage forgets the choice.
  }
  redraw();
}

/** The pointer or the focus is on a system's key: its line comes forward. */
export function point(page: Page, target: EventTarget | null, type: 'highlight' | 'downplay'): void {
  const key = target instanceof Element ? target.closest<HTMLElement>('button[data-system]') : null;
  const figure = key?.closest<HTMLElement>('[data-figure]');
  if (!key || !figure) return;
  for (const chart of page.shown.get(figure) ?? [])
    chart.dispatchAction({ type, seriesName: key.dataset.system });
}

/** A click shows or hides a system in all figures; with Shift or Alt it alone stays, of those in its legend. */
export function chooseSystem(page: Page, key: HTMLElement, system: string, isAlone: boolean): void {
  const hidden = new Set(page.hidden);
  if (isAlone) {
    for (const other of key.closest('[data-figure]')?.querySelectorAll<HTMLElement>('[data-system]') ?? []) {
      hidden.add(other.dataset.system ?? '');
    }
    hidden.delete(system);
  } else if (!hidden.delete(system)) hidden.add(system);
  chooseSystems(page, [...hidden]);
}

export function chooseSystems(page: Page, hidden: readonly string[]): void {
  page.hidden.clear();
  for (const name of hidden) page.hidden.add(name);
  for (const key of document.querySelectorAll<HTMLElement>('button[data-system]')) {
    key.setAttribute('aria-pressed', String(!page.hidden.has(key.dataset.system ?? '')));
  }
  for (const figure of page.shown.keys()) drawFigure(page, figure);
}

/** The table beside the button, as a file of comma-separated values. */
export function saveTable(button: HTMLElement, name: string): void {
  const rows = [...(button.closest('details')?.querySelectorAll('tr') ?? [])];
  const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  // A cell of several values is as many columns: a median, the least, the greatest.
  const valuesOf = (cell: HTMLElement): string[] =>
    cell.dataset.values?.split('|') ?? [(cell.textContent ?? '').trim()];
  const text = rows
    .map((row) =>
      [...row.children]
        .flatMap((cell) => valuesOf(cell as HTMLElement))
        .map(quote)
        .join(','),
    )
    .join('\r\n');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
