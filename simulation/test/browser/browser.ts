/** A real browser, and people who use it: each in a profile of their own. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
/** Where screenshots go. */
const SCREENS = resolve(import.meta.dirname, '../../../reports/screens');
/** A page of a busy machine may take this long, and no test waits for it otherwise. */
const PATIENCE_MS = 60_000;
/** What stands between a person and a screen. */
const SERIOUS = new Set(['serious', 'critical']);

/** Finds the browser; undefined where there is none. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts the browser. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** Opens a window for somebody new. */
export async function openPage(browser: Browser, baseURL: string): Promise<Page> {
  const context = await browser.newContext({
    baseURL,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return await context.newPage();
}

/** Where the picture of a screen goes. */
export function screenPath(name: string): string {
  return join(SCREENS, `${name.replaceAll(/[^a-z0-9-]+/gi, '-')}.png`);
}

/** Takes a picture of a screen, and looks it over as a screen reader's user would have to live with it. */
export async function lookAt(page: Page, name: string): Promise<readonly string[]> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: screenPath(name), fullPage: true });
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => SERIOUS.has(impact ?? ''))
    .map(({ id, nodes }) => `${name}: ${id} at ${String(nodes[0]?.target[0])}`);
}
