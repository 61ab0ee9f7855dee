/** A real browser, as the machine has it, and what every screen has to pass in it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';

/** A head unit in landscape, and a phone. */
export const SIZES = {
  'head-unit': { width: 1280, height: 720 },
  phone: { width: 390, height: 844 },
} as const;
export type Size = keyof typeof SIZES;

const SCREENS = join(import.meta.dirname, '../../../../reports/screens');

/** Starts the browser that stands on PATH. */
export async function startBrowser(): Promise<Browser> {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) =>
      ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)),
    )
    .find((path) => existsSync(path));
  assert.ok(found !== undefined, 'these tests need a chromium on PATH');
  return await chromium.launch({ executablePath: found, args: ['--no-sandbox'] });
}

/** Opens a page of one size; whatever goes wrong in it fails the test. */
export async function openPage(
  browser: Browser,
  size: Size,
  options: { readonly scheme?: 'light' | 'dark'; readonly locale?: string } = {},
): Promise<Page> {
  const { scheme = 'light', locale = 'en' } = options;
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme, locale });
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(error));
  return page;
}

/** The parts of a screen that are narrower than a finger. */
const SMALL_TARGETS = `[...document.querySelectorAll('button, a, select')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map((one) => one.textContent)`;

/** Makes sure that nobody is kept out: no finding, nothing cut off, nothing too small to hit. */
export async function checkAccessible(page: Page, name: string): Promise<void> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  await checkByAxe(new AxeBuilder({ page }).withTags(tags), name);
  const isFitting: unknown = await page.evaluate(
    'document.documentElement.scrollWidth <= document.documentElement.clientWidth',
  );
  assert.ok(isFitting === true, `${name} is wider than its screen`);
  assert.deepEqual(await page.evaluate(SMALL_TARGETS), [], name);
}

/** Makes sure of what other colours may change. */
export async function checkContrast(page: Page, name: string): Promise<void> {
  await checkByAxe(new AxeBuilder({ page }).withRules(['color-contrast']), name);
}

async function checkByAxe(axe: AxeBuilder, name: string): Promise<void> {
  const { violations } = await axe.analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
  );
  assert.deepEqual(found, [], name);
}

/** Keeps a picture of a screen for people to look at. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`), animations: 'disabled' });
}
