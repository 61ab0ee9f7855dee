/** The dossier of a release {R156 7.1.2.5}: written item by item, each write on record, hashed as a whole. */
import { releaseSchemas } from '@immota/api';
import type { Clock, JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { z } from 'zod';
import { sha256Hex, sha256OfJson } from '../approval/sha256.ts';
import { committed } from '../context.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import {
  DOSSIER_RULES,
  type DossierEvidence,
  type DossierLetter,
  type WrittenItem,
} from './dossier-items.ts';
import { readStoredRelease, type Release } from './release-document.ts';
import { registerRxswins } from './rxswin-register.ts';

/** One item as it stands. */
export interface DossierItem extends WrittenItem {
  readonly item: DossierLetter;
  /** In words; undefined when it is complete. */
  readonly missing: string | undefined;
  readonly updatedBy: string | undefined;
  readonly updatedAt: Temporal.Instant | undefined;
}

/** See the head of the file. */
export interface Dossier {
  readonly releaseId: string;
  readonly items: readonly DossierItem[];
  /** Over the release's own bytes and all items, hex: what is approved is bound to it. */
  readonly contentSha256: string;
  readonly blockedBecause: string | undefined;
}

/** What writing needs. */
export interface DossierContext {
  readonly database: CloudDatabase;
  readonly events: EventSink;
  readonly clock: Clock;
}

const evidenceSchema = z.array(
  z.object({ name: z.string(), sha256: z.string().optional(), uri: z.string().optional() }),
);

/**
 * Reads a dossier.
 *
 * @param tenant - whose release it must be; any when left out.
 * @throws CloudFault NOT_FOUND when there is no such release.
 */
export async function loadDossier(
  tx: CloudTransaction | CloudDatabase['kysely'],
  releaseId: string,
  tenant?: string,
): Promise<Dossier> {
  const { row, written } = await loadWritten(tx, releaseId, tenant);
  const release = readStoredRelease(row.document);
  const items = releaseSchemas.DOSSIER_ITEMS.map((item) => assess(item, written, release));
  return {
    releaseId,
    items,
    contentSha256: sha256OfJson({
      _type: 'Dossier',
      releaseId,
      releaseSha256: sha256Hex(row.document),
      items: items.map(contentOf),
    }),
    blockedBecause: row.blocked_because ?? undefined,
  };
}

interface StampedItem extends WrittenItem {
  readonly by: string;
  readonly at: Temporal.Instant;
}

async function loadWritten(
  tx: CloudTransaction | CloudDatabase['kysely'],
  releaseId: string,
  tenant: string | undefined,
): Promise<{
  readonly row: {
    readonly document: Uint8Array;
    readonly blocked_because: string | null;
  };
  readonly written: ReadonlyMap<string, StampedItem>;
}> {
  let select = tx
    .selectFrom('release')
    .select(['document', 'blocked_because'])
    .where('release_id', '=', releaseId);
  if (tenant !== undefined) select = select.where('tenant', '=', tenant);
  const row = await select.executeTakeFirst();
  if (row === undefined) throw new CloudFault('NOT_FOUND', `Cannot find release "${releaseId}"`);
  const items = await tx
    .selectFrom('dossier_item')
    .selectAll()
    .where('release_id', '=', releaseId)
    .execute();
  const written = items.map((item): readonly [string, StampedItem] => [
    item.item,
    {
      text: item.text,
      answer: item.answer ?? undefined,
      approvalNumber: item.approval_number ?? undefined,
      evidence: evidenceSchema.parse(item.evidence),
      by: item.updated_by,
      at: item.updated_at,
    },
  ]);
  return { row, written: new Map(written) };
}

function assess(
  item: DossierLetter,
  written: ReadonlyMap<string, StampedItem>,
  { rxswins }: Release,
): DossierItem {
  const own = written.get(item);
  if (own === undefined) {
    const empty = { text: '', answer: undefined, approvalNumber: undefined, evidence: [] };
    return {
      item,
      ...empty,
      missing: 'nothing is written',
      updatedBy: undefined,
      updatedAt: undefined,
    };
  }
  const { by, at, ...content } = own;
  const missing =
    own.text.trim() === ''
      ? 'nothing is written'
      : DOSSIER_RULES[item].missing(own, { items: written, rxswins });
  return { item, ...content, missing, updatedBy: by, updatedAt: at };
}

/** An item as it is hashed, put on record, and shown to an authority. */
export function contentOf(item: WrittenItem & { readonly item: string }): JsonObject {
  const { text, answer, approvalNumber, evidence } = item;
  return {
    item: item.item,
    text,
    ...(answer === undefined ? {} : { answer }),
    ...(approvalNumber === undefined ? {} : { approvalNumber }),
    evidence: evidence.map(evidenceJson),
  };
}

function evidenceJson({ name, sha256, uri }: DossierEvidence): JsonObject {
  return {
    name,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(uri === undefined ? {} : { uri }),
  };
}

/** What is written, by whom. */
export interface DossierWrite {
  readonly releaseId: string;
  readonly tenant: string;
  readonly item: DossierLetter;
  readonly written: WrittenItem;
  readonly by: string;
}

/**
 * Writes an item. What stood there before stays in the event log.
 *
 * @throws CloudFault NOT_FOUND.
 */
export async function writeDossierItem(
  { database, events, clock }: DossierContext,
  write: DossierWrite,
): Promise<Dossier> {
  const { releaseId, tenant, item, written, by } = write;
  const at = clock.now();
  return await committed(database, async (tx) => {
    // Two who write at once: the second sees what the first wrote.
    await tx
      .selectFrom('release')
      .select('release_id')
      .where('release_id', '=', releaseId)
      .forNoKeyUpdate()
      .execute();
    const known = await loadWritten(tx, releaseId, tenant);
    const before = known.written.get(item);
    const row = {
      text: written.text,
      answer: written.answer ?? null,
      approval_number: written.approvalNumber ?? null,
      evidence: sql<
        readonly JsonObject[]
      >`${JSON.stringify(written.evidence.map(evidenceJson))}::jsonb`,
      updated_by: by,
      updated_at: at,
    };
    await tx
      .insertInto('dossier_item')
      .values({ release_id: releaseId, item, ...row })
      .onConflict((conflict) => conflict.columns(['release_id', 'item']).doUpdateSet(row))
      .execute();
    const body = {
      releaseId,
      item,
      by,
      before: before === undefined ? null : contentOf({ item, ...before }),
      after: contentOf({ item, ...written }),
    };
    await events.append(tx, [{ stream: fleetStream(tenant), kind: 'dossier.written', at, body }]);
    const isNumbered =
      item === 'f' &&
      written.approvalNumber !== undefined &&
      written.approvalNumber !== before?.approvalNumber;
    if (isNumbered) {
      const { approvalNumber } = written;
      await registerRxswins({ tx, events, at }, { releaseId, tenant, approvalNumber });
    }
    return await loadDossier(tx, releaseId, tenant);
  });
}
