/**
 * What outcomes do to their campaign: they go into the test of the open wave in the transaction that stores
 * the report they follow from, and a campaign that its guard finds harmful holds with that very commit.
 */
import { campaignSchemas } from '@immota/api';
import { isJsonObject, type JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { PLANS_CHANNEL } from '../director/ports.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { KnownCampaign, KnownPlace } from './place-rows.ts';
import {
  findBroken,
  type GuardDesign,
  type GuardReport,
  type GuardState,
  NOTHING_KNOWN,
} from './statistics/campaign-guard.ts';
import type { Outcomes } from './statistics/confidence-sequence.ts';
import type { Place } from './vehicle-place.ts';
import { percent } from './wave-progress.ts';

/** Waves of a campaign, by the contract. */
const { WAVES_MAX } = campaignSchemas;

/** A place before and after. */
export interface PlaceChange {
  readonly before: Place;
  readonly known: KnownPlace;
}

/**
 * Books what changed of outcomes and health, and holds campaigns whose guard breaks.
 *
 * @param tx - that holds the places.
 */
export async function bookOutcomes(
  tx: CloudTransaction,
  events: EventSink,
  booking: {
    readonly changes: readonly PlaceChange[];
    readonly campaigns: ReadonlyMap<string, KnownCampaign>;
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  const { changes, campaigns, at } = booking;
  const counted = changes.filter(isCounted);
  if (counted.length === 0) return;
  await saveCells(tx, counted);
  const byCampaign = Map.groupBy(counted, ({ known }) => known.campaignId);
  for (const campaignId of [...byCampaign.keys()].toSorted()) {
    const campaign = campaigns.get(campaignId);
    if (campaign === undefined || campaign.openWave === 0) continue;
    const increase = (byCampaign.get(campaignId) ?? []).reduce(add, NOTHING_KNOWN);
    // oxlint-disable-next-line no-await-in-loop -- one lock after the other, in the order of their names
    await book(tx, events, { campaign, increase, at });
  }
}

async function book(
  tx: CloudTransaction,
  events: EventSink,
  booking: {
    readonly campaign: KnownCampaign;
    readonly increase: GuardState;
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  const { campaign, increase, at } = booking;
  const { campaignId, design } = campaign;
  const row = await lockOpenWave(tx, campaignId);
  if (row === undefined) return;
  const state = merge(parseGuard(row.guard), increase);
  await tx
    .updateTable('campaign_wave')
    .set({ guard: encodeGuard(state) })
    .where('campaign_id', '=', campaignId)
    .where('number', '=', row.number)
    .execute();
  const broken = findBroken(state, design);
  if (broken === undefined) return;
  await hold(tx, events, { campaignId, wave: row.number, state, design, broken, at });
}

/** Whoever waited for a wave that was closed meanwhile finds none, and looks again for the next one. */
async function lockOpenWave(
  tx: CloudTransaction,
  campaignId: string,
): Promise<{ readonly number: number; readonly guard: JsonObject } | undefined> {
  for (let attempt = 1; attempt <= WAVES_MAX; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- nearly always once
    const row = await tx
      .selectFrom('campaign_wave')
      .select(['number', 'guard'])
      .where('campaign_id', '=', campaignId)
      .where('state', '=', 'open')
      .forUpdate()
      .executeTakeFirst();
    if (row !== undefined) return row;
  }
  return undefined;
}

interface Holding {
  readonly campaignId: string;
  readonly wave: number;
  readonly state: GuardState;
  readonly design: GuardDesign;
  readonly broken: NonNullable<GuardReport['broken']>;
  readonly at: Temporal.Instant;
}

/** Nothing is signed for its vehicles after this commit: whoever signs holds the campaign's row too. */
async function hold(tx: CloudTransaction, events: EventSink, holding: Holding): Promise<void> {
  const { campaignId, wave, broken, at } = holding;
  const explanation = explain(holding);
  const measured = measure(holding);
  const reasons = { since: at.toString(), wave, rule: broken, explanation, measured };
  const held = await tx
    .updateTable('campaign')
    .set({ state: 'held', hold: reasons })
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'running')
    .returning('tenant')
    .executeTakeFirst();
  if (held === undefined) return;
  const body = { campaignId, wave, rule: broken, explanation, measured };
  await events.append(tx, [{ stream: fleetStream(held.tenant), kind: 'campaign.held', at, body }]);
  await sql`select pg_notify(${PLANS_CHANNEL}, '')`.execute(tx);
}

function explain({ wave, state, design, broken }: Holding): string {
  if (broken === 'failures') {
    const { bad, outcomes } = state.updates;
    return (
      `${bad} of ${outcomes} updates of wave ${wave} failed (${percent(bad / outcomes)}): ` +
      `more than the limit of ${percent(design.failureMax)}, and not by chance`
    );
  }
  const { treated, control } = state;
  return (
    `${treated.bad} of ${treated.outcomes} updated vehicles are unhealthy, and ${control.bad} of ` +
    `${control.outcomes} untouched ones: a difference of more than ${percent(design.harmMax)}, and not by chance`
  );
}

/** Whole numbers: what happened goes into the event log. */
function measure({ state, design }: Holding): JsonObject {
  const { updates, treated, control } = state;
  return {
    updates: { ...updates },
    treated: { ...treated },
    control: { ...control },
    failurePermilleMax: Math.round(design.failureMax * 1000),
    harmPermilleMax: Math.round(design.harmMax * 1000),
  };
}

function isCounted({ before, known: { place } }: PlaceChange): boolean {
  return before.outcome !== place.outcome || before.health !== place.health;
}

/** A control that is offered the release leaves the control group; what it told there stays told. */
function add(sum: GuardState, { before, known: { place } }: PlaceChange): GuardState {
  const outcome =
    before.isControl === place.isControl ? difference(before.outcome, place.outcome) : NONE;
  if (place.isControl) return merge(sum, { ...NOTHING_KNOWN, control: outcome });
  const health = difference(wordOf(before.health), wordOf(place.health));
  return merge(sum, { updates: outcome, treated: health, control: NONE });
}

const NONE: Outcomes = { outcomes: 0, bad: 0 };

function wordOf(health: Place['health']): Place['outcome'] {
  if (health === 'unknown') return '';
  return health === 'healthy' ? 'good' : 'bad';
}

function difference(before: Place['outcome'], after: Place['outcome']): Outcomes {
  if (after === '' || after === before) return NONE;
  return { outcomes: before === '' ? 1 : 0, bad: after === 'bad' ? 1 : 0 };
}

/** Adds what came to what was known. */
function merge(one: GuardState, other: GuardState): GuardState {
  const sum = (part: keyof GuardState): Outcomes => ({
    outcomes: one[part].outcomes + other[part].outcomes,
    bad: one[part].bad + other[part].bad,
  });
  return { updates: sum('updates'), treated: sum('treated'), control: sum('control') };
}

/** Reads a test as a row keeps it; whatever is missing is not known yet. */
export function parseGuard(row: JsonObject): GuardState {
  const part = (name: keyof GuardState): Outcomes => {
    const value = row[name];
    const { outcomes, bad } = isJsonObject(value) ? value : {};
    return {
      outcomes: typeof outcomes === 'number' ? outcomes : 0,
      bad: typeof bad === 'number' ? bad : 0,
    };
  };
  return { updates: part('updates'), treated: part('treated'), control: part('control') };
}

/** Writes a test as a row keeps it. */
export function encodeGuard({ updates, treated, control }: GuardState): JsonObject {
  return { updates: { ...updates }, treated: { ...treated }, control: { ...control } };
}

/** One row for each ECU kind of a vehicle that gave its word; what turns bad takes its good word back. */
async function saveCells(tx: CloudTransaction, changes: readonly PlaceChange[]): Promise<void> {
  const cells = changes.flatMap(({ before, known }) => {
    const { place, campaignId } = known;
    if (place.isControl || before.outcome === place.outcome || place.outcome === '') return [];
    return splitSource(known.source).flatMap(({ hardwareId, source }) => {
      const cell = { campaignId, hardwareId, source };
      const fresh = { ...cell, code: codeOf(place, hardwareId), vehicles: 1 };
      const wasGood = before.outcome === 'good' && !before.isControl;
      return wasGood ? [fresh, { ...cell, code: '', vehicles: -1 }] : [fresh];
    });
  });
  if (cells.length === 0) return;
  await sql`
    insert into campaign_outcome (campaign_id, hardware_id, source, code, vehicles)
    select campaign_id, hardware_id, source, code, sum(vehicles) from unnest(
      ${cells.map(({ campaignId }) => campaignId)}::text[],
      ${cells.map(({ hardwareId }) => hardwareId)}::text[],
      ${cells.map(({ source }) => source)}::text[],
      ${cells.map(({ code }) => code)}::text[],
      ${cells.map(({ vehicles }) => vehicles)}::bigint[]
    ) as fresh (campaign_id, hardware_id, source, code, vehicles)
    group by 1, 2, 3, 4 having sum(vehicles) <> 0`.execute(tx);
}

/** Takes apart what a vehicle's ECUs ran: `hardware=image` joined by spaces. */
export function splitSource(
  source: string,
): readonly { readonly hardwareId: string; readonly source: string }[] {
  return source.split(' ').flatMap((part) => {
    const at = part.indexOf('=');
    return at <= 0 ? [] : [{ hardwareId: part.slice(0, at), source: part.slice(at + 1) }];
  });
}

/** Of several ECUs only those count as failed that the result names, or all where it names none. */
function codeOf({ outcome, health, measured, reason }: Place, hardwareId: string): string {
  if (outcome !== 'bad') return '';
  if (health === 'unhealthy') return 'UNHEALTHY';
  const { code } = measured;
  if (typeof code !== 'string') return reason ?? 'UNKNOWN';
  const named = code.split('|').map((part) => {
    const at = part.lastIndexOf(':');
    return { hardware: part.slice(0, Math.max(at, 0)), code: part.slice(at + 1) };
  });
  const own = named.find(({ hardware }) => hardware === hardwareId);
  if (own !== undefined) return own.code === 'OPERATION_CANCELLED' ? '' : own.code;
  return named.every(({ hardware }) => hardware === '') ? code : '';
}
