import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { consentSchema } from '@immota/api';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, publicKeyFromEd25519 } from '@immota/uptane';
import {
  type CheckInResult,
  type ConsentAnswer,
  type ConsentPort,
  type ConsentRequest,
  policyConsent,
  promptConsent,
} from '@immota/vehicle';
import { readNotice } from '../../src/consent/notice.ts';
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
): Promise<{ readonly world: World; readonly checkIn: () => Promise<CheckInResult> }> {
  const world = await makeWorld(test);
  let primary = await world.run({ consent: port });
  await primary.checkIn();
  const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  await world.assign({ [TBOX]: image }, NOTICE);
  const checkIn = async (): Promise<CheckInResult> => {
    const result = await primary.checkIn();
    await primary.close();
    // An answer is kept across boots.
    primary = await world.run({ consent: port });
    return result;
  };
  return { world, checkIn };
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
  it('is asked for the download and for the installation, with what matters to the owner', async (test) => {
    const { port, asked } = scripted([owner('accepted'), owner('accepted')]);
    const { world, checkIn } = await offered(test, port);
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(
      asked.map(({ step, text, unusableSeconds, unavailable, correlationId }) => ({
        step,
        text,
        unusableSeconds,
        unavailable,
        correlationId,
      })),
      (['download', 'install'] as const).map((step) => ({
        step,
        text: TEXT,
        unusableSeconds: 600,
        unavailable: ['driving', 'charging'],
        correlationId: CORRELATION,
      })),
    );
    assert.ok((asked[0]?.downloadBytes ?? 0) > 200_000);
    assert.deepEqual(receipts(world), ['download accepted', 'install accepted']);
  });
  it('leaves a receipt that the Primary has signed, over the words that were shown', async (test) => {
    const { port } = scripted([owner('accepted'), owner('accepted')]);
    const { world, checkIn } = await offered(test, port);
    await checkIn();
    const request = world.gateway.requests.find(({ path }) => path === '/director/consents');
    const envelope = decodeEnvelope(AKTUALIZR, request?.body ?? new Uint8Array(), 65_536);
    const receipt = consentSchema.parse(envelope.signed);
    assert.equal(receipt.textSha256, createHash('sha256').update(TEXT).digest('hex'));
    assert.deepEqual([receipt.actor, receipt.locale], ['owner', 'en']);
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
  it('asks again for other words: a yes is a yes to what was read', async (test) => {
    const { port, asked } = scripted([owner('declined'), owner('accepted'), owner('accepted')]);
    const { world, checkIn } = await offered(test, port);
    await checkIn();
    const image = world.images.get('tbox/fw-2.bin');
    assert.ok(image !== undefined);
    await world.assign({ [TBOX]: image }, { ...NOTICE, description: { en: 'Please, really.' } });
    assert.equal((await checkIn()).kind, 'installed');
    assert.equal(asked.length, 3);
  });
  it('waits until the time the owner named', async (test) => {
    const { port, asked } = scripted([
      { ...owner('postponed'), askAgainAt: Temporal.Instant.from('2026-06-01T14:00:00Z') },
      owner('accepted'),
      owner('accepted'),
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
  const request: ConsentRequest = {
    correlationId: 'urn:x',
    step: 'install',
    text: 'x',
    locale: 'en',
    unusableSeconds: 0,
    unavailable: [],
    isSecurity: false,
    downloadBytes: 0,
  };
  const { signal } = new AbortController();
  it('answers by its rule', async () => {
    const rules = [
      ['always', false, 'accepted'],
      ['never', true, 'declined'],
      ['security-only', true, 'accepted'],
      ['security-only', false, 'declined'],
    ] as const;
    for (const [policy, isSecurity, decision] of rules) {
      const answer = await policyConsent(policy).ask({ ...request, isSecurity }, signal);
      assert.deepEqual(answer, { decision, actor: 'policy' });
    }
  });
  it('asks somebody where the rule does not decide', async () => {
    const { port, asked } = scripted([owner('postponed')]);
    const answer = await policyConsent('security-only', port).ask(request, signal);
    assert.deepEqual([answer?.decision, asked.length], ['postponed', 1]);
  });
});

describe('promptConsent()', () => {
  const request: ConsentRequest = {
    correlationId: 'urn:x',
    step: 'install',
    text: TEXT,
    locale: 'en',
    unusableSeconds: 61,
    unavailable: ['driving'],
    isSecurity: false,
    downloadBytes: 0,
  };
  it('shows the words and takes a clear answer only', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const port = promptConsent({ input, output, actor: 'driver' });
    const answered = port.ask(request, new AbortController().signal);
    input.write('maybe\n');
    input.write('L\n');
    assert.deepEqual(await answered, { decision: 'postponed', actor: 'driver' });
    let shown = '';
    for (let part = readText(output); part !== ''; part = readText(output)) shown += part;
    for (const part of [TEXT, 'about 2 min', 'driving', 'Please answer']) {
      assert.ok(shown.includes(part), part);
    }
  });
  it('gives no answer when the question is taken back, or the input ends', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const stopping = new AbortController();
    const answered = promptConsent({ input, output, actor: 'owner' }).ask(request, stopping.signal);
    stopping.abort();
    assert.equal(await answered, undefined);
    const ended = promptConsent({ input: new PassThrough().end(), output, actor: 'owner' });
    assert.equal(await ended.ask(request, new AbortController().signal), undefined);
  });
});

describe('readNotice()', () => {
  it("takes the owner's language, else a near one, else English, else any", () => {
    const at = (locale: string): string => readNotice(NOTICE, locale).text;
    assert.equal(at('de'), NOTICE.description.de);
    assert.equal(at('de-AT'), NOTICE.description.de);
    assert.equal(at('fr'), TEXT);
    assert.equal(readNotice({ description: { it: 'Ciao' } }, 'fr').locale, 'it');
  });
  it('takes a member that is none of its kind for absent, and the others as they are', () => {
    const notice = readNotice(
      { description: 'text', unusableSeconds: -1, unavailable: ['driving'], security: true },
      'en',
    );
    assert.deepEqual(
      [notice.unusableSeconds, notice.unavailable, notice.isSecurity],
      [0, ['driving'], true],
    );
    assert.ok(notice.text.length > 0);
    assert.equal(readNotice({ description: { en: '' } }, 'en').text, notice.text);
  });
});
