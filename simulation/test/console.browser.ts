/**
 * A campaign from its release to its end, by two people in real browsers, over a thousand vehicles of which
 * every third fails until it is mended.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before, describe, it, type TestContext } from 'node:test';
import { createToken, inviteFirst } from '@immota/cloud';
import { buildConsole } from '@immota/console';
import type { Browser, Page } from 'playwright-core';
import { checkInAll } from '../fleet/light-fleet.ts';
import { signLineRelease } from '../fleet/line.ts';
import { openWorld, type World } from '../fleet/world.ts';
import { findBrowser, lookAt, openBrowser, openPage, screenPath } from './browser/browser.ts';

const VEHICLES = 1000;
const PASSWORD = 'correct horse battery staple';
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/immota-console');
/** More rounds than any campaign here needs. */
const ROUNDS_MAX = 12;
const program = findBrowser();

describe('the console', { skip: program === undefined && 'not run: no Chromium' }, () => {
  let folder: string;
  let world: World;
  let browser: Browser;
  let ada: Page;
  let ben: Page;
  const seen: string[] = [];
  const broken: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'immota-console-'));
    world = await openWorld({
      folder: join(folder, 'data'),
      vehicles: VEHICLES,
      consoleFiles: { folder: await buildConsole({ cacheFolder: CACHE }) },
      failed: (error) => broken.push(String(error)),
      // Whatever runs version 2 falls back: the update from there has a fault.
      behaviour: (index) => (index % 3 === 0 ? { failsWith: 'INSTALL_FAILED' } : {}),
    });
    await checkInAll(world.vehicles);
    browser = await openBrowser(program ?? '');
    const { operator } = world.platform.urls;
    ada = await openPage(browser, operator);
    ben = await openPage(browser, operator);
    for (const page of [ada, ben]) page.on('pageerror', (error) => broken.push(error.message));
  });

  after(async () => {
    await browser?.close();
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(async (context) => {
    // What was on the screens when a test failed says more than the step that it failed at.
    if ((context as TestContext).passed) return;
    for (const [name, page] of Object.entries({ ada, ben })) {
      await page?.screenshot({ path: screenPath(`failed-${context.name}-${name}`) });
    }
  });

  const look = async (page: Page, name: string): Promise<void> => {
    seen.push(...(await lookAt(page, name)));
  };

  it('lets the first administrator in by a link that is good once', async () => {
    const code = await inviteFirst(world.platform.cloud.context);
    const link = `/auth/invitation?code=${code ?? ''}`;
    await ada.goto(link);
    await ada.getByLabel('E-mail').fill('ada@example.com');
    await ada.getByLabel('Name').fill('Ada');
    await ada.getByLabel('Password').first().fill(PASSWORD);
    await ada.getByRole('button').click();
    await ada.getByRole('heading', { name: 'Fleet cockpit' }).waitFor();
    await look(ada, '01-cockpit');
    await ben.goto(link);
    await ben.getByText('it was used').waitFor();
  });

  it('lets a second person in, who approves', async () => {
    await ada.goto('/access');
    await ada.getByLabel('Name').fill('Ben');
    await ada.getByLabel('E-mail').fill('ben@example.com');
    await choose(ada, 'Role', /approver/i);
    await ada.getByRole('button', { name: 'Let a person in' }).click();
    const told = await ada.locator('code', { hasText: '/auth/invitation' }).textContent();
    await look(ada, '02-access');
    await ben.goto(told ?? '');
    await ben.getByLabel('Password').first().fill(PASSWORD);
    await ben.getByRole('button').click();
    await ben.getByRole('heading', { name: 'Fleet cockpit' }).waitFor();
  });

  it('shows a release as soon as it is signed, and takes its dossier', async () => {
    await ada.goto('/releases');
    await ada.getByText('No release yet').waitFor();
    await ada.getByText('Live', { exact: true }).waitFor();
    await takeRelease(world);
    await ada.getByRole('link', { name: /Family line/ }).click();
    await ada.getByText('9 of 9 items are missing').waitFor();
    for (const item of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) await writeItem(ada, item);
    await ada.getByText('Complete', { exact: true }).waitFor();
    await look(ada, '03-release');
    await ada.getByRole('link', { name: 'Dependencies' }).click();
    await ada.getByRole('heading', { level: 1 }).waitFor();
    await look(ada, '04-graph');
  });

  it('plans and rehearses a campaign', async () => {
    await ada.goto('/campaigns/new');
    await ada.getByLabel(/^Name/).first().fill('Winter brakes');
    await choose(ada, 'Release', /Family line/);
    await ada.getByLabel('Query', { exact: true }).fill('vehicle.model != "Nothing"');
    await ada.getByText('1,000 vehicles match').waitFor();
    await removeWave(ada, 'Early');
    await fillNumbers(ada, 'Up to % of vehicles', ['10']);
    await fillNumbers(ada, 'Outcomes known', ['20', '1']);
    await fillNumbers(ada, 'Soak, hours', ['0', '0']);
    await fillNumbers(ada, 'Failures at most, %', ['5']);
    await fillNumbers(ada, 'Left alone after a failure, hours', ['0']);
    await look(ada, '05-designer');
    await ada.getByRole('button', { name: 'Save and rehearse' }).click();
    await ada.getByText('Every vehicle that matches can be updated.').waitFor();
    await look(ada, '06-rehearsal');
  });

  it('lets nobody approve what is their own, and somebody else', async () => {
    await ada.goto('/campaigns');
    await ada.getByRole('link', { name: 'Winter brakes' }).click();
    await ada.getByRole('button', { name: 'Hand in for approval' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Hand in for approval' }).click();
    await ada.getByText('It is your own').waitFor();
    await ben.goto('/campaigns');
    await ben.getByRole('link', { name: 'Winter brakes' }).click();
    await ben.getByRole('button', { name: 'Approve' }).click();
    await ben.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await ben.getByText('Approved by').waitFor();
  });

  it('starts it, and sees it hold by itself', async () => {
    await ada.getByRole('button', { name: 'Start' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
    await ada.getByRole('button', { name: 'Pause' }).waitFor();
    await runUntil(world, 'held');
    await ada.getByText('The campaign holds in wave 1').waitFor();
    await look(ada, '07-held');
    const failed = world.vehicles.filter((_, index) => index % 3 === 0);
    const mended = [...failed].filter((one) => one.running().get('brake-hw')?.endsWith('3.bin'));
    assert.deepEqual(mended, [], 'no vehicle runs what it refused');
  });

  it('shows where failures gather, and why a vehicle is not updated', async () => {
    await ada.getByRole('link', { name: 'Where failures gather' }).click();
    await ada.getByRole('heading', { level: 1 }).waitFor();
    await look(ada, '08-failures');
    await ada.goto('/vehicles/LIGHT0000001');
    await ada.getByText('Next step').waitFor();
    await look(ada, '09-vehicle');
  });

  it('goes on with a reason, and finishes when every vehicle attests the release', async () => {
    for (const vehicle of world.vehicles) vehicle.behaviour = {};
    await ada.goto('/campaigns');
    await ada.getByRole('link', { name: 'Winter brakes' }).click();
    await ada.getByRole('button', { name: 'Resume' }).click();
    const dialog = ada.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('The update from version 2 was mended on the way.');
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await ada.getByRole('button', { name: 'Pause' }).waitFor();
    await runUntil(world, 'finished');
    await ada.reload();
    await ada.getByRole('heading', { name: 'Winter brakes' }).waitFor();
    await look(ada, '10-finished');
    const behind = world.vehicles.filter((one) =>
      [...one.running().values()].some((image) => !image.endsWith('-3.bin')),
    );
    assert.equal(behind.length, 0);
  });

  it('keeps all of it in the audit log, and finds it whole', async () => {
    for (const [path, name] of [
      ['/audit', '11-audit'],
      ['/keys', '12-keys'],
      ['/rxswins', '13-rxswins'],
      ['/fleet', '14-fleet'],
      ['/campaigns', '15-campaigns'],
    ] as const) {
      await ada.goto(path);
      await ada.getByRole('heading', { level: 1 }).waitFor();
      await look(ada, name);
    }
    await ada.goto('/audit');
    await ada.getByLabel('Kind begins with').fill('campaign.');
    await ada.getByText('campaign.approved').first().waitFor();
    await ada.getByRole('button', { name: 'Check the chain' }).click();
    await ada
      .getByText(/intact|whole/i)
      .first()
      .waitFor();
  });

  it('breaks nowhere, and puts nothing serious in the way of who cannot see it', () => {
    assert.deepEqual(broken, []);
    assert.deepEqual(seen, []);
  });
});

/** Brings a release as a release engineer's command line does, with a token. */
async function takeRelease({ platform }: World): Promise<void> {
  const { cloud, urls } = platform;
  const { token } = await createToken(cloud.context, {
    name: 'release engineer',
    role: 'release-engineer',
    uploadsFor: [],
    ttlDays: 1,
  });
  const response = await fetch(`${urls.operator}/api/v1/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: Buffer.from(await signLineRelease(cloud, 3)),
  });
  assert.equal(response.status, 201);
}

/** Chooses from a list that opens. */
async function choose(page: Page, label: string, option: RegExp): Promise<void> {
  await page.locator('input').and(page.getByLabel(label)).click();
  await page.getByRole('option', { name: option }).click();
}

/** Writes one fact of the dossier; nothing of type approval is affected. */
async function writeItem(page: Page, item: string): Promise<void> {
  const line = page.locator('.check').filter({ hasText: `${item}) ` });
  await line.getByRole('button', { name: /^Write/ }).click();
  if ('cdefhi'.includes(item)) {
    await line.getByText('hi'.includes(item) ? 'yes' : 'no', { exact: true }).click();
  }
  await line.getByLabel('Text').fill(`What is to be said of item ${item}.`);
  if ('hi'.includes(item)) {
    await line.locator('input[type=file]').setInputFiles({
      name: `report-${item}.pdf`,
      mimeType: 'application/pdf',
      buffer: Buffer.from(`report ${item}`),
    });
    await line.getByLabel('Name of the document').waitFor();
  }
  await line.getByRole('button', { name: 'Save' }).click();
  await line.getByRole('button', { name: /^Write/ }).waitFor();
}

async function removeWave(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Remove wave ${name}` }).click();
}

/** Fills number fields of one label in their order. */
async function fillNumbers(page: Page, label: string, values: readonly string[]): Promise<void> {
  for (const [index, value] of values.entries()) {
    await page.getByLabel(label).nth(index).fill(value);
    await page.keyboard.press('Tab');
  }
}

/** Lets the fleet check in round after round until the campaign is in a state. */
async function runUntil({ platform, vehicles }: World, state: string): Promise<void> {
  const { kysely } = platform.cloud.context.database;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { problems } = await checkInAll(vehicles);
    assert.deepEqual([...problems], []);
    const { state: now } = await kysely
      .selectFrom('campaign')
      .select('state')
      .executeTakeFirstOrThrow();
    if (now === state) return;
  }
  assert.fail(`the campaign never was ${state}`);
}
