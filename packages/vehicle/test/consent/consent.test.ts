import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { consentSchema } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, publicKeyFromEd25519 } from '@immota/uptane';
import {
  type CheckInResult,
  type ConsentAnswer,
  type ConsentPort,
  type ConsentRequest,
  type ConsentRules,
  DEFAULT_RULES,
  policyConsent,
  promptConsent,
} from '@immota/vehicle';
import { readNotice } from '../../src/consent/notice.ts';
import { renderQuestion } from '../../src/consent/question.ts';
import { requestFor } from '../support/consent-request.ts';
import { CORRELATION, makeWorld, objectAt, TBOX, type World } from '../support/world.ts';

const TEXT = 'Better brakes in winter.';
const NOTICE = {
  description: { en: TEXT, de: 'Bessere Bremsen im Winter.' },
  unusableSeconds: 600,
  unavailable: ['driving', 'charging'],
};

/** Answers from a list, and remembers what it was asked. */
function scripted(answers: readonly (ConsentAnswer | undefined)[]): {
  readonly port: ConsentPort;
  readonly asked: ConsentRequest[];
} {
  const asked: ConsentRequest[] = [];
  const port: ConsentPort = {
    ask: (request) => {
      asked.push(request);
      return Promise.resolve(answers[asked.length - 1]);
    },
  };
  return { port, asked };
}

const owner = (decision: ConsentAnswer['decision']): ConsentAnswer => ({
  decision,
  actor: 'owner',
});

async function offered(
  test: Parameters<typeof makeWorld>[0],
  port: ConsentPort,
  { notice = NOTICE, rules = DEFAULT_RULES }: OfferOptions = {},
): Promise<Offered> {
  const world = await makeWorld(test);
  let primary = await world.run({ consent: port, rules });
  await primary.checkIn();
  const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  await world.assign({ [TBOX]: image }, notice);
  const checkIn = async (): Promise<CheckInResult> => {
    const result = await primary.checkIn();
    await primary.close();
    // An answer is kept across boots.
    primary = await world.run({ consent: port, rules });
    return result;
  };
  return { world, checkIn, reopen: () => primary.reopenConsent(CORRELATION) };
}

interface OfferOptions {
  readonly notice?: JsonObject;
  readonly rules?: ConsentRules;
}

interface Offered {
  readonly world: World;
  readonly checkIn: () => Promise<CheckInResult>;
  readonly reopen: () => void;
}

function receipts(world: World): readonly unknown[] {
  return world.gateway
    .bodies('/director/consents')
    .map((body) => consentSchema.parse(objectAt(body, ['signed'])))
    .map(({ step, decision }) => `${step} ${decision}`);
}

/** What waits in a stream; nothing when it is empty. */
function readText(stream: PassThrough): string {
  const part: unknown = stream.read();
  return part instanceof Uint8Array ? Buffer.from(part).toString() : '';
}

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

describe('consent', () => {
  it('is asked for each of the three steps, with what matters to the owner', async (test) => {
    const yes = owner('accepted');
    const { port, asked } = scripted([yes, yes, yes]);
    const { world, checkIn } = await offered(test, port);
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(
      asked.map(({ step, unusable, correlationId }) => [step, unusable.high, correlationId]),
      ['download', 'install', 'activate'].map((step) => [step, 600_000, CORRELATION]),
    );
    for (const { question } of asked) {
      for (const part of [TEXT, '10 minutes', 'driving, charging']) {
        assert.ok(question.text.includes(part), part);
      }
    }
    assert.ok((asked[0]?.downloadBytes ?? 0) > 200_000);
    assert.deepEqual(receipts(world), [
      'download accepted',
      'install accepted',
      'activate accepted',
    ]);
  });
  it('leaves a receipt that the Primary has signed, over the words that were shown', async (test) => {
    const { port, asked } = scripted([{ ...owner('accepted'), locale: 'de' }]);
    const { world, checkIn } = await offered(test, port);
    await checkIn();
    await checkIn();
    const request = world.gateway.requests.find(({ path }) => path === '/director/consents');
    const envelope = decodeEnvelope(AKTUALIZR, request?.body ?? new Uint8Array(), 65_536);
    const receipt = consentSchema.parse(envelope.signed);
    assert.ok(asked[0] !== undefined);
    const shown = renderQuestion(asked[0], 'de');
    assert.ok(shown.text.includes(NOTICE.description.de));
    assert.equal(receipt.textSha256, createHash('sha256').update(shown.text).digest('hex'));
    assert.deepEqual([receipt.actor, receipt.locale], ['owner', 'de']);
    const [registration] = world.gateway.bodies('/director/ecus');
    const [, hex = ''] = /"public":"([0-9A-F]{64})"/.exec(JSON.stringify(registration)) ?? [];
    checkSignedBy(envelope, publicKeyFromEd25519(Uint8Array.fromHex(hex)), 'receipt');
  });
  it('downloads nothing when the owner declines, asks no second time, and tells why', async (test) => {
    const { port, asked } = scripted([owner('declined')]);
    const { world, checkIn } = await offered(test, port);
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    assert.equal(asked.length, 1);
    assert.ok(world.gateway.paths().every((path) => !path.includes('/repo/targets/')));
    assert.deepEqual(receipts(world), ['download declined']);
    const progress = objectAt(world.lastManifest(), ['custom', 'progress']);
    assert.deepEqual(
      [progress['correlationId'], progress['state']],
      [CORRELATION, 'CONSENT_DECLINED'],
    );
    const events = JSON.stringify(world.gateway.bodies('/events'));
    assert.match(events, /campaign_declined/);
  });
  it('downloads but does not install when only that is declined', async (test) => {
    const { port } = scripted([owner('accepted'), owner('declined')]);
    const { world, checkIn } = await offered(test, port);
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    assert.equal(objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'], 'unknown');
    assert.deepEqual(receipts(world), ['download accepted', 'install declined']);
  });
  it('prepares but does not change over when only that is declined', async (test) => {
    const { port, asked } = scripted([owner('accepted'), owner('accepted'), owner('declined')]);
    const { world, checkIn } = await offered(test, port);
    for (let times = 0; times < 3; times += 1) {
      assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    }
    assert.equal(asked.length, 3);
    assert.equal(objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'], 'unknown');
    assert.deepEqual(receipts(world).at(-1), 'activate declined');
  });
  it('begins at the time that was agreed, and not before', async (test) => {
    const startAt = Temporal.Instant.from('2026-06-01T20:00:00Z');
    const { port, asked } = scripted([
      owner('accepted'),
      { ...owner('accepted'), startAt },
      owner('accepted'),
    ]);
    const { world, checkIn } = await offered(test, port);
    assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
    assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
    assert.equal(asked.length, 2);
    world.surroundings.advance(9 * 3_600_000);
    assert.equal((await checkIn()).kind, 'installed');
    const [, install] = world.gateway.bodies('/director/consents');
    assert.equal(objectAt(install ?? {}, ['signed'])['notBefore'], '2026-06-01T20:00:00Z');
  });
  it('takes no answer of somebody who may not decide, nor while the vehicle moves', async (test) => {
    for (const [answer, isParked, code] of [
      [{ decision: 'accepted', actor: 'driver' }, true, 'NOT_AUTHORISED'],
      [{ decision: 'accepted', actor: 'valet' }, true, 'NOT_AUTHORISED'],
      [{ decision: 'accepted', actor: 'neighbour' }, true, 'ROLE_UNKNOWN'],
      [owner('accepted'), false, 'DRIVING'],
      [{ ...owner('accepted'), textSha256: '0'.repeat(64) }, true, 'TEXT_CHANGED'],
    ] as const) {
      const { port } = scripted([answer]);
      const rules = { ...DEFAULT_RULES, isParked: () => isParked };
      const { world, checkIn } = await offered(test, port, { rules });
      assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
      assert.deepEqual(receipts(world), []);
      assert.ok(world.progress.some((event) => event.kind === 'refused' && event.code === code));
    }
  });
  it('counts what was put off, across restarts, and takes no more than was granted', async (test) => {
    const later = owner('postponed');
    const { port, asked } = scripted([later, later, later]);
    const notice = { ...NOTICE, postpone: { times: 2 } };
    const { world, checkIn } = await offered(test, port, { notice });
    for (let times = 0; times < 3; times += 1) {
      assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
      world.surroundings.advance(2 * 3_600_000);
    }
    assert.deepEqual(
      asked.map(({ terms }) => terms.left),
      [2, 1, 0],
    );
    assert.deepEqual(receipts(world), ['download postponed', 'download postponed']);
    const refused = world.progress.filter((event) => event.kind === 'refused');
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['POSTPONE_BUDGET'],
    );
  });
  it('asks again when somebody thinks better of it', async (test) => {
    const { port, asked } = scripted([
      owner('declined'),
      ...Array<ConsentAnswer>(3).fill(owner('accepted')),
    ]);
    const { checkIn, reopen } = await offered(test, port);
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    reopen();
    assert.equal((await checkIn()).kind, 'installed');
    assert.equal(asked.length, 4);
  });
  it('lets a mandatory update in behind its last date, never unannounced, never by day', async (test) => {
    const until = '2026-06-02T00:00:00Z';
    const notice = { ...NOTICE, mandatory: true, postpone: { times: 1, until, after: 'install' } };
    const { port, asked } = scripted([owner('declined')]);
    const { world, checkIn } = await offered(test, port, { notice });
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    assert.match(asked[0]?.question.text ?? '', /After that the vehicle installs it by itself/u);
    assert.doesNotMatch(asked[0]?.question.text ?? '', /stays as it is\./u);
    // Past the written date, within the days of somebody who was away.
    world.surroundings.advance(48 * 3_600_000);
    world.gateway.time = world.surroundings.clock.now();
    assert.equal(codeOf(await checkIn()), 'CONSENT_DECLINED');
    world.surroundings.advance(25 * 3_600_000);
    world.gateway.time = world.surroundings.clock.now();
    assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
    assert.equal(asked.at(-1)?.step, 'activate');
    // Three in the morning.
    world.surroundings.advance(14 * 3_600_000);
    world.gateway.time = world.surroundings.clock.now();
    assert.equal((await checkIn()).kind, 'installed');
    const actors = world.gateway
      .bodies('/director/consents')
      .map((body) => objectAt(body, ['signed'])['actor']);
    assert.deepEqual(actors, ['owner', 'policy', 'policy', 'policy']);
  });
  it('asks again for other words: a yes is a yes to what was read', async (test) => {
    const { port, asked } = scripted([
      owner('declined'),
      ...Array<ConsentAnswer>(3).fill(owner('accepted')),
    ]);
    const { world, checkIn } = await offered(test, port);
    await checkIn();
    const image = world.images.get('tbox/fw-2.bin');
    assert.ok(image !== undefined);
    await world.assign({ [TBOX]: image }, { ...NOTICE, description: { en: 'Please, really.' } });
    assert.equal((await checkIn()).kind, 'installed');
    assert.equal(asked.length, 4);
  });
  it('waits until the time the owner named', async (test) => {
    const { port, asked } = scripted([
      { ...owner('postponed'), askAgainAt: Temporal.Instant.from('2026-06-01T14:00:00Z') },
      ...Array<ConsentAnswer>(3).fill(owner('accepted')),
    ]);
    const { world, checkIn } = await offered(test, port);
    assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
    assert.equal(codeOf(await checkIn()), 'CONSENT_PENDING');
    assert.equal(asked.length, 1);
    assert.equal(
      objectAt(world.lastManifest(), ['custom', 'progress'])['state'],
      'AWAITING_CONSENT',
    );
    world.surroundings.advance(2 * 3_600_000);
    assert.equal((await checkIn()).kind, 'installed');
    assert.equal(world.lastManifest()['custom'], undefined);
  });
  it('is no yes when nobody answers in time', async (test) => {
    const world = await makeWorld(test);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { promise: forever } = Promise.withResolvers<ConsentAnswer>();
    const primary = await world.run({
      consent: {
        ask: () => {
          resolve();
          return forever;
        },
      },
    });
    await primary.checkIn();
    const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image });
    const result = primary.checkIn();
    await asked;
    world.surroundings.advance(30 * 60_000);
    assert.equal(codeOf(await result), 'CONSENT_PENDING');
    assert.deepEqual(receipts(world), []);
  });
});

describe('policyConsent()', () => {
  const { signal } = new AbortController();
  it('answers by its rule', async () => {
    const rules = [
      ['always', false, 'accepted'],
      ['never', true, 'declined'],
      ['security-only', true, 'accepted'],
      ['security-only', false, 'declined'],
    ] as const;
    for (const [policy, security, decision] of rules) {
      const answer = await policyConsent(policy).ask(requestFor({ security }), signal);
      assert.deepEqual(answer, { decision, actor: 'policy' });
    }
  });
  it('asks somebody where the rule does not decide', async () => {
    const { port, asked } = scripted([owner('postponed')]);
    const answer = await policyConsent('security-only', port).ask(requestFor({}), signal);
    assert.deepEqual([answer?.decision, asked.length], ['postponed', 1]);
  });
});

describe('promptConsent()', () => {
  it('shows the very words and takes a clear answer only', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const port = promptConsent({ input, output, actor: 'driver' });
    const request = requestFor(NOTICE);
    const answered = port.ask(request, new AbortController().signal);
    input.write('maybe\n');
    input.write('L\n');
    assert.deepEqual(await answered, { decision: 'postponed', actor: 'driver' });
    let shown = '';
    for (let part = readText(output); part !== ''; part = readText(output)) shown += part;
    for (const part of [request.question.text, 'Please answer']) {
      assert.ok(shown.includes(part), part);
    }
  });
  it('gives no answer when the question is taken back, or the input ends', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const stopping = new AbortController();
    const request = requestFor(NOTICE);
    const answered = promptConsent({ input, output, actor: 'owner' }).ask(request, stopping.signal);
    stopping.abort();
    assert.equal(await answered, undefined);
    const ended = promptConsent({ input: new PassThrough().end(), output, actor: 'owner' });
    assert.equal(await ended.ask(request, new AbortController().signal), undefined);
  });
});

describe('readNotice()', () => {
  it('takes a member that is none of its kind for absent, and the others as they are', () => {
    const notice = readNotice({
      description: 'text',
      unusableSeconds: -1,
      unavailable: ['driving'],
      security: true,
      postpone: { times: 1000 },
    });
    assert.deepEqual(
      [notice.unusableSeconds, notice.unavailable, notice.security, notice.description],
      [0, ['driving'], true, {}],
    );
    assert.equal(notice.postpone, undefined);
  });
});
