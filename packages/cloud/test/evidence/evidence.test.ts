import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { generateSigner } from '@immota/pki';
import { sql } from '@immota/store';
import { AKTUALIZR, parseVehicleIdentifier, signMetadata } from '@immota/uptane';
import { exportEvidence } from '../../src/evidence/export-evidence.ts';
import { freezeTargets } from '../../src/evidence/freeze-targets.ts';
import { FIRST_HASH, lineHash, type LineKind, LineWriter } from '../../src/evidence/line.ts';
import {
  type EvidenceReport,
  type EvidenceTrust,
  verifyEvidence,
} from '../../src/evidence/verify-evidence.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { saveConsent } from '../../src/gateway/consent.ts';
import { decide, fillDossier, makePerson, WHOLE_DOSSIER } from '../support/deciders.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';

const signer = generateSigner('ed25519');
const trust: EvidenceTrust = { keys: [signer.publicKeyDer] };
let world: FleetWorld;
let campaignId: string;
let file: string;

before(async () => {
  world = await openFleetWorld();
  const images = [image('a/1', 'a-hw'), image('a/2', 'a-hw'), image('b/2', 'b-hw')];
  await world.publish(images);
  const releaseId = await world.release({
    ...releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: ['a/1'] }]),
    rxswins: [
      {
        regulation: 'R79',
        hardwareId: 'a-hw',
        rxswin: 'R79 X1 2',
        before: 'R79 X1 1',
        approvalNumber: 'E1*79R04/02*0001*01',
      },
    ],
    purpose: { kind: 'safety', text: { en: 'Steering' } },
    changes: { en: ['Steers straighter'] },
    unusableSeconds: 300,
    unavailable: ['steering assistant'],
    instructions: { en: ['Park'] },
  });
  await fillDossier(world.context, releaseId, {
    ...WHOLE_DOSSIER,
    e: { text: 'The extension of R79', answer: true },
    f: { text: 'Extension 1', answer: true, approvalNumber: 'E1*79R04/02*0001*01' },
  });
  const [ann, bob] = [
    await makePerson(world.context, 'ann'),
    await makePerson(world.context, 'bob'),
  ];
  for (const id of ['v1', 'v2', 'v3']) {
    const vehicle = await world.register(id, [[`ECU-${id}`, 'a-hw']]);
    vehicle.primary.image = images[0] ?? image('a/1', 'a-hw');
    await world.report(vehicle);
  }
  const description = { name: 'steering', releaseId, query: 'true', createdBy: 'ann' };
  campaignId = await world.room.campaigns.create(description);
  await decide(world.context, ann, { campaignId, decision: 'submit' });
  await decide(world.context, bob, { campaignId, decision: 'approve' });
  world.context.clock.advance({ minutes: 1 });
  await world.room.campaigns.start(campaignId, 'ann');
  const v5 = await world.register('v5', [['ECU-v5', 'a-hw']]);
  v5.primary.image = images[0] ?? image('a/1', 'a-hw');
  await world.report(v5);
  file = await exported();
});
after(() => world.close());

async function exported(): Promise<string> {
  const context = { ...world.context, signers: [signer] };
  const lines = await exportEvidence(context, { campaignId, tenant: 'main', by: 'aud' });
  return Buffer.concat(await Array.fromAsync(lines)).toString();
}

async function verify(text: string, given: EvidenceTrust = trust): Promise<EvidenceReport> {
  return await verifyEvidence(chunked(Buffer.from(text)), given);
}

/** In pieces that end anywhere. */
async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 777) yield bytes.subarray(start, start + 777);
}

interface Line {
  readonly kind: LineKind;
  readonly body: JsonObject;
}

/** Whoever holds the cloud's own key can write any file: what was signed by others is still found out. */
async function forged(change: (lines: readonly Line[]) => readonly Line[]): Promise<string> {
  const lines = file
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Line);
  const writer = new LineWriter();
  const parts = change(lines.slice(0, -1)).map(({ kind, body }) => writer.write(kind, body));
  const header = lines[0]?.body ?? {};
  const signed = {
    _type: 'Evidence',
    campaignId: header['campaignId'] ?? '',
    at: header['at'] ?? '',
    ...writer.summary(),
  };
  const trailer = Buffer.from(await signMetadata(AKTUALIZR, signed, [signer])).toString('base64');
  return Buffer.concat([...parts, writer.write('trailer', { document: trailer })]).toString();
}

const changed =
  (kind: LineKind, change: (body: JsonObject) => JsonObject) =>
  (lines: readonly Line[]): readonly Line[] =>
    lines.map((line) => (line.kind === kind ? { kind, body: change(line.body) } : line));

function rows(): string[] {
  return file.trimEnd().split('\n');
}

function join(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

describe('evidence', () => {
  it('verifies with the key of the event log alone, clause by clause {R156 7.1.1.12} {R156 7.1.1.1}', async () => {
    const report = await verify(file);
    assert.equal(report.campaignId, campaignId);
    assert.deepEqual(
      [report.isApproved, report.targets.vehicles, report.targets.isFrozen],
      [true, 3, true],
    );
    assert.deepEqual(report.targets.compatibility, { confirmed: 3 });
    const absent = report.clauses.filter(({ verdict }) => verdict === 'absent');
    assert.deepEqual(
      absent.map(({ clause }) => clause),
      ['R156 7.1.1.4'],
    );
    assert.equal(report.clauses.filter(({ clause }) => clause.includes('7.1.2.5')).length, 9);
  });

  it('holds the release against a Root that is given, or refuses it', async () => {
    const root = await world.test.database.kysely
      .selectFrom('metadata_file')
      .select('bytes')
      .where('repository', '=', 'image')
      .where('dialect', '=', 'aktualizr')
      .where('role', '=', 'root')
      .executeTakeFirstOrThrow();
    const report = await verify(file, { ...trust, imageRoot: root.bytes });
    assert.equal(report.isRootAnchored, true);
    const other = await openFleetWorld();
    const foreign = await other.test.database.kysely
      .selectFrom('metadata_file')
      .select('bytes')
      .where('repository', '=', 'image')
      .where('dialect', '=', 'aktualizr')
      .where('role', '=', 'root')
      .executeTakeFirstOrThrow();
    await other.close();
    await assert.rejects(verify(file, { ...trust, imageRoot: foreign.bytes }), {
      code: 'EVIDENCE_RELEASE',
    });
  });

  it('tells of consent and results {R156 7.2.2.4}, and leaves who joined later off the frozen list', async () => {
    const vehicle = await world.register('v6', [['ECU-v6', 'a-hw']]);
    world.context.clock.advance({ minutes: 1 });
    await sql`insert into campaign_vehicle (vehicle_id, campaign_id, state, reason, since)
      values ('v6', ${campaignId}, 'targeted', 'NOT_SEEN', ${world.context.clock.now()})`.execute(
      world.test.database.kysely,
    );
    const receipt = {
      _type: 'Consent',
      correlationId: correlationOf(campaignId),
      step: 'install',
      decision: 'accepted',
      textSha256: 'c'.repeat(64),
      locale: 'en',
      actor: 'owner',
      decidedAt: '2026-11-22T10:00:00Z',
    };
    const document = await signMetadata(AKTUALIZR, receipt, [vehicle.primary.signer]);
    const observer = { observe: () => Promise.resolve() };
    await saveConsent({ context: world.context, observer }, 'v6', document);
    // Its Primary is replaced: the receipt still bears the key that signed it.
    const replacement = generateSigner('ed25519').publicKeyDer;
    await world.test.database.kysely
      .updateTable('ecu')
      .set({ public_key: replacement })
      .where('vehicle_id', '=', 'v6')
      .execute();
    const fresh = await exported();
    const { targets } = await verify(fresh);
    assert.deepEqual([targets.vehicles, targets.consents], [4, 1]);
    assert.deepEqual(targets.compatibility, { confirmed: 3, unknown: 1 });
    const earlier = file;
    file = fresh;
    const swapped = await forged(
      changed('consent', (body) => ({
        ...body,
        publicKey: Buffer.from(signer.publicKeyDer).toString('base64'),
      })),
    );
    await assert.rejects(verify(swapped), { code: 'EVIDENCE_CONSENT' });
    file = earlier;
  });
});

describe('a file of evidence that somebody touched', () => {
  const cases: Readonly<Record<string, readonly [string, () => string | Promise<string>]>> = {
    'a flipped byte': ['EVIDENCE_LINE', () => file.replace('"v2"', '"v9"')],
    'a removed vehicle': [
      'EVIDENCE_GAP',
      () => join(rows().filter((row) => !row.includes('"vehicleId":"v2"'))),
    ],
    'two lines in each other’s place': [
      'EVIDENCE_ORDER',
      () => {
        const [first = '', second = '', third = '', ...rest] = rows();
        return join([first, third, second, ...rest]);
      },
    ],
    'no end': ['EVIDENCE_TRUNCATED', () => join(rows().slice(0, -1))],
    'a line behind its end': ['EVIDENCE_MALFORMED', () => `${file}{"n":1}\n`],
    'what is no JSON': ['EVIDENCE_MALFORMED', () => `hello\n${file}`],
    'a removed vehicle, chained anew': [
      'EVIDENCE_TRAILER',
      () => {
        const kept = rows().filter((row) => !row.includes('"vehicleId":"v2"'));
        let hash = FIRST_HASH;
        return join(
          kept.map((row, index) => {
            const { kind, body } = JSON.parse(row) as Line;
            hash = lineHash(hash, { n: index + 1, kind, body });
            const text = Buffer.from(hash).toString('hex');
            return JSON.stringify({ n: index + 1, kind, body, hash: text });
          }),
        );
      },
    ],
    'a removed vehicle, signed anew': [
      'EVIDENCE_TARGETS',
      () => forged((lines) => lines.filter(({ body }) => body['vehicleId'] !== 'v2')),
    ],
    'another compatibility, signed anew': [
      'EVIDENCE_TARGETS',
      () => forged(changed('target', (body) => ({ ...body, compatibility: 'refused' }))),
    ],
    'another configuration, signed anew': [
      'EVIDENCE_TARGETS',
      () => forged(changed('configuration', (body) => ({ ...body, body: '["a-hw","x","",[]]' }))),
    ],
    'no result of a vehicle, signed anew': [
      'EVIDENCE_TARGETS',
      () => forged((lines) => lines.filter(({ kind }) => kind !== 'result')),
    ],
    'another approver, signed anew': [
      'EVIDENCE_APPROVAL',
      () =>
        forged((lines) => {
          const author = lines.find(({ body }) => body['decision'] === 'submit')?.body ?? {};
          return lines.map((line) =>
            line.body['decision'] === 'approve'
              ? { ...line, body: { ...author, decision: 'approve' } }
              : line,
          );
        }),
    ],
    'the author as approver by name, signed anew': [
      'EVIDENCE_APPROVAL',
      () =>
        forged(
          changed('decision', (body) => (body['by'] === 'bob' ? { ...body, by: 'ann' } : body)),
        ),
    ],
    'a key that is not the one it names, signed anew': [
      'EVIDENCE_APPROVAL',
      () =>
        forged(
          changed('decision', (body) => ({
            ...body,
            publicKey: Buffer.from(signer.publicKeyDer).toString('base64'),
          })),
        ),
    ],
    'events in another order, signed anew': [
      'EVIDENCE_CHAIN',
      () =>
        forged((lines) => {
          const at = lines.findIndex(({ kind }) => kind === 'event');
          const [one, two] = lines.slice(at, at + 2);
          assert.ok(one !== undefined && two !== undefined);
          return lines.toSpliced(at, 2, two, one);
        }),
    ],
    'a changed event, signed anew': [
      'EVIDENCE_CHAIN',
      () => forged(changed('event', (body) => ({ ...body, kind: 'campaign.paused' }))),
    ],
    'another release, signed anew': [
      'EVIDENCE_RELEASE',
      () => forged(changed('release', (body) => ({ ...body, sha256: 'a'.repeat(64) }))),
    ],
    'a dossier that says something else, signed anew': [
      'EVIDENCE_DOSSIER',
      () => forged(changed('dossier', (body) => ({ ...body, items: [] }))),
    ],
    'a register that says something else, signed anew': [
      'EVIDENCE_REGISTER',
      () => forged(changed('register', (body) => ({ ...body, entry: { rxswin: 'R79 X1 3' } }))),
    ],
    'another head of the event log, signed anew': [
      'EVIDENCE_CHECKPOINT',
      async () => {
        const lines = rows().map((row) => JSON.parse(row) as Line);
        const last = lines.findLast(({ body }) => body['stream'] === 'fleet')?.body ?? {};
        const head = { stream: 'fleet', sequence: last['sequence'] ?? 0, hash: 'a'.repeat(64) };
        const checkpoint = { _type: 'EventCheckpoint', at: '2026-11-22T10:00:00Z', ...head };
        const bytes = await signMetadata(AKTUALIZR, checkpoint, [signer]);
        const document = Buffer.from(bytes).toString('base64');
        return await forged(changed('checkpoint', () => ({ document })));
      },
    ],
    'another content, signed anew': [
      'EVIDENCE_MALFORMED',
      () => forged(changed('header', (body) => ({ ...body, content: { query: 'true' } }))),
    ],
  };
  for (const [what, [code, make]] of Object.entries(cases)) {
    it(`is refused: ${what}`, async () => {
      await assert.rejects(async () => verify(await make()), { code });
    });
  }

  it('is refused: signed with a key that nobody trusts', async () => {
    const stranger = generateSigner('ed25519');
    await assert.rejects(verify(file, { keys: [stranger.publicKeyDer] }), {
      code: 'EVIDENCE_SIGNATURE',
    });
    await assert.rejects(verify(file, { keys: [] }), { code: 'EVIDENCE_SIGNATURE' });
  });
});

describe('exportEvidence()', () => {
  it('knows no campaign of another tenant, and needs its key', async () => {
    const context = { ...world.context, signers: [signer] };
    await assert.rejects(exportEvidence(context, { campaignId, tenant: 'other', by: 'eve' }), {
      code: 'NOT_FOUND',
    });
    const keyless = { ...world.context, signers: [] };
    await assert.rejects(exportEvidence(keyless, { campaignId, tenant: 'main', by: 'aud' }), {
      code: 'KEY_MISSING',
    });
  });

  it('signs nothing over an event log that somebody edited', async () => {
    const { kysely } = world.test.database;
    const own = kysely.updateTable('event').where('stream', '=', 'v3').where('sequence', '=', 1);
    const fresh = await kysely
      .selectFrom('event')
      .select('body')
      .where('stream', '=', 'v3')
      .where('sequence', '=', 1)
      .executeTakeFirstOrThrow();
    await own.set({ body: { forged: true } }).execute();
    await kysely
      .updateTable('campaign_target')
      .set({ confirmed_at: Temporal.Instant.fromEpochMilliseconds(0) })
      .where('vehicle_id', '=', parseVehicleIdentifier('v3'))
      .execute();
    await assert.rejects(exported(), { code: 'EVENT_CHAIN' });
    await own.set({ body: fresh.body }).execute();
  });

  it('freezes again when another start adds vehicles {R156 7.1.2.4}', async () => {
    world.context.clock.advance({ hours: 1 });
    const at = world.context.clock.now();
    const context = { ...world.context, events: eventLog };
    await freezeTargets(context, { campaignId, tenant: 'main', at });
    const { targets } = await verify(await exported());
    assert.equal(targets.isFrozen, true);
  });
});
