/** What to do next, and how the fleet is. Nothing here counts the fleet: it reads what is counted already. */
import { type JsonObject, member } from '@immota/base';
import { sql } from '@immota/store';
import { inScope } from '../access/scope.ts';
import { loadDossier } from '../release/dossier.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { within } from './bounded.ts';
import { countSource } from './counts.ts';

const COCKPIT_LIMIT_MS = 10_000;
/** Things of one kind that are told one by one; beyond it nobody reads on. */
const THINGS_MAX = 50;
/** Vehicles counted for one action; more is shown as so many. */
const COUNTED_MAX = 10_000;
/** What people sign takes weeks to sign; the rest is made anew by the server itself. */
const OFFLINE_NOTICE_DAYS = 30;
const ONLINE_NOTICE_HOURS = 12;
const ONLINE_ROLES: ReadonlySet<string> = new Set(['timestamp', 'snapshot']);
/** A vehicle that has been silent for so long does not come by itself. */
const SILENT_DAYS = 30;
/** Silence in days, as the screen shows it: each from so many days on. */
const SILENCE = [
  ['0', 0],
  ['1', 1],
  ['2–6', 2],
  ['7–29', 7],
  ['30–89', 30],
  ['90+', 90],
] as const;

type Severity = 'info' | 'notice' | 'warning' | 'alert';

/** Something that somebody should do. */
export interface Action {
  readonly kind:
    | 'campaign-held'
    | 'campaign-to-approve'
    | 'replacement-to-approve'
    | 'attack-reported'
    | 'metadata-expiring'
    | 'certificate-expiring'
    | 'dossier-incomplete'
    | 'vehicles-silent'
    | 'vehicles-failed';
  readonly severity: Severity;
  readonly title: string;
  readonly count: number;
  readonly subject?: string | undefined;
  readonly since?: string | undefined;
}

/** See the head of the file. */
export interface Cockpit {
  readonly at: string;
  readonly vehicles: number;
  /** Seen today or yesterday, in UTC. */
  readonly seenLastDay: number;
  readonly quarantined: number;
  readonly actions: readonly Action[];
  readonly campaigns: readonly CampaignCard[];
  readonly silence: readonly { readonly days: string; readonly vehicles: number }[];
  readonly expiries: readonly Expiry[];
}

interface CampaignCard {
  readonly campaignId: string;
  readonly name: string;
  readonly state: string;
  readonly wave: number;
  readonly waves: number;
  readonly updated: number;
  readonly failed: number;
  readonly vehicles: number;
}

interface Expiry {
  readonly kind: string;
  readonly name: string;
  readonly expiresAt: string;
  readonly count: number;
}

/**
 * Shows the cockpit.
 *
 * @throws CloudFault QUERY_TOO_SLOW.
 */
export async function loadCockpit(
  database: CloudDatabase,
  scope: FleetScope,
  now: Temporal.Instant,
): Promise<Cockpit> {
  return await within(database, COCKPIT_LIMIT_MS, async (tx) => {
    const { silence, quarantined } = await countSilence(tx, scope, now);
    const { cards, actions: ofCampaigns } = await loadCampaigns(tx, scope);
    const expiries = [
      ...(await loadMetadata(tx)),
      ...(await loadCertificates(tx, { scope, now })),
    ].toSorted((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
    const of = (days: string): number =>
      silence.find((bucket) => bucket.days === days)?.vehicles ?? 0;
    const silent = of('30–89') + of('90+');
    const actions = [
      ...ofCampaigns,
      ...(await loadAttacks(tx, scope)),
      ...expiries.flatMap((expiry) => actionOf(expiry, now)),
      ...(await loadReplacements(tx, scope)),
      ...(await loadDossiers(tx, scope)),
      ...(silent === 0 ? [] : [silentAction(silent)]),
    ];
    return {
      at: now.toString(),
      vehicles: silence.reduce((sum, bucket) => sum + bucket.vehicles, 0),
      seenLastDay: of('0') + of('1'),
      quarantined,
      actions: actions.toSorted((a, b) => RANK[b.severity] - RANK[a.severity]),
      campaigns: cards,
      silence,
      expiries,
    };
  });
}

const RANK: Readonly<Record<Severity, number>> = { alert: 3, warning: 2, notice: 1, info: 0 };

async function countSilence(
  tx: CloudTransaction,
  scope: FleetScope,
  now: Temporal.Instant,
): Promise<{ readonly silence: Cockpit['silence']; readonly quarantined: number }> {
  const { rows } = await sql<{
    readonly days: number | null;
    readonly barred: boolean;
    readonly vehicles: number;
  }>`
    select case when name <> '' then greatest(0, (${now} at time zone 'UTC')::date - name::date) end as days,
      value = 'barred' as barred, sum(vehicles)::bigint as vehicles
    from ${countSource(scope)} c where kind = 'vehicle' group by 1, 2 having sum(vehicles) > 0`.execute(
    tx,
  );
  const sum = (isMeant: (row: (typeof rows)[number]) => boolean): number =>
    rows.reduce((total, row) => total + (isMeant(row) ? row.vehicles : 0), 0);
  const silence = SILENCE.map(([days, from], index) => {
    const to = SILENCE[index + 1]?.[1] ?? Infinity;
    return { days, vehicles: sum((row) => row.days !== null && row.days >= from && row.days < to) };
  });
  const never = { days: 'never', vehicles: sum(({ days }) => days === null) };
  return { silence: [...silence, never], quarantined: sum(({ barred }) => barred) };
}

interface CampaignRow {
  readonly campaign_id: string;
  readonly name: string;
  readonly state: string;
  readonly approval: string;
  readonly open_wave: number;
  readonly waves: number;
  readonly hold: JsonObject | null;
  readonly submission: JsonObject | null;
  readonly updated: number;
  readonly failed: number;
  readonly vehicles: number;
}

async function loadCampaigns(
  tx: CloudTransaction,
  scope: FleetScope,
): Promise<{ readonly cards: readonly CampaignCard[]; readonly actions: readonly Action[] }> {
  // Who sees a part of the fleet sees that part of each campaign: counted, for it is not kept.
  const places =
    scope.query === undefined
      ? sql`select state, vehicles from campaign_count n where n.campaign_id = c.campaign_id`
      : sql`select p.state, 1 as vehicles from campaign_vehicle p
          join vehicle v on v.vehicle_id = p.vehicle_id and ${inScope(scope, 'v')}
          where p.campaign_id = c.campaign_id`;
  const { rows } = await sql<CampaignRow>`
    select c.campaign_id, c.name, c.state, c.approval, c.open_wave, jsonb_array_length(c.waves) as waves,
      c.hold, c.submission, coalesce(n.updated, 0)::bigint as updated, coalesce(n.failed, 0)::bigint as failed,
      coalesce(n.vehicles, 0)::bigint as vehicles
    from campaign c left join lateral (
      select sum(vehicles) as vehicles, sum(vehicles) filter (where state = 'updated') as updated,
        sum(vehicles) filter (where state = 'failed') as failed from (${places}) places
      where c.state <> 'planned') n on true
    where c.tenant = ${scope.tenant} and (c.state in ('running', 'paused', 'held')
      or c.state = 'planned' and c.approval = 'submitted')
    order by c.created_at desc, c.campaign_id limit ${THINGS_MAX}`.execute(tx);
  const live = rows.filter(({ state }) => state !== 'planned');
  return {
    cards: live.map((row) => ({
      campaignId: row.campaign_id,
      name: row.name,
      state: row.state,
      wave: row.open_wave,
      waves: Math.max(1, row.waves),
      updated: row.updated,
      failed: row.failed,
      vehicles: row.vehicles,
    })),
    actions: rows.flatMap(actionsOfCampaign),
  };
}

function actionsOfCampaign(row: CampaignRow): readonly Action[] {
  const { name, campaign_id: subject, hold, submission, failed } = row;
  const actions: Action[] = [];
  if (row.state === 'held') {
    const title = `Campaign "${name}" holds: ${textAt(hold, 'explanation') ?? 'see why'}`;
    const since = textAt(hold, 'since');
    actions.push({ kind: 'campaign-held', severity: 'alert', title, count: 1, subject, since });
  }
  if (row.state === 'planned') {
    const title = `Campaign "${name}" waits for approval`;
    const since = textAt(submission, 'at');
    const kind = 'campaign-to-approve';
    actions.push({ kind, severity: 'notice', title, count: 1, subject, since });
  }
  if (failed > 0) {
    const title = `${failed} vehicles failed in campaign "${name}"`;
    actions.push({ kind: 'vehicles-failed', severity: 'warning', title, count: failed, subject });
  }
  return actions;
}

function textAt(object: JsonObject | null, name: string): string | undefined {
  const value = object === null ? undefined : member(object, name);
  return typeof value === 'string' ? value : undefined;
}

async function loadAttacks(tx: CloudTransaction, scope: FleetScope): Promise<readonly Action[]> {
  const { rows } = await sql<{ readonly vehicles: number; readonly first: string | null }>`
    select count(*) as vehicles, min(vehicle_id) as first from (
      select distinct e.vehicle_id from ecu e join vehicle v on v.vehicle_id = e.vehicle_id
      where e.attacks_detected <> '' and ${inScope(scope, 'v')} limit ${COUNTED_MAX}) attacked`.execute(
    tx,
  );
  const [{ vehicles, first } = { vehicles: 0, first: null }] = rows;
  if (vehicles === 0) return [];
  const title = `${vehicles} vehicles report an attack`;
  const subject = vehicles === 1 ? (first ?? undefined) : undefined;
  return [{ kind: 'attack-reported', severity: 'alert', title, count: vehicles, subject }];
}

async function loadReplacements(
  tx: CloudTransaction,
  scope: FleetScope,
): Promise<readonly Action[]> {
  const { rows } = await sql<{
    readonly ecus: number;
    readonly since: Temporal.Instant | null;
    readonly first: string | null;
  }>`
    select count(*) as ecus, min(requested_at) as since, min(vehicle_id) as first from (
      select r.requested_at, r.vehicle_id from ecu_replacement r
      join vehicle v on v.vehicle_id = r.vehicle_id where ${inScope(scope, 'v')} limit ${COUNTED_MAX}) waiting`.execute(
    tx,
  );
  const [{ ecus, since, first } = { ecus: 0, since: null, first: null }] = rows;
  if (ecus === 0) return [];
  return [
    {
      kind: 'replacement-to-approve',
      severity: 'notice',
      title: `${ecus} ECUs came with another key and wait for approval`,
      count: ecus,
      subject: ecus === 1 ? (first ?? undefined) : undefined,
      since: since?.toString(),
    },
  ];
}

/** Metadata in force: all tenants stand on the same. */
async function loadMetadata(tx: CloudTransaction): Promise<readonly Expiry[]> {
  const { rows } = await sql<{ readonly name: string; readonly expires_at: Temporal.Instant }>`
    with recursive known as (
      (select repository, dialect, role from metadata_file order by 1, 2, 3 limit 1)
      union all
      select next.* from known, lateral (select repository, dialect, role from metadata_file f
        where (f.repository, f.dialect, f.role) > (known.repository, known.dialect, known.role)
        order by 1, 2, 3 limit 1) next)
    select repository || ' ' || dialect || ' ' || role as name, f.expires_at
    from known, lateral (select expires_at from metadata_file f where f.repository = known.repository
      and f.dialect = known.dialect and f.role = known.role order by version desc limit 1) f
    limit 500`.execute(tx);
  return rows.map(({ name, expires_at: expiresAt }) => ({
    kind: 'metadata',
    name,
    expiresAt: expiresAt.toString(),
    count: 1,
  }));
}

async function loadCertificates(
  tx: CloudTransaction,
  { scope, now }: { readonly scope: FleetScope; readonly now: Temporal.Instant },
): Promise<readonly Expiry[]> {
  const until = now.add({ hours: 24 * OFFLINE_NOTICE_DAYS });
  const { rows } = await sql<{
    readonly certificates: number;
    readonly first: Temporal.Instant | null;
  }>`
    select count(*) as certificates, min(not_after) as first from (
      select c.not_after from device_certificate c join vehicle v on v.vehicle_id = c.vehicle_id
      where c.revoked_at is null and c.not_after between ${now} and ${until} and ${inScope(scope, 'v')}
        and not exists (select from device_certificate later where later.vehicle_id = c.vehicle_id
          and later.revoked_at is null and later.not_after > c.not_after)
      limit ${COUNTED_MAX}) ending`.execute(tx);
  const [row] = rows;
  if (row === undefined || row.first === null) return [];
  const count = row.certificates;
  return [{ kind: 'certificate', name: 'vehicles', expiresAt: row.first.toString(), count }];
}

function actionOf({ kind, name, expiresAt, count }: Expiry, now: Temporal.Instant): Action[] {
  const hours = Temporal.Instant.from(expiresAt).since(now).total('hours');
  if (kind === 'certificate') {
    const title = `Certificates of ${count} vehicles end within ${OFFLINE_NOTICE_DAYS} days`;
    return [{ kind: 'certificate-expiring', severity: 'warning', title, count, since: expiresAt }];
  }
  const isOnline = ONLINE_ROLES.has(name.split(' ').at(-1) ?? '');
  if (hours > (isOnline ? ONLINE_NOTICE_HOURS : 24 * OFFLINE_NOTICE_DAYS)) return [];
  const severity = hours <= 24 ? 'alert' : 'warning';
  const title = hours <= 0 ? `Metadata ${name} has ended` : `Metadata ${name} ends soon`;
  return [
    { kind: 'metadata-expiring', severity, title, count: 1, subject: name, since: expiresAt },
  ];
}

/** Of campaigns that are not approved yet: without a whole dossier none will be. */
async function loadDossiers(tx: CloudTransaction, scope: FleetScope): Promise<readonly Action[]> {
  const { rows } = await sql<{ readonly release_id: string; readonly name: string }>`
    select distinct r.release_id, r.name || ' ' || r.version as name from campaign c
    join release r on r.release_id = c.release_id
    where c.tenant = ${scope.tenant} and c.state = 'planned' limit ${THINGS_MAX}`.execute(tx);
  const actions: Action[] = [];
  for (const { release_id: releaseId, name } of rows) {
    // oxlint-disable-next-line no-await-in-loop -- on one connection, and few
    const { items } = await loadDossier(tx, releaseId, scope.tenant);
    const count = items.filter(({ missing }) => missing !== undefined).length;
    if (count > 0) {
      const title = `The dossier of release "${name}" lacks ${count} of ${items.length} items`;
      const kind = 'dossier-incomplete';
      actions.push({ kind, severity: 'notice', title, count, subject: releaseId });
    }
  }
  return actions;
}

function silentAction(count: number): Action {
  const title = `${count} vehicles were not seen for ${SILENT_DAYS} days`;
  return { kind: 'vehicles-silent', severity: 'notice', title, count };
}
