/**
 * The register of RXSWINs {R156 7.1.1.3} {R156 7.1.2.3}: which software stands behind each, before and
 * after, under which approval. It is a projection of the events `rxswin.registered`: each entry is one
 * event's body, chained to the entry before it, so that the register can be rebuilt and held against the log.
 */
import { createHash } from 'node:crypto';
import { equalBytes, type JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { encodeCanonical } from '@immota/uptane';
import type { Selectable } from 'kysely';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { RxswinEntryRow } from '../schema/release-tables.ts';
import { readStoredRelease, type Release } from './release-document.ts';
import type { ReleaseRxswin } from './release-rxswin.ts';

/** One entry. */
export type RxswinEntry = Selectable<RxswinEntryRow>;

/** The hash that the first entry is chained to. */
const GENESIS = new Uint8Array(32);
/** Entries checked at once. */
const PAGE_ROWS = 500;

/** Where an entry is written. */
export interface RegisterContext {
  readonly tx: CloudTransaction;
  readonly events: EventSink;
  readonly at: Temporal.Instant;
}

/**
 * Registers what a release makes of its RXSWINs. What the register says already is not said again.
 *
 * @param release - stored, and of this tenant.
 */
export async function registerRxswins(
  { tx, events, at }: RegisterContext,
  release: {
    readonly releaseId: string;
    readonly tenant: string;
    /** Of the dossier, for entries whose release document names none. */
    readonly approvalNumber?: string | undefined;
  },
): Promise<void> {
  const { releaseId, tenant, approvalNumber } = release;
  const row = await tx
    .selectFrom('release')
    .select('document')
    .where('release_id', '=', releaseId)
    .executeTakeFirstOrThrow();
  const parsed = readStoredRelease(row.document);
  if (parsed.rxswins.length === 0) return;
  // One writer at a time for a tenant: each entry needs the hash of the last one.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`rxswin ${tenant}`}, 2))`.execute(tx);
  const images = await loadImages(tx, parsed);
  for (const rxswin of parsed.rxswins) {
    // oxlint-disable-next-line no-await-in-loop -- each entry is chained to the one before
    await register(
      { tx, events, at },
      { release: parsed, releaseId, tenant, images },
      {
        ...rxswin,
        approvalNumber: rxswin.approvalNumber ?? approvalNumber,
      },
    );
  }
}

interface Registration {
  readonly release: Release;
  readonly releaseId: string;
  readonly tenant: string;
  readonly images: ReadonlyMap<string, ImageFacts>;
}

interface ImageFacts {
  readonly version: string;
  readonly sha256: string;
}

async function register(
  { tx, events, at }: RegisterContext,
  { release, releaseId, tenant, images }: Registration,
  { regulation, hardwareIdentifier, rxswin, before, approvalNumber }: ReleaseRxswin,
): Promise<void> {
  const known = await tx
    .selectFrom('rxswin_entry')
    .select('sequence')
    .where('tenant', '=', tenant)
    .where('release_id', '=', releaseId)
    .where('regulation', '=', regulation)
    .where('hardware_id', '=', hardwareIdentifier)
    .where('approval_number', 'is not distinct from', approvalNumber ?? null)
    .executeTakeFirst();
  if (known !== undefined) return;
  const last = await tx
    .selectFrom('rxswin_entry')
    .select(['sequence', 'hash'])
    .where('tenant', '=', tenant)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const software = softwareOf(release, { regulation, rxswin }, images);
  const softwareBefore =
    (await findRegistered(tx, { tenant, regulation, rxswin: before })) ??
    softwareBelow(release, { regulation, rxswin }, images);
  const body: JsonObject = {
    tenant,
    sequence: (last?.sequence ?? 0) + 1,
    regulation,
    hardwareId: hardwareIdentifier,
    rxswin,
    ...(before === undefined ? {} : { before }),
    releaseId,
    releaseName: `${release.name} ${release.version}`,
    ...(approvalNumber === undefined ? {} : { approvalNumber }),
    software,
    softwareBefore,
    since: at.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' }),
  };
  const previous = last?.hash ?? GENESIS;
  const hash = entryHash(previous, body);
  await insertEntry(tx, body, { previous, hash });
  const event = { ...body, hash: Buffer.from(hash).toString('hex') };
  await events.append(tx, [
    { stream: fleetStream(tenant), kind: 'rxswin.registered', at, body: event },
  ]);
}

/** Computes the hash of an entry: SHA-256 over the hash before it and its canonical JSON. */
export function entryHash(previous: Uint8Array, body: JsonObject): Uint8Array {
  const digest = createHash('sha256').update(previous).update(encodeCanonical(body, 'escaped'));
  return new Uint8Array(digest.digest());
}

async function insertEntry(
  tx: CloudTransaction,
  body: JsonObject,
  chain: { readonly previous: Uint8Array; readonly hash: Uint8Array },
): Promise<void> {
  const text = JSON.stringify(body);
  await sql`insert into rxswin_entry (tenant, sequence, regulation, hardware_id, rxswin, before, release_id,
      release_name, approval_number, software, software_before, since, previous_hash, hash)
    select b ->> 'tenant', (b ->> 'sequence')::bigint, b ->> 'regulation', b ->> 'hardwareId', b ->> 'rxswin',
      b ->> 'before', b ->> 'releaseId', b ->> 'releaseName', b ->> 'approvalNumber', b -> 'software',
      b -> 'softwareBefore', (b ->> 'since')::timestamptz, ${chain.previous}, ${chain.hash}
    from (select ${text}::jsonb as b) as fresh`.execute(tx);
}

/** An entry as it was hashed: what its event says, without the hash. */
export function entryBody(entry: RxswinEntry): JsonObject {
  return {
    tenant: entry.tenant,
    sequence: entry.sequence,
    regulation: entry.regulation,
    hardwareId: entry.hardware_id,
    rxswin: entry.rxswin,
    ...(entry.before === null ? {} : { before: entry.before }),
    releaseId: entry.release_id,
    releaseName: entry.release_name,
    ...(entry.approval_number === null ? {} : { approvalNumber: entry.approval_number }),
    software: entry.software,
    softwareBefore: entry.software_before,
    since: entry.since.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' }),
  };
}

/**
 * Checks the register of a tenant, entry by entry.
 *
 * @returns how many entries there are.
 * @throws CloudFault REGISTER_CHAIN when one is missing, moved or was changed.
 */
export async function verifyRegister(database: CloudDatabase, tenant: string): Promise<number> {
  let sequence = 0;
  let hash: Uint8Array = GENESIS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const rows = await database.kysely
      .selectFrom('rxswin_entry')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('sequence', '>', sequence)
      .orderBy('sequence')
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) {
      const own = entryHash(hash, entryBody(row));
      if (
        row.sequence !== sequence + 1 ||
        !equalBytes(row.previous_hash, hash) ||
        !equalBytes(row.hash, own)
      ) {
        throw new CloudFault(
          'REGISTER_CHAIN',
          `Cannot trust entry ${sequence + 1} of the register`,
        );
      }
      sequence = row.sequence;
      hash = own;
    }
    if (rows.length < PAGE_ROWS) return sequence;
  }
}

/** Everything of a release that stands behind an RXSWIN: the goals of all its hardware. */
function softwareOf(
  release: Release,
  { regulation, rxswin }: Pick<ReleaseRxswin, 'regulation' | 'rxswin'>,
  images: ReadonlyMap<string, ImageFacts>,
): readonly JsonObject[] {
  return hardwareOf(release, { regulation, rxswin }).flatMap((hardware) => {
    const name = release.goal.get(hardware);
    return name === undefined ? [] : [describeImage(hardware, name, images)];
  });
}

/** Where the register does not know the RXSWIN before: the images that the goals install over. */
function softwareBelow(
  release: Release,
  rxswin: Pick<ReleaseRxswin, 'regulation' | 'rxswin'>,
  images: ReadonlyMap<string, ImageFacts>,
): readonly JsonObject[] {
  return hardwareOf(release, rxswin).flatMap((hardware) => {
    const goal = release.goal.get(hardware);
    const image = release.images.find(
      (one) => one.hardwareIdentifier === hardware && one.name === goal,
    );
    if (image === undefined || image.installsOver === 'any') return [];
    return [...image.installsOver].map((name) => describeImage(hardware, name, images));
  });
}

function hardwareOf(
  release: Release,
  { regulation, rxswin }: Pick<ReleaseRxswin, 'regulation' | 'rxswin'>,
): readonly ReleaseRxswin['hardwareIdentifier'][] {
  return release.rxswins
    .filter((one) => one.regulation === regulation && one.rxswin === rxswin)
    .map(({ hardwareIdentifier }) => hardwareIdentifier);
}

function describeImage(
  hardwareId: string,
  name: string,
  images: ReadonlyMap<string, ImageFacts>,
): JsonObject {
  const facts = images.get(name);
  return { hardwareId, image: name, version: facts?.version ?? '', sha256: facts?.sha256 ?? '' };
}

/** What the register last said of an RXSWIN. */
async function findRegistered(
  tx: CloudTransaction,
  asked: {
    readonly tenant: string;
    readonly regulation: string;
    readonly rxswin: string | undefined;
  },
): Promise<readonly JsonObject[] | undefined> {
  if (asked.rxswin === undefined) return undefined;
  const row = await tx
    .selectFrom('rxswin_entry')
    .select('software')
    .where('tenant', '=', asked.tenant)
    .where('regulation', '=', asked.regulation)
    .where('rxswin', '=', asked.rxswin)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.software;
}

async function loadImages(
  tx: CloudTransaction,
  { images }: Release,
): Promise<ReadonlyMap<string, ImageFacts>> {
  const names = new Set(
    images.flatMap(({ name, installsOver }) => [
      name,
      ...(installsOver === 'any' ? [] : installsOver),
    ]),
  );
  const rows = await tx
    .selectFrom('image')
    .select(['name', 'version', 'sha256'])
    .where('name', 'in', [...names])
    .execute();
  return new Map(rows.map(({ name, version, sha256 }) => [name, { version, sha256 }]));
}
