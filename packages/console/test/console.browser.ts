/** Every screen in a real browser, against fixed answers: seen, sharp for all eyes, and within its policy. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { buildConsole } from '@immota/console';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ANSWERS } from './fixture/answers.ts';
import { type Fixture, serveFixture } from './fixture/serve-fixture.ts';
import { findChromium } from './support/find-chromium.ts';

const SHOTS = new URL('../../../reports/screens/', import.meta.url).pathname;
const SCREENS: Readonly<Record<string, string>> = {
  cockpit: '/',
  fleet: '/fleet?query=vehicle.model+%3D%3D+%22X1%22',
  'vehicle-why-not': '/vehicles/WIM1000003',
  'vehicle-timeline': '/vehicles/WIM1000003?tab=timeline',
  'vehicle-configuration': '/vehicles/WIM1000003?tab=configuration',
  'vehicle-consents': '/vehicles/WIM1000003?tab=consents',
  'vehicle-events': '/vehicles/WIM1000003?tab=events',
  campaigns: '/campaigns',
  designer: '/campaigns/new',
  rehearsal: '/campaigns/c-brake/rehearsal',
  'live-campaign': '/campaigns/c-winter',
  failures: '/campaigns/c-winter/failures',
  releases: '/releases',
  'release-dossier': '/releases/r-winter',
  'dependency-graph': '/releases/r-winter/graph',
  rxswin: '/rxswins',
  keys: '/keys',
  audit: '/audit',
  'access-people': '/access',
  'access-tokens': '/access?tab=tokens',
  'access-keys': '/access?tab=keys',
  'access-webhooks': '/access?tab=webhooks',
  'access-me': '/access?tab=me',
};
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1440, height: 900 }, locale: 'en-GB' },
  dark: { colorScheme: 'dark', viewport: { width: 1024, height: 768 }, locale: 'de-DE' },
};

let browser: Browser;
let fixture: Fixture;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  const folder = await buildConsole({ cacheFolder: join(tmpdir(), 'immota-console-tests') });
  fixture = await serveFixture(folder, ANSWERS);
  browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
});
after(async () => {
  await browser.close();
  await fixture.close();
});

/** Opens a page that remembers what the browser complained of. */
async function open(
  path: string,
  options: BrowserContextOptions = LOOKS['light'] ?? {},
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`${fixture.url}${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, complaints };
}

/** Waits until nothing loads any more and charts are drawn. */
async function settle(page: Page): Promise<void> {
  await page
    .locator('[role="status"] .mantine-Skeleton-root')
    .first()
    .waitFor({ state: 'detached' });
  await page.locator('[data-ready="false"]').first().waitFor({ state: 'detached' });
}

for (const [look, options] of Object.entries(LOOKS)) {
  describe(`every screen, ${look}`, () => {
    for (const [name, path] of Object.entries(SCREENS)) {
      it(`shows ${name} without a serious finding of axe or a breach of its policy`, async () => {
        const { page, complaints } = await open(path, options);
        await settle(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        await page.screenshot({ path: join(SHOTS, `${name}-${look}.png`), fullPage: true });
        const serious = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ''));
        const told = serious.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map(({ html }) => html)
              .join(' | ')
              .slice(0, 600)}`,
        );
        await page.context().close();
        assert.deepEqual({ told, complaints }, { told: [], complaints: [] });
      });
    }
  });
}

describe('keyboard', () => {
  it('goes to screens by g and a letter, and finds a vehicle by Ctrl-K', async () => {
    const { page } = await open('/');
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await page.waitForURL('**/campaigns');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /Find/ }).fill('WIM');
    await page.getByRole('option', { name: /WIMX1000100000000/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/vehicles/**');
    await page.context().close();
  });

  it('lists the keys by ?', async () => {
    const { page } = await open('/');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.context().close();
  });
});

describe('lists', () => {
  it('hold sorting and page in the address, and go back by Back', async () => {
    const { page } = await open('/fleet');
    await page.getByRole('button', { name: 'Last seen' }).click();
    await page.waitForURL('**/fleet?sort=lastSeenAt');
    await page.getByRole('button', { name: 'Next', exact: true }).click();
    await page.waitForURL(/after=100/);
    await page.goBack();
    await page.waitForURL('**/fleet?sort=lastSeenAt');
    await page.context().close();
  });
});

describe('changes', () => {
  it('say what they will do, ask why, and are sent with the reason', async () => {
    const { page } = await open('/campaigns/c-winter');
    await page.getByRole('button', { name: 'Resume' }).click();
    const dialog = page.getByRole('dialog', { name: 'Resume' });
    await dialog.getByText('379,800 vehicles').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Resume' }).isDisabled());
    await dialog.getByLabel('Reason').fill('The cause was a depot without power');
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const sent = fixture.asked.findLast(({ name }) => name === 'resumeCampaign');
    assert.deepEqual(sent?.asked.body, { reason: 'The cause was a depot without power' });
    await page.context().close();
  });

  it('sign a decision with a key that cannot be taken out of the browser', async () => {
    const { page } = await open('/campaigns/c-brake');
    await page.getByRole('button', { name: 'Hand in for approval' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('cannot leave this browser').waitFor();
    await dialog.getByRole('button', { name: 'Hand in for approval' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const registered = fixture.asked.find(({ name }) => name === 'createSigningKey');
    const sent = fixture.asked.findLast(({ name }) => name === 'submitCampaign');
    assert.ok(registered !== undefined && sent !== undefined);
    // As text: these tests are compiled without the names of a browser.
    const isExtractable: unknown = await page.evaluate(`(async () => {
      const request = indexedDB.open('immota-signing', 1);
      await new Promise((resolve) => request.addEventListener('success', resolve));
      const all = request.result.transaction('keys').objectStore('keys').getAll();
      await new Promise((resolve) => all.addEventListener('success', resolve));
      return all.result.map(({ privateKey }) => privateKey.extractable);
    })()`);
    assert.deepEqual(isExtractable, [false]);
    await page.context().close();
  });
});

describe('live', () => {
  it('asks again for what an event makes old', async () => {
    const { page } = await open('/campaigns');
    await page.getByText('Live', { exact: true }).waitFor();
    const again = page.waitForResponse((response) => response.url().includes('/campaigns?'));
    fixture.send({ stream: 'fleet', sequence: 1, kind: 'campaign.paused' });
    assert.equal((await again).status(), 200);
    await page.context().close();
  });
});

describe('languages', () => {
  it('change at once and are remembered', async () => {
    const { page } = await open('/');
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByRole('menuitem', { name: '中文' }).click();
    await page.getByRole('heading', { name: '车队驾驶舱' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '车队驾驶舱' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans');
    await page.context().close();
  });
});

describe('somebody who is not known', () => {
  it('is led to the sign-in and back', async () => {
    const context = await browser.newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    const refusal = {
      type: 'urn:x',
      title: 'UNAUTHENTICATED',
      status: 401,
      code: 'UNAUTHENTICATED',
    };
    await page.route('**/api/v1/session', (route) =>
      route.fulfill({ status: 401, contentType: 'application/problem+json', json: refusal }),
    );
    await page.goto(`${fixture.url}/keys?x=1`);
    const link = page.getByRole('link', { name: 'Sign in' });
    assert.equal(await link.getAttribute('href'), '/auth/login?return=%2Fkeys%3Fx%3D1');
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(
      violations.filter(({ impact }) => /serious|critical/.test(impact ?? '')),
      [],
    );
    await page.screenshot({ path: join(SHOTS, 'sign-in-light.png') });
    await context.close();
  });
});
