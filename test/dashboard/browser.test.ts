/** browser: the page in Chromium: its numbers move while a log is appended to, and it asks nobody but its own server. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ShownLog, serveDashboard } from '../../dist/src/dashboard/index.js';
import { type Log, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { FakeLog, segment } from './fake-log.js';

function chromiumPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROMIUM_PATH ?? [], found].flat().find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const executablePath = chromiumPath();

describe.skipIf(executablePath === undefined)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    // Chromium's sandbox does not work for root.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: executablePath ?? '', args });
  });
  afterAll(() => browser.close());

  interface Shown {
    readonly page: Page;
    /** Errors and warnings of the console, and requests to others. */
    readonly faults: string[];
    close(): Promise<void>;
  }

  async function opened(): Promise<Log> {
    const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 65_536 });
    onTestFinished(() => log.close());
    return log;
  }

  async function shown(log: ShownLog): Promise<Shown> {
    const { url, close } = await serveDashboard(log, { intervalMs: 100 });
    onTestFinished(close);
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    onTestFinished(() => page.close());
    const faults: string[] = [];
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url());
    });
    await page.goto(url);
    await textIs(page, 'state', 'open');
    return { page, faults, close };
  }

  async function textIs(page: Page, id: string, text: string): Promise<void> {
    await page
      .locator(`#${id}`)
      .filter({ hasText: new RegExp(`^${text}$`) })
      .waitFor();
  }

  it('shows what is appended as it happens, and how the log ends', async () => {
    const log = await opened();
    const { page, faults, close } = await shown(log);
    await textIs(page, 'durable', '0');
    for (const lsn of ['300', '600']) {
      await Promise.all(Array.from({ length: 300 }, () => log.append(Buffer.alloc(200))));
      await textIs(page, 'durable', lsn);
    }
    await textIs(page, 'records-total', '600');
    await page.locator('#groups circle.now').waitFor();
    await page.locator('#records path.curve').waitFor();
    await page.locator('#syncs rect.short').first().waitFor();
    await page.locator('#map li.active').waitFor();
    expect(await page.locator('#map li').count()).toBe((await log.segments()).length);
    await page.hover('#map li:first-child');
    await textIs(page, 'detail', 'Segment 1 · closed · .* of 64 KiB · LSN 1 to .* records');
    await page.focus('#map');
    await page.keyboard.press('End');
    await page.locator('#map li:last-child.chosen').waitFor();
    expect(await page.locator('#spoken').textContent()).toMatch(/^Segment \d+ · active/);
    expect(await page.locator('#rate').textContent()).toMatch(/^\d/);
    await log.close();
    await textIs(page, 'state', 'closed');
    expect(await page.locator('#trouble').innerText()).toContain('The log is closed');
    await page.reload();
    await textIs(page, 'state', 'closed');
    await textIs(page, 'durable', '600');
    expect(faults).toEqual([]);
    await close();
    await textIs(page, 'state', 'no connection');
  });

  it('says at the top what troubles a log, and no longer than it does', async () => {
    const log = new FakeLog();
    const { page, faults } = await shown(log);
    const trouble = page.locator('#trouble');
    expect(await trouble.isVisible()).toBe(false);
    log.more = { maintenanceError: 'ENOSPC: no space left on device.' };
    await trouble
      .filter({ hasText: /Maintenance fails.*ENOSPC.*device\. It is tried again.*appends wait/s })
      .waitFor();
    await textIs(page, 'state', 'open');
    log.more = {};
    await trouble.waitFor({ state: 'hidden' });
    let answer = (): void => {};
    log.answering = new Promise((resolve) => {
      answer = resolve;
    });
    await textIs(page, 'state', 'no answer');
    await trouble.filter({ hasText: /The log does not answer/ }).waitFor();
    answer();
    await textIs(page, 'state', 'open');
    log.more = { ioErrors: 1 };
    await textIs(page, 'state', 'failed');
    await trouble.filter({ hasText: /The log has failed: RINGWAL_POISONED/ }).waitFor();
    expect(faults).toEqual([]);
  });

  it('names each of many segments to who hears it, and fits all figures on the narrowest screen', async () => {
    const log = new FakeLog();
    log.shown = Array.from({ length: 61 }, (_, i) => segment(i + 1, i < 60));
    const { page } = await shown(log);
    await page.setViewportSize({ width: 320, height: 800 });
    await page.locator('#map.tight').waitFor();
    expect(await page.locator('#map').ariaSnapshot()).toMatch(/listitem: "?1"?\n(.*\n)*.*listitem: "?61"?/);
    const wide = `[...document.querySelectorAll('.fact dl div')].flatMap((row) => {
      row.lastChild.textContent = '1023.9 KiB';
      return row.scrollWidth > row.clientWidth ? [row.textContent] : [];
    })`;
    expect(await page.evaluate(wide)).toEqual([]);
  });

  it('is readable in the dark and on a narrow screen, and each picture says what it shows', async () => {
    const log = await opened();
    const { page, faults } = await shown(log);
    await log.append('x');
    await textIs(page, 'durable', '1');
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).toBe('rgb(251, 250, 248)');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).toBe('rgb(15, 17, 20)');
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      // Drawn anew for the width that they have now.
      const misfits = `[...document.querySelectorAll('.plot')]
        .filter((plot) => plot.firstChild?.getAttribute('viewBox') !== '0 0 ' + plot.clientWidth + ' ' + plot.clientHeight)
        .map(({ id }) => id)`;
      await expect.poll(() => page.evaluate(misfits)).toEqual([]);
    }
    const labels = `[...document.querySelectorAll('svg[role=img]')].map((svg) => svg.getAttribute('aria-label'))`;
    expect(await page.evaluate(labels)).toEqual([
      expect.stringMatching(/^Group size against latency: now groups of 1, /),
      expect.stringMatching(/^Records a second, the last two minutes: now /),
      expect.stringMatching(/^Bytes a second, the last two minutes: now /),
      expect.stringMatching(/^How long a write and its sync take. Of \d+ in two minutes, half took at most /),
      expect.stringMatching(/^Share of the rings in use, the last two minutes: now /),
      expect.stringMatching(/^Appends in flight, the last two minutes: now /),
    ]);
    expect(faults).toEqual([]);
  });
});
