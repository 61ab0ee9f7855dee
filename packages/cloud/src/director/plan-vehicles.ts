/** Plans for vehicles and signs what changed or runs out {uptane E7} {uptane E8}. */
import type { ReasonCode } from '@immota/api';
import { equalBytes, findFaultCode, type JsonObject } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';
import { sql } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import type { NewEvent } from '../event-log/event-sink.ts';
import { type OfferedImage, planColumn, type VehicleRecord } from '../inventory/vehicle-record.ts';
import { BLOCKED_CACHE_ENTRIES } from '../limits.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { expiryOf, isEnding } from '../trust/lifetimes.ts';
import { DIRECTOR_CHANNEL, notifyVehicles } from './director-channel.ts';
import type { Observation, Planner, ReportObserver, UpdatePlan } from './ports.ts';
import { type DirectorSigning, PlanRefusal, type SignedPlan, signPlan } from './sign-plan.ts';

/** Plans that were outdated before they were stored: each time a campaign changed in between. */
const ATTEMPTS_MAX = 5;

/** What planning needs. */
export interface Planning {
  readonly context: CloudContext;
  readonly planner: Planner;
  readonly observer: ReportObserver;
  readonly signing: DirectorSigning;
  readonly directorHours: number;
  /** When the Director's newest Root was published: what is older may bear keys of the past. */
  readonly rootSince: () => Temporal.Instant;
}

/** The version in force after planning. */
export interface PlannedVehicle {
  readonly version: number;
  readonly expires: Temporal.Instant;
}

interface Decision {
  readonly record: VehicleRecord;
  readonly plan: UpdatePlan | undefined;
}

interface Signed extends Decision {
  readonly signed: SignedPlan;
}

/** Plans, and remembers which refusals were told already. */
export class VehiclePlanner {
  readonly #planning: Planning;
  readonly #blocked = new Map<string, string>();

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  /**
   * Plans for vehicles, signs where the plan changed or the files end soon, and stores it.
   *
   * @param records - each vehicle once, with its state after its last manifest.
   * @returns the version in force for each, in order; undefined where another process was quicker.
   * @throws CloudFault KEY_MISSING; PLAN_OUTDATED when campaigns changed again and again; StoreFault; whatever the planner throws.
   */
  async plan(records: readonly VehicleRecord[]): Promise<readonly (PlannedVehicle | undefined)[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other is the point
        return await this.#plan(records);
      } catch (error) {
        // A campaign was held, or its cap was reached, after the plan was chosen and before it was stored.
        if (findFaultCode(error) !== 'PLAN_OUTDATED' || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #plan(records: readonly VehicleRecord[]): Promise<readonly (PlannedVehicle | undefined)[]> {
    const { context, planner, directorHours, rootSince } = this.#planning;
    const now = context.clock.now();
    const plans = await planner.plan(records.map(({ inventory }) => inventory));
    const decisions = records.map((record, index) => ({
      record,
      plan: isBarred(record) ? undefined : unlessDone(record, plans[index]),
    }));
    const outdated = decisions.filter(({ record, plan }) => {
      const { director } = record;
      return (
        director === undefined ||
        isEnding(director.expiresAt, now, directorHours) ||
        Temporal.Instant.compare(director.signedAt, rootSince()) < 0 ||
        !isOffered(record, plan)
      );
    });
    const made =
      outdated.length === 0 ? new Map<string, PlannedVehicle>() : await this.#make(outdated);
    const isOutdated = new Set(outdated.map(({ record }) => record));
    return records.map((record) => {
      if (isOutdated.has(record)) return made.get(record.inventory.vehicleId);
      const { director } = record;
      return director && { version: director.version, expires: director.expiresAt };
    });
  }

  async #make(decisions: readonly Decision[]): Promise<ReadonlyMap<string, PlannedVehicle>> {
    const { context, signing } = this.#planning;
    const images = await signing.catalogue.load(
      new Set(decisions.flatMap(({ plan }) => [...(plan?.images.values() ?? [])])),
    );
    const recipients = await loadRecipients(context, decisions);
    const blocked: Observation[] = [];
    const signed = await Promise.all(
      decisions.map((decision) => this.#sign(decision, { images, recipients, blocked })),
    );
    const ordered = signed.filter((one) => one !== undefined).toSorted(byVehicle);
    const kept = decisions
      .filter((_, index) => signed[index] === undefined)
      .flatMap(({ record: { inventory, director } }) =>
        director === undefined
          ? []
          : [
              [
                inventory.vehicleId,
                { version: director.version, expires: director.expiresAt },
              ] as const,
            ],
      );
    if (ordered.length === 0 && blocked.length === 0) return new Map<string, PlannedVehicle>(kept);
    const saved = await this.#save(ordered, blocked);
    return new Map<string, PlannedVehicle>([
      ...kept,
      ...saved.map(({ record, signed: files }) => [record.inventory.vehicleId, files] as const),
    ]);
  }

  async #save(
    ordered: readonly Signed[],
    blocked: readonly Observation[],
  ): Promise<readonly Signed[]> {
    const { context, observer } = this.#planning;
    return await committed(context.database, async (tx) => {
      const written = await savePlans(tx, ordered, context.clock.now());
      const kept = ordered.filter(({ record }) => written.has(record.inventory.vehicleId));
      const at = context.clock.now();
      const offered = kept.filter(({ record, plan }) => !isOffered(record, plan));
      const observations = [...blocked, ...offered.flatMap((one) => observe(one, at))];
      if (observations.length > 0) await observer.observe(tx, observations);
      await context.events.append(
        tx,
        offered.flatMap((one) => describe(one, at)),
      );
      const ids = kept.map(({ record }) => record.inventory.vehicleId);
      await notifyVehicles(tx, DIRECTOR_CHANNEL, ids);
      return kept;
    });
  }

  /** A plan that cannot be signed is not offered; nothing else is lost by it. */
  async #sign(
    { record, plan }: Decision,
    loaded: {
      readonly images: Awaited<ReturnType<DirectorSigning['catalogue']['load']>>;
      readonly recipients: ReadonlyMap<string, ReadonlyMap<string, string>>;
      readonly blocked: Observation[];
    },
  ): Promise<Signed | undefined> {
    const { context, signing, directorHours } = this.#planning;
    const { inventory: vehicle, director } = record;
    const now = context.clock.now();
    const order = {
      vehicle,
      images: loaded.images,
      recipients: loaded.recipients.get(vehicle.vehicleId) ?? new Map<string, string>(),
      version: (director?.version ?? 0) + 1,
      expires: expiryOf(now, directorHours),
    };
    try {
      const signed = await signPlan(signing, { ...order, plan });
      this.#blocked.delete(vehicle.vehicleId);
      return { record, plan, signed };
    } catch (error) {
      if (!(error instanceof PlanRefusal) || plan === undefined) throw error;
      const { vehicleId } = vehicle;
      if (this.#isNews(vehicleId, plan.correlationId, error.reason)) {
        const { correlationId } = plan;
        const { reason } = error;
        loaded.blocked.push({ kind: 'blocked', vehicleId, at: now, correlationId, reason });
      }
      const isIdle = director !== undefined && vehicle.offer === undefined;
      if (isIdle && !isEnding(director.expiresAt, now, directorHours)) return undefined;
      const signed = await signPlan(signing, { ...order, plan: undefined });
      return { record, plan: undefined, signed };
    }
  }

  #isNews(vehicleId: string, correlationId: string, reason: ReasonCode): boolean {
    const told = `${correlationId} ${reason}`;
    if (this.#blocked.get(vehicleId) === told) return false;
    if (this.#blocked.size >= BLOCKED_CACHE_ENTRIES) this.#blocked.clear();
    this.#blocked.set(vehicleId, told);
    return true;
  }
}

function isBarred({ inventory, keys }: VehicleRecord): boolean {
  return inventory.isQuarantined || keys === undefined;
}

/** A plan whose every image runs already is done: to offer it again would never end. */
function unlessDone(
  { inventory, director }: VehicleRecord,
  plan: UpdatePlan | undefined,
): UpdatePlan | undefined {
  if (plan === undefined || plan.images.size === 0) return undefined;
  const running = new Map(inventory.ecus.map((ecu) => [ecu.ecuIdentifier, ecu.installed]));
  const isDone = [...plan.images].every(([ecu, name]) => {
    const now = running.get(ecu);
    const offered = director?.images.get(ecu);
    return now?.name === name && (offered?.name !== name || offered.sha256 === now.sha256);
  });
  return isDone ? undefined : plan;
}

/** Tells whether the metadata in force offer this very plan. */
function isOffered({ inventory, director }: VehicleRecord, plan: UpdatePlan | undefined): boolean {
  const { offer } = inventory;
  if (offer === undefined || plan === undefined) return offer === undefined && plan === undefined;
  return (
    offer.correlationId === plan.correlationId &&
    offer.images.size === plan.images.size &&
    [...plan.images].every(([ecu, name]) => offer.images.get(ecu) === name) &&
    isSame(director?.custom ?? {}, plan.custom ?? {})
  );
}

function isSame(left: JsonObject, right: JsonObject): boolean {
  return equalBytes(encodeCanonical(left, 'escaped'), encodeCanonical(right, 'escaped'));
}

/** Loads encryption keys of vehicles that are to get something. */
async function loadRecipients(
  { database }: CloudContext,
  decisions: readonly Decision[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const ids = decisions
    .filter(({ plan }) => plan !== undefined)
    .map(({ record }) => record.inventory.vehicleId);
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{
    readonly vehicle_id: string;
    readonly ecu_id: string;
    readonly encryption_key: Uint8Array;
  }>`select vehicle_id, ecu_id, encryption_key from ecu
    where vehicle_id = any(${ids}) and encryption_key is not null`.execute(database.kysely);
  return new Map(
    [...Map.groupBy(rows, (row) => row.vehicle_id)].map(([id, own]) => [
      id,
      new Map(own.map((row) => [row.ecu_id, Buffer.from(row.encryption_key).toString('latin1')])),
    ]),
  );
}

/** {uptane E2}: stores files that are exactly one version on; who was slower than another process is left out. */
async function savePlans(
  tx: CloudTransaction,
  plans: readonly Signed[],
  at: Temporal.Instant,
): Promise<ReadonlySet<string>> {
  if (plans.length === 0) return new Set();
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    insert into vehicle_director as known (vehicle_id, version, targets, snapshot, timestamp,
      expires_at, correlation_id, plan, signed_at)
    select vehicle_id, version, targets, snapshot, timestamp, expires_at, correlation_id,
      plan::jsonb, ${at}
    from unnest(
      ${plans.map(({ record }) => record.inventory.vehicleId)}::text[],
      ${plans.map(({ signed }) => signed.version)}::bigint[],
      ${plans.map(({ signed }) => signed.targets)}::bytea[],
      ${plans.map(({ signed }) => signed.snapshot)}::bytea[],
      ${plans.map(({ signed }) => signed.timestamp)}::bytea[],
      ${plans.map(({ signed }) => signed.expires)}::timestamptz[],
      ${plans.map(({ plan }) => plan?.correlationId ?? null)}::text[],
      ${plans.map(({ plan, signed }) => columnOf(signed.images, plan))}::text[]
    ) as fresh (vehicle_id, version, targets, snapshot, timestamp, expires_at, correlation_id, plan)
    on conflict (vehicle_id) do update set version = excluded.version, targets = excluded.targets,
      snapshot = excluded.snapshot, timestamp = excluded.timestamp,
      expires_at = excluded.expires_at, plan = excluded.plan, signed_at = excluded.signed_at,
      correlation_id = excluded.correlation_id,
      first_fetched_at = case when known.plan = excluded.plan
        and known.correlation_id = excluded.correlation_id then known.first_fetched_at end,
      fetched_at = case when known.correlation_id = excluded.correlation_id then known.fetched_at end,
      silent_refusals = case when known.correlation_id = excluded.correlation_id
        then known.silent_refusals else 0 end
    where known.version = excluded.version - 1
    returning vehicle_id`.execute(tx);
  return new Set(rows.map(({ vehicle_id: id }) => id));
}

function columnOf(images: ReadonlyMap<string, OfferedImage>, plan: UpdatePlan | undefined): string {
  return JSON.stringify(planColumn(images, plan?.custom ?? {}));
}

function observe({ record, plan }: Signed, at: Temporal.Instant): readonly Observation[] {
  if (plan === undefined) return [];
  const { vehicleId } = record.inventory;
  const { correlationId, lengthBytes } = plan;
  return [{ kind: 'offered', vehicleId, at, correlationId, lengthBytes }];
}

function describe({ record, plan, signed }: Signed, at: Temporal.Instant): readonly NewEvent[] {
  const { vehicleId: stream, offer } = record.inventory;
  const { version } = signed;
  if (plan !== undefined) {
    const images = Object.fromEntries([...signed.images].map(([ecu, { name }]) => [ecu, name]));
    const body = { correlationId: plan.correlationId, version, images };
    return [{ stream, kind: 'update.offered', at, body }];
  }
  if (offer === undefined || isComplete(record)) return [];
  const body = { correlationId: offer.correlationId, version };
  return [{ stream, kind: 'update.withdrawn', at, body }];
}

function isComplete({ inventory, director }: VehicleRecord): boolean {
  const running = new Map(inventory.ecus.map((ecu) => [ecu.ecuIdentifier, ecu.installed]));
  return [...(director?.images ?? [])].every(([ecu, { name, sha256 }]) => {
    const now = running.get(ecu);
    return now?.name === name && now.sha256 === sha256;
  });
}

function byVehicle(left: Signed, right: Signed): number {
  return left.record.inventory.vehicleId < right.record.inventory.vehicleId ? -1 : 1;
}
