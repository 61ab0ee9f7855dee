import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  checkAccessible,
  checkContrast,
  keepPicture,
  openPage,
  type Size,
  SIZES,
  startBrowser,
} from '../support/browser.ts';
import { FULL_NOTICE, type HmiWorld, makeHmiWorld } from '../support/hmi-world.ts';

let browser: Browser;
before(async () => {
  browser = await startBrowser();
});
after(async () => browser.close());

interface Opened {
  readonly world: HmiWorld;
  readonly page: Page;
}

/** Opens a connected page. */
async function open(
  test: TestContext,
  size: Size,
  options: Parameters<typeof openPage>[2] = {},
): Promise<Opened> {
  const world = await makeHmiWorld(test);
  const page = await openPage(browser, size, options);
  test.after(() => page.close());
  await page.goto(`${world.hmi.url}#${world.codes.at(-1) ?? ''}`);
  await page.getByRole('navigation').waitFor();
  return { world, page };
}

const ESTIMATE = { low: 120_000, likely: 300_000, high: 540_000 };
const MANDATORY = {
  ...FULL_NOTICE,
  purpose: { kind: 'security' },
  mandatory: true,
  postpone: { times: 3, until: '2026-06-20T18:00:00Z', after: 'install' },
};

/** Each screen by its name: how it comes about, and a headline by which it is known. */
const SCREENS: readonly (readonly [string, (world: HmiWorld) => void, RegExp])[] = [
  ['unchecked', () => undefined, /Not checked yet/u],
  [
    'up-to-date',
    (world) => world.tell({ kind: 'check-in-ended', result: 'nothing-new', code: undefined }),
    /up to date/u,
  ],
  ['question-download', (world) => void world.ask({ step: 'download' }), /Winter brakes/u],
  ['question-install', (world) => void world.ask({ step: 'install' }), /Winter brakes/u],
  ['question-restart', (world) => void world.ask({ step: 'activate' }), /Winter brakes/u],
  ['question-mandatory', (world) => void world.ask({}, MANDATORY), /Winter brakes/u],
  [
    'driving',
    (world) => {
      world.ask();
      world.isParked = false;
    },
    /Have a good trip/u,
  ],
  [
    'progress',
    (world) => {
      world.offer();
      world.tell(
        { kind: 'forecast', prepare: ESTIMATE, unusable: ESTIMATE },
        { kind: 'phase', phase: 'activate' },
      );
      world.now = world.now.add({ minutes: 2 });
    },
    /Restarting/u,
  ],
  [
    'progress-unknown',
    (world) => {
      world.offer();
      world.tell({ kind: 'phase', phase: 'roll-back' });
    },
    /Going back/u,
  ],
  [
    'waiting-conditions',
    (world) => {
      world.unmet = ['parking-brake', 'hood-closed'];
      world.offer();
      world.tell({ kind: 'check-in-ended', result: 'waiting', code: 'CONDITIONS' });
    },
    /Almost ready/u,
  ],
  [
    'agreed',
    (world) => {
      world.offer();
      const at = world.now.add({ hours: 13 });
      world.tell(
        { kind: 'consent', step: 'activate', decision: 'accepted', at },
        { kind: 'check-in-ended', result: 'waiting', code: 'CONSENT_PENDING' },
      );
    },
    /Restart on/u,
  ],
  [
    'declined',
    (world) => {
      world.offer();
      world.tell(
        { kind: 'consent', step: 'install', decision: 'declined' },
        { kind: 'check-in-ended', result: 'waiting', code: 'CONSENT_DECLINED' },
      );
    },
    /You said no/u,
  ],
  [
    'result-success',
    (world) => {
      world.offer();
      world.conclude({ 'VIN-brake': 'OK' });
    },
    /is installed/u,
  ],
  [
    'result-as-before',
    (world) => {
      world.offer();
      world.conclude({ 'VIN-brake': 'INSTALL_FAILED', 'VIN-tbox': 'ROLLED_BACK' });
    },
    /as before/u,
  ],
  [
    'result-workshop',
    (world) => {
      world.offer();
      world.conclude({ 'VIN-brake': 'WORKSHOP_REQUIRED' });
    },
    /workshop has to look/u,
  ],
];

const sizes: readonly Size[] = ['head-unit', 'phone'];
for (const size of sizes) {
  describe(`on a ${size} of ${SIZES[size].width} × ${SIZES[size].height}`, () => {
    for (const [name, arrange, headline] of SCREENS) {
      it(`${name} is read and reached by everybody, by day and by night`, async (test) => {
        const { world, page } = await open(test, size);
        arrange(world);
        await page.getByRole('heading', { level: 1, name: headline }).waitFor();
        await checkAccessible(page, `${name}, ${size}`);
        await keepPicture(page, `owner-${name}-${size}-light`);
        await page.emulateMedia({ colorScheme: 'dark' });
        await checkContrast(page, `${name}, ${size}, at night`);
        await keepPicture(page, `owner-${name}-${size}-dark`);
      });
    }
    it('the field for a code is read and reached by everybody', async (test) => {
      const world = await makeHmiWorld(test);
      const page = await openPage(browser, size);
      test.after(() => page.close());
      await page.goto(world.hmi.url);
      await page.getByRole('heading', { name: 'Connect this screen' }).waitFor();
      await checkAccessible(page, `pairing, ${size}`);
      await keepPicture(page, `owner-pairing-${size}-light`);
      await page.getByLabel('Code').fill('0000-0000');
      await page.getByRole('button', { name: 'Connect' }).click();
      await page.getByText('That is not the code.').waitFor();
      await page.getByLabel('Code').fill(world.codes.at(-1) ?? '');
      await page.keyboard.press('Enter');
      await page.getByRole('navigation').waitFor();
    });
    it('history and people are read and reached by everybody', async (test) => {
      const { world, page } = await open(test, size);
      world.offer();
      world.conclude({ 'VIN-brake': 'OK' });
      world.offer();
      world.conclude({ 'VIN-brake': 'INSTALL_FAILED' });
      await page.getByRole('link', { name: 'History' }).click();
      await page.getByText('Not installed; as before').waitFor();
      await checkAccessible(page, `history, ${size}`);
      await keepPicture(page, `owner-history-${size}-light`);
      await page.getByRole('link', { name: 'People' }).click();
      await page.getByRole('button', { name: 'the driver' }).click();
      await page.getByText(/[0-9A-Z]{4}-[0-9A-Z]{4}/u).waitFor();
      await checkAccessible(page, `people, ${size}`);
      await keepPicture(page, `owner-people-${size}-light`);
    });
    it('all three languages fit', async (test) => {
      const { world, page } = await open(test, size);
      world.ask({ step: 'install' }, MANDATORY);
      for (const [language, title] of [
        ['de', 'Winterbremsen'],
        ['zh', '冬季制动'],
      ] as const) {
        await page.getByRole('combobox').selectOption(language);
        await page.getByRole('heading', { level: 1, name: title }).waitFor();
        await checkAccessible(page, `${language}, ${size}`);
        await keepPicture(page, `owner-question-${language}-${size}-light`);
      }
    });
  });
}

describe('the page', () => {
  it('sends the hash of what it has shown, in the language that was read', async (test) => {
    const { world, page } = await open(test, 'phone', { locale: 'de' });
    const { answered } = world.ask({ step: 'install' });
    await page.getByRole('button', { name: 'Ja, jetzt installieren' }).click();
    const answer = await answered;
    assert.deepEqual(
      [answer?.decision, answer?.actor, answer?.locale],
      ['accepted', 'owner', 'de'],
    );
    // The vehicle has compared it with its own; see the refused twin among the HTTP tests.
    assert.match(answer?.textSha256 ?? '', /^[0-9a-f]{64}$/u);
  });
  it('sends nothing that the vehicle would take when its words were altered', async (test) => {
    const { world, page } = await open(test, 'phone');
    world.ask({ step: 'install' });
    await page.getByRole('button', { name: 'Yes, install now' }).waitFor();
    await page.evaluate("document.querySelector('.fact p').textContent = 'Nothing of importance.'");
    await page.getByRole('button', { name: 'Yes, install now' }).click();
    await page.getByText('The question has changed meanwhile.').waitFor();
    assert.deepEqual(world.refused, ['TEXT_CHANGED']);
  });
  it('makes yes and no alike', async (test) => {
    for (const size of sizes) {
      const { world, page } = await open(test, size);
      world.ask({ step: 'install' }, MANDATORY);
      const [yes, no] = [page.locator('#accept'), page.locator('#decline')];
      await yes.waitFor();
      const [left, right] = [await yes.boundingBox(), await no.boundingBox()];
      assert.deepEqual(
        [left?.width, left?.height, left?.y],
        [right?.width, right?.height, right?.y],
      );
      const styles = await page.evaluate(`['#accept', '#decline'].map((one) => {
        const { color, backgroundColor, fontSize, fontWeight } = getComputedStyle(document.querySelector(one));
        return JSON.stringify([color, backgroundColor, fontSize, fontWeight]);
      })`);
      assert.ok(Array.isArray(styles) && styles[0] === styles[1]);
    }
  });
  it('is answered by keyboard alone, and goes on from the new headline', async (test) => {
    const { world, page } = await open(test, 'head-unit');
    const { answered } = world.ask({ step: 'install' });
    await page.getByRole('button', { name: 'Ask me later' }).waitFor();
    const seen: string[] = [];
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press('Tab');
      const focused = String(await page.evaluate('document.activeElement.textContent.trim()'));
      seen.push(focused);
      if (focused === 'Ask me later') break;
    }
    // From the frame to the answers in the order in which they are read.
    const order = ['Update', 'Yes, install now', 'No', 'Yes, at another time', 'Ask me later'];
    const places = order.map((text) => seen.indexOf(text));
    assert.ok(
      places.every((place, index) => place > (places[index - 1] ?? -1)),
      seen.join(' | '),
    );
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.deepEqual((await answered)?.decision, 'postponed');
    await page.locator('#headline:focus').waitFor();
  });
  it('takes a picked time within its bounds', async (test) => {
    const { world, page } = await open(test, 'phone');
    const { answered } = world.ask({ step: 'activate' });
    await page.getByRole('button', { name: 'Yes, at another time' }).click();
    await keepPicture(page, 'owner-other-time-phone-light');
    await checkAccessible(page, 'other time');
    const field = page.getByLabel('Date and time at the vehicle');
    assert.equal(await field.getAttribute('max'), '2026-06-15T14:00');
    await field.fill('2026-06-02T04:15');
    await page.getByRole('button', { name: 'Confirm this time' }).click();
    assert.equal(String((await answered)?.startAt), '2026-06-02T02:15:00Z');
  });
  it('shows its progress again after a reload and after a restart of the vehicle', async (test) => {
    const { world, page } = await open(test, 'phone');
    world.offer();
    world.tell(
      { kind: 'forecast', prepare: ESTIMATE, unusable: ESTIMATE },
      { kind: 'phase', phase: 'install' },
    );
    const bar = page.getByRole('progressbar');
    await bar.waitFor();
    await page.reload();
    await bar.waitFor();
    world.now = world.now.add({ minutes: 3 });
    const { port } = new URL(world.hmi.url);
    await world.stop();
    await page.getByText('The connection to the vehicle is lost.').waitFor();
    await world.start('owner', Number(port));
    await page.getByText('The vehicle was interrupted').waitFor();
    assert.equal(await bar.getAttribute('aria-valuenow'), '60');
  });
  it('says without interrupting what changes, and moves nothing for whoever wants stillness', async (test) => {
    const { world, page } = await open(test, 'phone');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    world.offer();
    world.tell({ kind: 'phase', phase: 'roll-back' });
    await page.getByRole('progressbar').waitFor();
    const status = page.locator('#status');
    assert.equal(await status.getAttribute('role'), 'status');
    await page.locator('#status:not(:empty)').waitFor({ state: 'attached' });
    const animation = await page.evaluate(
      "getComputedStyle(document.querySelector('.fill')).animationName",
    );
    assert.equal(animation, 'none');
  });
  it('has landmarks, one headline, and a way past the frame', async (test) => {
    const { page } = await open(test, 'head-unit');
    for (const role of ['banner', 'navigation', 'main', 'contentinfo'] as const) {
      assert.equal(await page.getByRole(role).count(), 1, role);
    }
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
  });
  it('hides a question that was open when the vehicle drives off', async (test) => {
    const { world, page } = await open(test, 'head-unit');
    world.ask({ step: 'install' });
    await page.getByRole('button', { name: 'Yes, install now' }).waitFor();
    world.isParked = false;
    await page.getByRole('heading', { name: 'Have a good trip' }).waitFor();
    assert.equal(await page.locator('main button').count(), 0);
  });
  it('tells a driver who may decide, and offers nothing to press', async (test) => {
    const world = await makeHmiWorld(test, 'driver');
    const page = await openPage(browser, 'phone');
    test.after(() => page.close());
    await page.goto(`${world.hmi.url}#${world.codes.at(-1) ?? ''}`);
    world.ask({ step: 'install' });
    await page.getByText('The decision belongs to the owner, the fleet manager').waitFor();
    assert.equal(await page.locator('main button').count(), 0);
    await checkAccessible(page, 'driver');
    await keepPicture(page, 'owner-question-driver-phone-light');
  });
});
