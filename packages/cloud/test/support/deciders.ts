/** People who sign decisions on campaigns, and a dossier that is whole. */
import type { JsonObject } from '@immota/base';
import { decisionText } from '@immota/api';
import { createHash } from 'node:crypto';
import { generateSigner, type SoftwareSigner } from '@immota/pki';
import { Approvals, type OfferedDecision } from '../../src/approval/approvals.ts';
import { APPROVAL_GROUND } from '../../src/approval/ground.ts';
import { contentOf, hashContent } from '../../src/campaign/campaign-content.ts';
import type { CloudContext } from '../../src/context.ts';
import { loadDossier, writeDossierItem } from '../../src/release/dossier.ts';

/** A person with a key. */
export interface TestPerson {
  readonly name: string;
  readonly keyId: string;
  readonly signer: SoftwareSigner;
}

/** Makes a person, and registers their key. */
export async function makePerson(
  { database }: Pick<CloudContext, 'database'>,
  name: string,
  algorithm: 'ed25519' | 'ecdsa-p256' = 'ed25519',
): Promise<TestPerson> {
  const signer = generateSigner(algorithm);
  const keyId = createHash('sha256').update(signer.publicKeyDer).digest('hex');
  await database.kysely
    .insertInto('signing_key')
    .values({
      key_id: keyId,
      owner: name,
      user_id: null,
      name: 'laptop',
      algorithm,
      public_key: signer.publicKeyDer,
      revoked_at: null,
    })
    .execute();
  return { name, keyId, signer };
}

/** What a decision is about, and how it differs from a right one. */
export interface DecisionParts {
  readonly campaignId: string;
  readonly decision: OfferedDecision['decision'];
  readonly contentSha256?: string;
  readonly dossierSha256?: string;
  readonly signedAt?: string;
  readonly note?: string;
  /** Whose key signs; the person's own when left out. */
  readonly signer?: SoftwareSigner;
}

/** Signs a decision as a person's command line does. */
export async function signDecision(
  context: Pick<CloudContext, 'database' | 'clock'>,
  person: TestPerson,
  parts: DecisionParts,
): Promise<OfferedDecision> {
  const { campaignId, decision, note = '', signer = person.signer } = parts;
  const campaign = await context.database.kysely
    .selectFrom('campaign')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  const contentSha256 = parts.contentSha256 ?? hashContent(contentOf(campaign));
  const dossier = await loadDossier(context.database.kysely, campaign.release_id);
  const dossierSha256 = parts.dossierSha256 ?? dossier.contentSha256;
  const signedAt = parts.signedAt ?? context.clock.now().toString();
  const text = decisionText({ campaignId, contentSha256, dossierSha256, decision, note, signedAt });
  const signature = Buffer.from(await signer.sign(Buffer.from(text))).toString('base64');
  return {
    decision,
    contentSha256,
    note,
    signature: { keyId: person.keyId, signature, signedAt },
  };
}

/** Has a person decide. */
export async function decide(
  context: Pick<CloudContext, 'database' | 'clock' | 'events'>,
  person: TestPerson,
  parts: DecisionParts,
): Promise<void> {
  const { database, events, clock } = context;
  const approvals = new Approvals({ database, events, clock, ...APPROVAL_GROUND });
  const offered = await signDecision(context, person, parts);
  await approvals.take(parts.campaignId, { name: person.name, tenant: 'main' }, offered);
}

const PROOF = [{ name: 'report.pdf', sha256: 'ab'.repeat(32) }];

/** Answers to all nine items that let a campaign go on; no approval is affected. */
export const WHOLE_DOSSIER: Readonly<Record<string, JsonObject>> = {
  a: { text: 'Shorter braking distance' },
  b: { text: 'Brakes' },
  c: { text: 'Brakes, R13-H', answer: true },
  d: { text: 'They are met as before', answer: false },
  e: { text: 'No parameter changes', answer: false },
  f: { text: 'None was needed', answer: false },
  g: { text: 'Parked, by the owner’s consent' },
  h: { text: 'Confirmed by the safety team', answer: true, evidence: PROOF },
  i: { text: 'Confirmed by the test team', answer: true, evidence: PROOF },
};

/** Writes items of a dossier; all of a whole one when left out. */
export async function fillDossier(
  context: Pick<CloudContext, 'database' | 'clock' | 'events'>,
  releaseId: string,
  items: Readonly<Record<string, JsonObject>> = WHOLE_DOSSIER,
): Promise<void> {
  for (const [letter, item] of Object.entries(items)) {
    const { text, answer, approvalNumber, evidence } = item as {
      readonly text: string;
      readonly answer?: boolean;
      readonly approvalNumber?: string;
      readonly evidence?: readonly { readonly name: string; readonly sha256?: string }[];
    };
    await writeDossierItem(context, {
      releaseId,
      tenant: 'main',
      item: letter as 'a',
      written: { text, answer, approvalNumber, evidence: evidence ?? [] },
      by: 'engineer',
    });
  }
}
