/** Keys, roots and floors that would leave vehicles behind: found before, and not on the road. */
import { sql } from '@immota/store';
import { AKTUALIZR, TUF } from '@immota/uptane';
import type { Release } from '../release/release-document.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import { findSigned } from '../trust/search.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import type { Tally } from './tally.ts';

/** Metadata that ends so soon is renewed before a campaign starts, and not while it runs. */
const BLOCKING_DAYS = 7;
/** Of the Director and of the Image repository: vehicles check these, and people must sign them anew. */
const OFFLINE_ROLES = ['root', 'targets'];

/** A reason to stop and think. */
export interface Stranding {
  readonly check: string;
  readonly detail: string;
  readonly vehicles: number;
  /** Whether nothing is approved while it stands. */
  readonly isBlocking: boolean;
}

/** What is looked at. */
export interface StrandingInput {
  readonly reader: CloudDatabase['kysely'] | CloudTransaction;
  readonly trust: TrustStore;
  readonly release: Release;
  readonly tally: Tally;
  readonly now: Temporal.Instant;
  /** When the campaign is expected to be over. */
  readonly until: Temporal.Instant;
}

/** Finds all of them. */
export async function findStranding(input: StrandingInput): Promise<readonly Stranding[]> {
  const { tally } = input;
  const found: Stranding[] = [
    ...(await checkRoots(input)),
    ...(await checkExpiries(input)),
    ...checkSigned(input),
  ];
  if (tally.belowFloor > 0) {
    found.push({
      check: 'release-counter',
      detail:
        'Their ECUs run an image with a higher release counter than one on the way: they refuse it as old',
      vehicles: tally.belowFloor,
      isBlocking: true,
    });
  }
  if (tally.endedCertificates > 0) {
    found.push({
      check: 'certificate-ended',
      detail:
        'The certificate of these vehicles has ended: they cannot connect until it is renewed',
      vehicles: tally.endedCertificates,
      isBlocking: false,
    });
  }
  if (tally.endingCertificates > 0) {
    found.push({
      check: 'certificate-ending',
      detail: 'The certificate of these vehicles ends before the campaign is expected to be over',
      vehicles: tally.endingCertificates,
      isBlocking: false,
    });
  }
  return found;
}

/** {uptane L7}: whoever missed versions walks from one to the next, so none may be missing. */
async function checkRoots({ reader, tally }: StrandingInput): Promise<readonly Stranding[]> {
  const { rows } = await sql<{
    readonly name: string;
    readonly count: number;
    readonly last: number;
  }>`
    select repository || ' ' || dialect as name, count(*) as count, max(version) as last
    from metadata_file where role = 'root' group by repository, dialect`.execute(reader);
  return rows
    .filter(({ count, last }) => count !== last)
    .map(({ name, count, last }) => ({
      check: 'root-chain',
      detail: `Of ${last} versions of Root in ${name} ${last - count} are missing: vehicles that know an older one cannot follow`,
      vehicles: tally.plannable,
      isBlocking: true,
    }));
}

async function checkExpiries(input: StrandingInput): Promise<readonly Stranding[]> {
  const { reader, tally, now, until } = input;
  const { rows } = await sql<{ readonly name: string; readonly expires_at: Temporal.Instant }>`
    select distinct on (repository, dialect, role) repository || ' ' || dialect || ' ' || role as name, expires_at
    from metadata_file where role = any(${OFFLINE_ROLES}::text[])
      and (repository = 'image' or role = 'root')
    order by repository, dialect, role, version desc`.execute(reader);
  const soon = now.add({ hours: 24 * BLOCKING_DAYS });
  return rows
    .filter(({ expires_at: at }) => Temporal.Instant.compare(at, until) <= 0)
    .map(({ name, expires_at: at }) => ({
      check: 'metadata-expiry',
      detail: `${name} ends at ${at.toString()}, before the campaign is expected to be over: vehicles refuse it from then on`,
      vehicles: tally.plannable,
      isBlocking: Temporal.Instant.compare(at, soon) <= 0,
    }));
}

/** Whatever a vehicle reads, Director and Image repository must both list each image {uptane D4}. */
function checkSigned({ trust, release, tally }: StrandingInput): readonly Stranding[] {
  return [AKTUALIZR, TUF].flatMap((dialect) => {
    const { targets } = trust.image(dialect.name);
    const missing = release.images.filter(
      ({ name, hardwareIdentifier }) =>
        findSigned(dialect, targets, { name, hardwareIdentifiers: [hardwareIdentifier] }) ===
        undefined,
    );
    if (missing.length === 0) return [];
    const [first] = missing;
    return [
      {
        check: 'image-unsigned',
        detail: `${missing.length} images are not signed in the ${dialect.name} dialect, the first is "${first?.name ?? ''}": vehicles that read it refuse them`,
        vehicles: tally.plannable,
        // The Director speaks to vehicles in the one; the other is for whoever reads the Image repository.
        isBlocking: dialect.name === AKTUALIZR.name,
      },
    ];
  });
}
