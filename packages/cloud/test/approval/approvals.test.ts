import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';
import { decisionText } from '@immota/api';
import { exportPrivateKey, generateSigner } from '@immota/pki';
import { createApprovalCheck } from '../../src/approval/approval-check.ts';
import { createPerson } from '../../src/access/people.ts';
import { Approvals, type Decider } from '../../src/approval/approvals.ts';
import { APPROVAL_GROUND } from '../../src/approval/ground.ts';
import { committed } from '../../src/context.ts';
import { createToken } from '../../src/operator/tokens.ts';
import { blockRelease } from '../../src/release/block-release.ts';
import {
  decide,
  fillDossier,
  makePerson,
  signDecision,
  type TestPerson,
  WHOLE_DOSSIER,
} from '../support/deciders.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';

let world: FleetWorld;
let ann: TestPerson;
let bob: TestPerson;
let releaseId: string;
let campaignId: string;
let turn = 0;
before(async () => {
  world = await openFleetWorld();
  await world.publish([image('a/2', 'a-hw')]);
  ann = await makePerson(world.context, 'ann');
  bob = await makePerson(world.context, 'bob', 'ecdsa-p256');
});
after(() => world.close());
beforeEach(async () => {
  turn += 1;
  const images = [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }];
  releaseId = await world.release({ ...releaseOf({ 'a-hw': 'a/2' }, images), version: `${turn}` });
  await fillDossier(world.context, releaseId);
  const description = { name: 'c', releaseId, query: 'true', createdBy: 'ann' };
  campaignId = await world.room.campaigns.create(description);
});

async function check(): Promise<void> {
  const row = await world.test.database.kysely
    .selectFrom('campaign')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  const approved = createApprovalCheck(world.context);
  await committed(world.test.database, (tx) => approved(tx, row));
}

async function submit(): Promise<void> {
  await decide(world.context, ann, { campaignId, decision: 'submit' });
}

async function approve(): Promise<void> {
  await submit();
  await decide(world.context, bob, { campaignId, decision: 'approve', note: 'schön' });
}

async function lastRefusal(): Promise<unknown> {
  const row = await world.test.database.kysely
    .selectFrom('event')
    .select('body')
    .where('kind', '=', 'approval.refused')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.body['code'];
}

async function refused(code: string, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work(), { code });
  assert.equal(await lastRefusal(), code);
}

async function edit(set: JsonObject): Promise<void> {
  await world.test.database.kysely
    .updateTable('campaign')
    .set(set)
    .where('campaign_id', '=', campaignId)
    .execute();
}

describe('decisionText()', () => {
  it('writes canonical JSON, whatever stands in the note', () => {
    const words = {
      campaignId: 'c',
      contentSha256: 'a'.repeat(64),
      dossierSha256: 'b'.repeat(64),
      decision: 'approve' as const,
      signedAt: '2026-11-22T10:00:00Z',
    };
    for (const note of ['', 'schön "und" gut\n', '同意 \u{1f697}']) {
      const object = { _type: 'CampaignDecision', ...words, ...(note === '' ? {} : { note }) };
      const expected = Buffer.from(encodeCanonical(object, 'escaped')).toString();
      assert.equal(decisionText({ ...words, note }), expected);
    }
  });
});

describe('four eyes', () => {
  it('let a campaign start that one person handed in and another approved {R156 7.1.2.5}', async () => {
    await approve();
    await check();
    const kinds = await world.eventsOf('fleet');
    assert.ok(kinds.includes('campaign.submitted') && kinds.includes('campaign.approved'));
  });

  it('refuse a campaign that nobody handed in, approved, or that somebody rejected', async () => {
    await refused('APPROVAL_MISSING', check);
    await refused('APPROVAL_MISSING', () =>
      decide(world.context, bob, { campaignId, decision: 'approve', dossierSha256: '' }),
    );
    await submit();
    await refused('APPROVAL_MISSING', check);
    await decide(world.context, bob, { campaignId, decision: 'reject', note: 'too early' });
    await refused('APPROVAL_REJECTED', check);
    await approve();
    await check();
  });

  it('are two: not the author, not by another key, not by a token of theirs', async () => {
    await submit();
    const second = await makePerson(world.context, 'ann');
    for (const person of [ann, second]) {
      await refused('SELF_APPROVAL', () =>
        decide(world.context, person, { campaignId, decision: 'approve' }),
      );
    }
    const approvals = new Approvals({ ...world.context, ...APPROVAL_GROUND });
    const offered = await signDecision(world.context, bob, { campaignId, decision: 'approve' });
    const token = { name: 'bob', madeBy: 'ann', tenant: 'main' };
    await refused('SELF_APPROVAL', () => approvals.take(campaignId, token, offered));
    await decide(world.context, bob, { campaignId, decision: 'approve' });
  });

  describe('count a person and all that they made as one', () => {
    it('whichever of the two came by session and which by token', async () => {
      const eve = await makeUser(`eve-${turn}@x.test`);
      const robot = await makeTokenOf(`robot-${turn}`, eve.name);
      const [session, token] = [{ userId: eve.userId }, { madeBy: eve.name }];
      await take('submit', eve, session);
      await refused('SELF_APPROVAL', () => take('approve', robot, token));
      await edit({ approval: 'draft', submission: null });
      await take('submit', robot, token);
      await refused('SELF_APPROVAL', () => take('approve', eve, session));
      await decide(world.context, bob, { campaignId, decision: 'approve' });
      await check();
    });

    it('two tokens of one person, and a token that a token made', async () => {
      const [first, second] = [`first-${turn}`, `second-${turn}`];
      const one = await makeTokenOf(first, 'fay@x.test');
      const other = await makeTokenOf(second, 'fay@x.test');
      const deep = await makeTokenOf(`deep-${turn}`, second);
      const stranger = await makeTokenOf(`stranger-${turn}`, 'gil@x.test');
      await take('submit', one, { madeBy: 'fay@x.test' });
      await refused('SELF_APPROVAL', () => take('approve', other, { madeBy: 'fay@x.test' }));
      await refused('SELF_APPROVAL', () => take('approve', deep, { madeBy: second }));
      await take('approve', stranger, { madeBy: 'gil@x.test' });
      await check();
    });

    it('and whoever created the campaign by a token', async () => {
      const hal = await makeUser(`hal-${turn}@x.test`);
      const { name } = await makeTokenOf(`maker-${turn}`, hal.name);
      await edit({ created_by: name });
      await submit();
      await refused('SELF_APPROVAL', () => take('approve', hal, { userId: hal.userId }));
      await decide(world.context, bob, { campaignId, decision: 'approve' });
      await check();
    });

    it('but not two whose tokens were made on the machine itself', async () => {
      const here = { madeBy: 'this machine' };
      const author = await makeTokenOf(`ida-${turn}`, here.madeBy);
      const approver = await makeTokenOf(`jon-${turn}`, here.madeBy);
      await take('submit', author, here);
      await edit({ created_by: here.madeBy });
      await refused('SELF_APPROVAL', () => take('approve', approver, here));
      await edit({ created_by: author.name });
      await take('approve', approver, here);
      await check();
    });

    it('also when the row says otherwise at the start', async () => {
      const eve = await makeUser(`eve-${turn}@x.test`);
      const robot = await makeTokenOf(`robot-${turn}`, eve.name);
      await take('submit', eve, { userId: eve.userId });
      // As if it had been taken from somebody who does not say who made their token.
      const stranger = await makePerson(world.context, `kim-${turn}`);
      await take('approve', stranger, {});
      await check();
      await world.test.database.kysely
        .updateTable('signing_key')
        .set({ owner: robot.name })
        .where('key_id', '=', stranger.keyId)
        .execute();
      const row = await storedDecision();
      await edit({ decision: { ...row, by: robot.name, owner: robot.name } });
      await refused('SELF_APPROVAL', check);
    });
  });

  it('refuse whoever created the campaign, though somebody else handed it in', async () => {
    const cyd = await makePerson(world.context, `cyd-${turn}`);
    await decide(world.context, cyd, { campaignId, decision: 'submit' });
    await refused('SELF_APPROVAL', () =>
      decide(world.context, ann, { campaignId, decision: 'approve' }),
    );
  });

  it('refuse signatures that are another’s, unknown, revoked, too old, or of the future', async () => {
    await submit();
    const parts = { campaignId, decision: 'approve' } as const;
    const stranger = { ...bob, keyId: 'f'.repeat(64) };
    await refused('SIGNATURE_KEY_UNKNOWN', () => decide(world.context, stranger, parts));
    await refused('SIGNATURE_KEY_FOREIGN', () =>
      decide(world.context, { ...bob, name: 'eve' }, parts),
    );
    await refused('SIGNATURE_INVALID', () =>
      decide(world.context, bob, { ...parts, signer: generateSigner('ecdsa-p256') }),
    );
    await refused('SIGNATURE_INVALID', () =>
      decide(world.context, bob, { ...parts, dossierSha256: 'a'.repeat(64) }),
    );
    const now = world.context.clock.now();
    const signedAt = (minutes: number): string => now.add({ minutes }).toString();
    for (const minutes of [-61, 6]) {
      await refused('SIGNATURE_TIME', () =>
        decide(world.context, bob, { ...parts, signedAt: signedAt(minutes) }),
      );
    }
    const dan = await makePerson(world.context, `dan-${turn}`);
    await world.test.database.kysely
      .updateTable('signing_key')
      .set({ revoked_at: now })
      .where('key_id', '=', dan.keyId)
      .execute();
    await refused('SIGNATURE_KEY_REVOKED', () => decide(world.context, dan, parts));
    await decide(world.context, bob, { ...parts, signedAt: signedAt(-60) });
  });

  it('take what a browser signs, both halves side by side', async () => {
    await submit();
    const offered = await signDecision(world.context, bob, { campaignId, decision: 'approve' });
    const der = Buffer.from(exportPrivateKey(bob.signer));
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const { dossierSha256 } = await storedSubmission();
    const { contentSha256, note, signature } = offered;
    const words = { campaignId, contentSha256, dossierSha256, decision: 'approve', note } as const;
    const text = decisionText({ ...words, signedAt: signature.signedAt });
    const raw = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    assert.equal(raw.length, 64);
    const approvals = new Approvals({ ...world.context, ...APPROVAL_GROUND });
    await approvals.take(
      campaignId,
      { name: 'bob', tenant: 'main' },
      {
        ...offered,
        signature: { ...signature, signature: raw.toString('base64') },
      },
    );
    await check();
  });

  it('need a new approval after scope, dossier or release changed', async () => {
    await approve();
    await edit({ query: 'vehicle.model == "X1"' });
    await refused('APPROVAL_STALE', check);
    await edit({ query: 'true' });
    await check();
    await fillDossier(world.context, releaseId, { a: { text: 'Something else' } });
    await refused('APPROVAL_STALE', check);
    await fillDossier(world.context, releaseId);
    await check();
    const by = { releaseId, tenant: 'main', by: 'ann' };
    await blockRelease(world.context, { ...by, isBlocked: true, reason: 'It brakes too hard' });
    await refused('RELEASE_BLOCKED', check);
    await blockRelease(world.context, { ...by, isBlocked: false, reason: 'It does not' });
    await check();
  });

  it('do not believe a row that somebody edited by hand', async () => {
    await submit();
    await edit({ approval: 'approved' });
    await refused('APPROVAL_MISSING', check);
    const submission = await storedSubmission();
    await edit({ decision: { ...submission, decision: 'approve' } });
    await refused('SIGNATURE_INVALID', check);
    await edit({ approval: 'submitted', decision: null });
    await decide(world.context, bob, { campaignId, decision: 'approve' });
    await check();
    await edit({ submission: { ...submission, by: 'bob' } });
    await refused('SIGNATURE_KEY_FOREIGN', check);
  });

  it('wait for a whole dossier, and say which items it lacks', async () => {
    const images = [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }];
    const bare = { ...releaseOf({ 'a-hw': 'a/2' }, images), version: `${turn}-bare` };
    releaseId = await world.release(bare);
    await edit({ release_id: releaseId, content_sha256: '' });
    const { i: _, ...most } = WHOLE_DOSSIER;
    await fillDossier(world.context, releaseId, most);
    await refused('DOSSIER_INCOMPLETE', submit);
    await fillDossier(world.context, releaseId);
    await submit();
  });

  it('stop where the rehearsal of this content would strand vehicles', async () => {
    const { kysely } = world.test.database;
    const row = await kysely
      .selectFrom('campaign')
      .select('content_sha256')
      .where('campaign_id', '=', campaignId)
      .executeTakeFirstOrThrow();
    const rehearse = async (isBlocking: boolean, at: string): Promise<void> => {
      const stranding = [{ check: 'root', detail: 'no key fits', vehicles: 3, isBlocking }];
      const instant = Temporal.Instant.from(at);
      await kysely
        .insertInto('rehearsal')
        .values({
          rehearsal_id: `${campaignId} ${at}`,
          campaign_id: campaignId,
          content_sha256: row.content_sha256,
          state: 'done',
          seed: 's',
          created_by: 'ann',
          started_at: instant,
          beat_at: instant,
          ended_at: instant,
          problem: null,
          result: { stranding },
        })
        .execute();
    };
    await rehearse(true, '2026-11-22T09:00:00Z');
    await refused('APPROVAL_STALE', submit);
    await rehearse(false, '2026-11-22T09:30:00Z');
    await submit();
  });

  it('know no campaign of another tenant', async () => {
    const approvals = new Approvals({ ...world.context, ...APPROVAL_GROUND });
    const offered = await signDecision(world.context, ann, { campaignId, decision: 'submit' });
    await assert.rejects(approvals.take(campaignId, { name: 'ann', tenant: 'other' }, offered), {
      code: 'NOT_FOUND',
    });
  });
});

/** Makes a token, and a key under its name. */
async function makeTokenOf(name: string, by: string): Promise<TestPerson> {
  await createToken(world.context, { name, role: 'approver', uploadsFor: [], ttlDays: 1, by });
  return await makePerson(world.context, name);
}

/** Lets somebody in who signs in, and registers a key under their address. */
async function makeUser(email: string): Promise<TestPerson & { readonly userId: string }> {
  const newcomer = { tenant: 'main', email, name: 'N', role: 'approver', by: 'test' } as const;
  const { person_id: userId } = await createPerson(world.context, newcomer);
  return { ...(await makePerson(world.context, email)), userId };
}

/** Takes a decision as the routes do: a person by their user, a token by its maker. */
async function take(
  decision: 'submit' | 'approve',
  person: TestPerson,
  who: Partial<Decider>,
): Promise<void> {
  const approvals = new Approvals({ ...world.context, ...APPROVAL_GROUND });
  const offered = await signDecision(world.context, person, { campaignId, decision });
  await approvals.take(campaignId, { name: person.name, tenant: 'main', ...who }, offered);
}

async function storedDecision(): Promise<JsonObject> {
  const row = await world.test.database.kysely
    .selectFrom('campaign')
    .select('decision')
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  return row.decision as JsonObject;
}

async function storedSubmission(): Promise<JsonObject & { readonly dossierSha256: string }> {
  const row = await world.test.database.kysely
    .selectFrom('campaign')
    .select('submission')
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  return row.submission as JsonObject & { readonly dossierSha256: string };
}
