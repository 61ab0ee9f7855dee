/**
 * What an authority asks of a campaign {R156 7.1.1.12}, as one file that says so by itself: header, release,
 * dossier, decisions, register, every target with what it ran, what its people agreed to and what became of
 * it, the events behind all that, and a signature over every line. Nothing of the fleet is held in memory.
 */
import type { JsonObject, Signer } from '@immota/base';
import { sql } from '@immota/store';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { APPROVAL_GROUND } from '../approval/ground.ts';
import { sha256Hex } from '../approval/sha256.ts';
import { committed, type CloudContext } from '../context.ts';
import { contentOf, plain } from '../campaign/campaign-content.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { signCheckpoint } from '../event-log/verify-stream.ts';
import { CloudFault } from '../fault.ts';
import { contentOf as dossierContent, loadDossier } from '../release/dossier.ts';
import { readStoredRelease } from '../release/release-document.ts';
import { entryBody, verifyRegister } from '../release/rxswin-register.ts';
import type { CampaignRecord } from '../approval/check-approved.ts';
import { readFleetEvents } from './fleet-events.ts';
import { LineWriter } from './line.ts';
import { readTargets } from './target-lines.ts';

/** Configurations and register entries read at once. */
const PAGE_ROWS = 500;

/** What an export works with. */
export interface EvidenceContext extends Pick<CloudContext, 'database' | 'events' | 'clock'> {
  /** The keys of the event log. */
  readonly signers: readonly Signer[];
}

/** Who takes what away. */
export interface EvidenceRequest {
  readonly campaignId: string;
  readonly tenant: string;
  readonly by: string;
}

/**
 * Begins an export: what can be refused is refused before the first line.
 *
 * @returns the lines. Where the event log turns out not to be what was appended they end with EVENT_CHAIN and
 * without the signature: nothing false is signed.
 * @throws CloudFault NOT_FOUND, KEY_MISSING, REGISTER_CHAIN.
 */
export async function exportEvidence(
  context: EvidenceContext,
  request: EvidenceRequest,
): Promise<AsyncGenerator<Uint8Array>> {
  const { database, events, clock, signers } = context;
  const { campaignId, tenant, by } = request;
  if (signers.length === 0) {
    throw new CloudFault(
      'KEY_MISSING',
      'Cannot sign evidence: the key of the event log is not here',
    );
  }
  const campaign = await database.kysely
    .selectFrom('campaign')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .where('tenant', '=', tenant)
    .executeTakeFirst();
  if (campaign === undefined) {
    throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
  }
  // Nothing false is signed: the register is checked as a whole, the events one by one as they are written.
  await verifyRegister(database, tenant);
  const at = clock.now();
  await committed(database, (tx) =>
    events.append(tx, [
      { stream: fleetStream(tenant), kind: 'evidence.exported', at, body: { campaignId, by } },
    ]),
  );
  return writeEvidence(context, campaign, at);
}

async function* writeEvidence(
  context: EvidenceContext,
  campaign: CampaignRecord,
  at: Temporal.Instant,
): AsyncGenerator<Uint8Array> {
  const { database, signers } = context;
  const writer = new LineWriter();
  yield writer.write('header', describeCampaign(campaign, { at, signers }));
  yield* writeRelease(context, campaign, writer);
  // Before the targets: whoever reads on knows by then which list was frozen.
  for await (const body of readFleetEvents(database, campaign)) yield writer.write('event', body);
  yield* writeConfigurations(context, campaign.campaign_id, writer);
  for await (const { kind, body } of readTargets(database, campaign)) {
    yield writer.write(kind, body);
  }
  const document = await signHead(context, campaign.tenant);
  yield writer.write('checkpoint', { document });
  const signed = {
    _type: 'Evidence',
    campaignId: campaign.campaign_id,
    at: instant(at),
    ...writer.summary(),
  };
  const trailer = await signMetadata(AKTUALIZR, signed, signers);
  yield writer.write('trailer', { document: Buffer.from(trailer).toString('base64') });
}

/** Several keys sign one checkpoint each: it is enough that one of them is trusted. */
async function signHead(context: EvidenceContext, tenant: string): Promise<string> {
  const { database, clock, signers } = context;
  const [signer] = signers;
  const document =
    signer === undefined
      ? undefined
      : await signCheckpoint(database, fleetStream(tenant), { signer, clock });
  return Buffer.from(document ?? new Uint8Array()).toString('base64');
}

function describeCampaign(
  campaign: CampaignRecord,
  { at, signers }: { readonly at: Temporal.Instant; readonly signers: readonly Signer[] },
): JsonObject {
  const content = contentOf(campaign);
  return {
    format: 'immota-evidence',
    version: 1,
    at: instant(at),
    keys: signers.map(({ algorithm, publicKeyDer }) => ({
      algorithm,
      publicKey: Buffer.from(publicKeyDer).toString('base64'),
    })),
    campaignId: campaign.campaign_id,
    tenant: campaign.tenant,
    state: campaign.state,
    createdBy: campaign.created_by,
    createdAt: instant(campaign.created_at),
    ...(campaign.started_at === null ? {} : { startedAt: instant(campaign.started_at) }),
    contentSha256: APPROVAL_GROUND.contentSha256(campaign),
    // As it was hashed for the approval.
    content: {
      name: content.name,
      releaseId: content.releaseId,
      query: content.query,
      policy: plain(content.policy),
      waves: plain(content.waves),
      guard: plain(content.guard),
      ...(content.filingNumber === undefined ? {} : { filingNumber: content.filingNumber }),
    },
  };
}

async function* writeRelease(
  { database }: EvidenceContext,
  campaign: CampaignRecord,
  writer: LineWriter,
): AsyncGenerator<Uint8Array> {
  const { kysely } = database;
  const roots = await kysely
    .selectFrom('metadata_file')
    .select(['version', 'bytes'])
    .where('repository', '=', 'image')
    .where('dialect', '=', 'aktualizr')
    .where('role', '=', 'root')
    .orderBy('version')
    .execute();
  for (const { version, bytes } of roots) {
    yield writer.write('root', { version, document: Buffer.from(bytes).toString('base64') });
  }
  const release = await kysely
    .selectFrom('release')
    .selectAll()
    .where('release_id', '=', campaign.release_id)
    .executeTakeFirstOrThrow();
  yield writer.write('release', {
    releaseId: release.release_id,
    createdBy: release.created_by,
    createdAt: instant(release.created_at),
    sha256: sha256Hex(release.document),
    document: Buffer.from(release.document).toString('base64'),
    ...(release.blocked_because === null ? {} : { blockedBecause: release.blocked_because }),
  });
  const names = readStoredRelease(release.document).images.map(({ name }): string => name);
  const images = await kysely
    .selectFrom('image')
    .select(['name', 'version', 'sha256', 'length_bytes', 'hardware_ids'])
    .where('name', 'in', names)
    .orderBy('name')
    .execute();
  for (const { name, version, sha256, ...image } of images) {
    const facts = { lengthBytes: image.length_bytes, hardwareIds: image.hardware_ids };
    yield writer.write('image', { name, version, sha256, ...facts });
  }
  const dossier = await loadDossier(kysely, campaign.release_id);
  yield writer.write('dossier', {
    releaseId: campaign.release_id,
    contentSha256: dossier.contentSha256,
    items: dossier.items.map((item) => ({
      ...dossierContent(item),
      ...(item.updatedBy === undefined ? {} : { updatedBy: item.updatedBy }),
      ...(item.updatedAt === undefined ? {} : { updatedAt: instant(item.updatedAt) }),
    })),
  });
  for (const decision of [campaign.submission, campaign.decision]) {
    if (decision !== null) yield writer.write('decision', decision);
  }
  yield* writeRegister(database, campaign, writer);
}

async function* writeRegister(
  database: EvidenceContext['database'],
  campaign: CampaignRecord,
  writer: LineWriter,
): AsyncGenerator<Uint8Array> {
  const entries = await database.kysely
    .selectFrom('rxswin_entry')
    .selectAll()
    .where('tenant', '=', campaign.tenant)
    .where('release_id', '=', campaign.release_id)
    .orderBy('sequence')
    .execute();
  for (const entry of entries) {
    yield writer.write('register', {
      entry: entryBody(entry),
      previousHash: Buffer.from(entry.previous_hash).toString('hex'),
      hash: Buffer.from(entry.hash).toString('hex'),
    });
  }
}

/** What the targets ran, each once: fleets are much alike. From one to the next in the index, not over all. */
async function* writeConfigurations(
  { database }: EvidenceContext,
  campaignId: string,
  writer: LineWriter,
): AsyncGenerator<Uint8Array> {
  let after = '';
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const { rows } = await sql<{ readonly sha256: string; readonly body: string }>`
      with recursive next as (
        (select configuration_sha256 as sha256 from campaign_target
          where campaign_id = ${campaignId} and configuration_sha256 > ${after}
          order by configuration_sha256 limit 1)
        union all
        select (select configuration_sha256 from campaign_target
          where campaign_id = ${campaignId} and configuration_sha256 > next.sha256
          order by configuration_sha256 limit 1)
        from next where next.sha256 is not null)
      select c.sha256, c.body
      from (select sha256 from next where sha256 is not null limit ${PAGE_ROWS}) own
        join configuration c using (sha256)
      order by c.sha256`.execute(database.kysely);
    for (const { sha256, body } of rows) yield writer.write('configuration', { sha256, body });
    after = rows.at(-1)?.sha256 ?? after;
    if (rows.length < PAGE_ROWS) return;
  }
}

function instant(at: Temporal.Instant): string {
  return at.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' });
}
