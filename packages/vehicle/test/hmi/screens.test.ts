import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { renderQuestion } from '../../src/consent/question.ts';
import { FULL_NOTICE, type HmiWorld, makeHmiWorld } from '../support/hmi-world.ts';
import { objectAt, CORRELATION } from '../support/world.ts';

async function screenOf(world: HmiWorld, cookie: string, locale = 'en'): Promise<JsonObject> {
  const { json } = await world.send(`/api/view?locale=${locale}`, { headers: { cookie } });
  return objectAt(json, ['screen']);
}

/** An answer as our page sends it. */
function answerTo(
  request: ReturnType<HmiWorld['ask']>['request'],
  changes: JsonObject = {},
): string {
  const locale = changes['locale'] === 'de' ? 'de' : 'en';
  const { sha256 } = renderQuestion(request, locale);
  const { correlationId, step } = request;
  const answer = { correlationId, step, decision: 'accepted', locale, textSha256: sha256 };
  return JSON.stringify({ ...answer, ...changes });
}

async function asked(
  test: TestContext,
  options: Parameters<HmiWorld['ask']>[0] = {},
  custom: JsonObject = FULL_NOTICE,
): Promise<{ readonly world: HmiWorld; readonly cookie: string } & ReturnType<HmiWorld['ask']>> {
  const world = await makeHmiWorld(test);
  const cookie = await world.connect();
  return { world, cookie, ...world.ask(options, custom) };
}

describe('the screens', () => {
  it('show a question with its five facts in the language that is asked for {R156 7.2.2.2}', async (test) => {
    const { world, cookie, request } = await asked(test);
    for (const locale of ['en', 'de', 'zh']) {
      const screen = await screenOf(world, cookie, locale);
      assert.equal(screen['kind'], 'question');
      const sections = screen['sections'];
      assert.ok(Array.isArray(sections) && sections.length === 6);
      const shown = renderQuestion(request, locale);
      assert.deepEqual([screen['title'], screen['ask']], [shown.title, shown.ask]);
    }
  });
  it('hand on what was answered, with role, language, hash and time', async (test) => {
    const { world, cookie, request, answered } = await asked(test);
    const body = answerTo(request, { locale: 'de', when: 'tonight' });
    const { status } = await world.send('/api/answer', { headers: { cookie }, body });
    assert.equal(status, 200);
    const answer = await answered;
    assert.deepEqual(
      [answer?.decision, answer?.actor, answer?.locale],
      ['accepted', 'owner', 'de'],
    );
    assert.equal(answer?.textSha256, renderQuestion(request, 'de').sha256);
    // Noon in June; three in the morning in Berlin.
    assert.equal(String(answer?.startAt), '2026-06-02T01:00:00Z');
  });
  it('take a time as the clock at the vehicle shows it', async (test) => {
    const { world, cookie, request, answered } = await asked(test);
    const body = answerTo(request, { decision: 'postponed', when: '2026-06-03T07:30' });
    assert.equal((await world.send('/api/answer', { headers: { cookie }, body })).status, 200);
    assert.equal(String((await answered)?.askAgainAt), '2026-06-03T05:30:00Z');
  });
  it('keep an answer that comes after the Primary has stopped waiting, and wake it', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    const patience = new AbortController();
    const { request, answered } = world.ask({}, FULL_NOTICE, patience.signal);
    patience.abort();
    assert.equal(await answered, undefined);
    const body = answerTo(request);
    assert.equal((await world.send('/api/answer', { headers: { cookie }, body })).status, 200);
    assert.equal(world.woken, 1);
    const again = await world.ask().answered;
    assert.equal(again?.decision, 'accepted');
  });

  const refused: readonly (readonly [string, JsonObject, number, string])[] = [
    ['words that were not shown', { textSha256: '0'.repeat(64) }, 409, 'TEXT_CHANGED'],
    ['another step than is asked', { step: 'activate' }, 409, 'NOT_ASKED'],
    ['another update', { correlationId: 'urn:other' }, 409, 'NOT_ASKED'],
    ['a time that is past', { when: '2026-05-31T10:00' }, 409, 'TIME_NOT_ALLOWED'],
    ['a time behind the last date', { when: '2026-06-20T21:00' }, 409, 'TIME_NOT_ALLOWED'],
    ['a time that no clock shows', { when: '2026-06-31T10:00' }, 400, 'MALFORMED'],
    ['a decision that is none', { decision: 'perhaps' }, 400, 'MALFORMED'],
    ['a role of its own making', { actor: 'owner' }, 400, 'MALFORMED'],
  ];
  for (const [what, changes, expected, code] of refused) {
    it(`refuse ${what}, and go on asking`, async (test) => {
      const { world, cookie, request } = await asked(test);
      const body = answerTo(request, changes);
      const { status, json } = await world.send('/api/answer', { headers: { cookie }, body });
      assert.deepEqual([status, json['code']], [expected, code]);
      assert.ok(world.refused.includes(code));
      assert.equal((await screenOf(world, cookie))['kind'], 'question');
      const good = await world.send('/api/answer', {
        headers: { cookie },
        body: answerTo(request),
      });
      assert.equal(good.status, 200);
    });
  }
  it('put nothing off beyond the budget, and say so beforehand', async (test) => {
    const record = {
      postponements: 3,
      firstAskedAt: Temporal.Instant.from('2026-05-20T00:00:00Z'),
    };
    const { world, cookie, request, answered } = await asked(test, { record });
    assert.equal((await screenOf(world, cookie))['mayPostpone'], false);
    const later = answerTo(request, { decision: 'postponed', when: 'hour' });
    const { json } = await world.send('/api/answer', { headers: { cookie }, body: later });
    assert.equal(json['code'], 'POSTPONE_BUDGET');
    const body = answerTo(request, { decision: 'declined' });
    assert.equal((await world.send('/api/answer', { headers: { cookie }, body })).status, 200);
    assert.equal((await answered)?.decision, 'declined');
  });
  it('show nothing to answer while the vehicle moves, and take no answer', async (test) => {
    const { world, cookie, request } = await asked(test);
    world.isParked = false;
    const screen = await screenOf(world, cookie);
    assert.equal(screen['kind'], 'driving');
    assert.ok(!JSON.stringify(screen).includes('Winter'));
    const { status, json } = await world.send('/api/answer', {
      headers: { cookie },
      body: answerTo(request),
    });
    assert.deepEqual([status, json['code']], [409, 'DRIVING']);
    world.isParked = true;
    assert.equal((await screenOf(world, cookie))['kind'], 'question');
  });
  it('tell whoever may not decide who may, and take no answer of theirs', async (test) => {
    const { world, request } = await asked(test);
    for (const role of ['driver', 'renter', 'valet'] as const) {
      const cookie = await world.connect(role);
      const screen = await screenOf(world, cookie);
      assert.match(
        JSON.stringify(screen['whoDecides']),
        /the owner, the fleet manager,? or the workshop/u,
      );
      const body = answerTo(request);
      const { status, json } = await world.send('/api/answer', { headers: { cookie }, body });
      assert.deepEqual([status, json['code']], [403, 'NOT_AUTHORISED'], role);
    }
  });
  it('let whoever may decide think better of it', async (test) => {
    const { world, cookie } = await asked(test);
    world.hmi.onProgress({ kind: 'consent', step: 'install', decision: 'declined' });
    world.tell({ kind: 'check-in-ended', result: 'waiting', code: 'CONSENT_DECLINED' });
    const body = JSON.stringify({ correlationId: CORRELATION });
    const driver = await world.connect('driver');
    const refusal = await world.send('/api/reconsider', { headers: { cookie: driver }, body });
    assert.equal(refusal.json['code'], 'NOT_AUTHORISED');
    const other = JSON.stringify({ correlationId: 'urn:other' });
    const odd = await world.send('/api/reconsider', { headers: { cookie }, body: other });
    assert.equal(odd.json['code'], 'NOT_ASKED');
    assert.equal((await world.send('/api/reconsider', { headers: { cookie }, body })).status, 200);
    assert.deepEqual(world.reopened, [CORRELATION]);
  });
});

describe('the story', () => {
  it('goes on after a restart where it was, with what is left in minutes', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.offer();
    const estimate = { low: 120_000, likely: 300_000, high: 600_000 };
    world.tell(
      { kind: 'forecast', prepare: estimate, unusable: estimate },
      { kind: 'phase', phase: 'install' },
    );
    world.now = world.now.add({ minutes: 1 });
    const before = await screenOf(world, cookie);
    assert.deepEqual([before['kind'], before['remaining']], ['progress', '1 to 9 minutes left']);
    await world.stop();
    await world.start();
    world.now = world.now.add({ minutes: 2 });
    // The screen stays connected, too.
    const after = await screenOf(world, cookie);
    assert.deepEqual([after['percent'], after['remaining']], [60, '1 to 7 minutes left']);
    assert.match(JSON.stringify(after['sentences']), /was interrupted/u);
    world.now = world.now.add({ minutes: 20 });
    const late = await screenOf(world, cookie);
    assert.equal(late['percent'], 99);
    assert.match(JSON.stringify(late['sentences']), /longer than expected/u);
  });
  it('never calls a no final that is not', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    const said = async (installsItselfAt: Temporal.Instant | undefined): Promise<string> => {
      world.offer();
      world.tell(
        { kind: 'consent', step: 'install', decision: 'declined', installsItselfAt },
        { kind: 'check-in-ended', result: 'waiting', code: 'CONSENT_DECLINED' },
      );
      return JSON.stringify((await screenOf(world, cookie))['sentences']);
    };
    assert.match(await said(undefined), /not asked again/u);
    const mandatory = await said(Temporal.Instant.from('2026-06-20T18:00:00Z'));
    assert.match(mandatory, /June 20, 2026.*installs it by itself/u);
    assert.doesNotMatch(mandatory, /not asked again/u);
  });
  it('counts a download by its bytes', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.offer();
    world.tell({ kind: 'phase', phase: 'download' });
    world.now = world.now.add({ minutes: 1 });
    const name = 'brake.bin' as never;
    world.tell({ kind: 'download', name, receivedBytes: 250, lengthBytes: 400 });
    const screen = await screenOf(world, cookie);
    assert.deepEqual([screen['percent'], screen['remaining']], [25, 'About 3 minutes left']);
  });
  it('has a sentence for whatever an update waits for', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    const codes = [
      'CONDITIONS',
      'CAMPAIGN_CONDITIONS',
      'POLICY_UNREADABLE',
      'WINDOW_CLOSED',
      'NETWORK_METERED',
      'CAMPAIGN_ENDED',
      'NETWORK',
      'DISK_FULL',
      'ECU_UNREACHABLE',
      'TECHNICIAN_PENDING',
      'ATTEMPTS_EXHAUSTED',
      'CONSENT_PENDING',
      'SOMETHING_NEW',
    ];
    const headlines = new Set<string>();
    for (const code of codes) {
      world.offer();
      world.tell({ kind: 'check-in-ended', result: 'waiting', code });
      const screen = await screenOf(world, cookie);
      assert.equal(screen['kind'], 'waiting', code);
      assert.ok(Array.isArray(screen['sentences']) && screen['sentences'].length > 0, code);
      headlines.add(JSON.stringify(screen['headline']));
    }
    assert.equal(headlines.size, codes.length);
  });
  it('names the conditions that are not met, as they are now', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.unmet = ['hood-closed', 'a-new-one'];
    world.offer();
    world.tell({ kind: 'check-in-ended', result: 'waiting', code: 'CONDITIONS' });
    const before = JSON.stringify((await screenOf(world, cookie, 'de'))['sentences']);
    assert.match(before, /Motorhaube ist geschlossen/u);
    world.unmet = ['parking-brake'];
    const after = JSON.stringify((await screenOf(world, cookie))['sentences']);
    assert.match(after, /parking brake is on/u);
    assert.doesNotMatch(after, /hood/u);
  });
  it('says when it was agreed for, and wakes the vehicle then', async (test) => {
    const { world, cookie } = await asked(test);
    await world.hmi.consent.ask(world.ask().request, AbortSignal.abort());
    const at = world.now.add({ milliseconds: 50 });
    world.tell(
      { kind: 'consent', step: 'install', decision: 'accepted', at },
      { kind: 'check-in-ended', result: 'waiting', code: 'CONSENT_PENDING' },
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (world.woken > 0) resolve();
      else setImmediate(look);
    };
    look();
    await promise;
    assert.ok(cookie.length > 0);
  });
});

describe('the history', () => {
  it('keeps what updates came to and changed, in words, with whoever decided {R156 7.2.2.4}', async (test) => {
    const { world, cookie, request } = await asked(test);
    await world.send('/api/answer', { headers: { cookie }, body: answerTo(request) });
    world.conclude({ 'VIN-brake': 'OK', 'VIN-tbox': 'OK' });
    const screen = await screenOf(world, cookie);
    assert.deepEqual([screen['kind'], screen['ending']], ['result', 'success']);
    assert.deepEqual(screen['manual'], ['Brakes in winter, chapter 4, page 61']);
    await world.stop();
    await world.start();
    const { text } = await world.send('/api/history', { headers: { cookie } });
    const [entry] = parseJson(Buffer.from(text), 100_000) as readonly JsonObject[];
    assert.ok(isJsonObject(entry));
    assert.deepEqual([entry['title'], entry['endingText']], ['Winter brakes 2026.11', 'Installed']);
    assert.match(
      JSON.stringify(entry['decisions']),
      /Installation: yes · the owner · June 1, 2026/u,
    );
    // Seen is seen, and nothing is told twice.
    const body = JSON.stringify({ sequence: screen['sequence'] });
    assert.equal((await world.send('/api/dismiss', { headers: { cookie }, body })).status, 200);
    assert.equal((await screenOf(world, cookie))['kind'], 'idle');
  });
  it('says that the vehicle is as before, or which part needs a workshop', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.offer();
    world.conclude({ 'VIN-brake': 'INSTALL_FAILED', 'VIN-tbox': 'ROLLED_BACK' });
    const rolledBack = await screenOf(world, cookie);
    assert.equal(rolledBack['ending'], 'unchanged');
    const { text } = await world.send('/api/history', { headers: { cookie } });
    assert.doesNotMatch(text, /metre shorter|chapter 4/u);
    assert.match(JSON.stringify(rolledBack['sentences']), /safe to drive/u);
    world.offer();
    world.conclude({ 'VIN-brake': 'WORKSHOP_REQUIRED', 'VIN-tbox': 'ROLLED_BACK' });
    const lost = await screenOf(world, cookie);
    assert.equal(lost['ending'], 'workshop');
    assert.match(JSON.stringify(lost['sentences']), /VIN-brake/u);
    assert.doesNotMatch(JSON.stringify(lost['sentences']), /VIN-tbox|safe to drive/u);
  });
  it('tells once what comes to the same again by itself', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    for (const code of ['VERIFICATION_FAILED', 'VERIFICATION_FAILED', 'OK']) {
      world.offer();
      world.conclude({ 'VIN-brake': code });
    }
    const { json } = await world.send('/api/history', { headers: { cookie } });
    const entries = json['list'];
    assert.ok(Array.isArray(entries));
    assert.deepEqual(
      entries.map((entry) => (isJsonObject(entry) ? entry['ending'] : undefined)),
      ['success', 'unchanged'],
    );
  });
  it('takes over what was concluded while no screen was there', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.offer();
    world.tell({ kind: 'phase', phase: 'activate' });
    await world.stop();
    const items = [{ ecu: 'VIN-brake', hardware: 'hw', code: 'OK', description: '' }];
    world.concluded.push({ sequence: 7, correlationId: CORRELATION, items });
    await world.start();
    world.tell({ kind: 'check-in-ended', result: 'nothing-new', code: undefined });
    const screen = await screenOf(world, cookie);
    assert.deepEqual([screen['kind'], screen['title']], ['result', 'Winter brakes 2026.11']);
  });
});
