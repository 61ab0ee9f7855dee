/** The rows of the tables of campaigns, as Kysely sees them; `migrations.ts` makes them. */
import type { CampaignStage, ReasonCode, VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Generated } from '@immota/store';

type Time = Temporal.Instant;

/** A release to a query of vehicles. */
export interface CampaignRow {
  readonly campaign_id: string;
  readonly release_id: string;
  readonly name: string;
  /** CEL over a vehicle; see the guide on campaigns. */
  readonly query: string;
  readonly state: 'planned' | 'running' | 'paused' | 'held' | 'finished' | 'cancelled';
  readonly policy: Generated<JsonObject>;
  readonly waves: Generated<readonly JsonObject[]>;
  readonly guard: Generated<JsonObject>;
  readonly priority: Generated<number>;
  readonly joins: Generated<boolean>;
  /** The last wave that is open; 0 before the start. */
  readonly open_wave: Generated<number>;
  readonly filing_number: string | null;
  /** Of everything that is decided; what was approved is bound to it. */
  readonly content_sha256: Generated<string>;
  readonly approval: Generated<'draft' | 'submitted' | 'approved' | 'rejected'>;
  readonly submission: JsonObject | null;
  readonly decision: JsonObject | null;
  readonly hold: JsonObject | null;
  readonly created_by: string;
  readonly created_at: Generated<Time>;
  readonly started_at: Time | null;
  readonly tenant: Generated<string>;
}

/** Where a vehicle stands in a campaign; the database takes no other state. */
export interface CampaignVehicleRow {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly state: VehicleState;
  /** Null for a vehicle that is updated, and for no other. */
  readonly reason: ReasonCode | null;
  readonly measured: Generated<JsonObject>;
  readonly attempts: Generated<number>;
  readonly since: Generated<Time>;
  readonly wave: Generated<number>;
  readonly is_control: Generated<boolean>;
  readonly stage: Generated<CampaignStage>;
  readonly health: Generated<'unknown' | 'healthy' | 'unhealthy'>;
  /** What its goal's ECUs ran when it came in, as hardware=image joined by spaces. */
  readonly source: Generated<string>;
  readonly booted_at: Time | null;
  /** Not offered before. */
  readonly penalty_until: Time | null;
  /** The word that it gave in the guard's test. */
  readonly outcome: Generated<'' | 'good' | 'bad'>;
  /** Its health when it was offered the release, or first heard of as a control. */
  readonly baseline: JsonObject | null;
}

/** A vehicle on the frozen list of a campaign. The database writes it itself, once. */
export interface CampaignTargetRow {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly configuration_sha256: string;
  readonly compatibility: 'confirmed' | 'not-needed' | 'unknown' | 'refused';
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
  /** Of the manifest that the configuration is known from. */
  readonly reported_at: Time | null;
  readonly confirmed_at: Time;
}

/** A vehicle's place in the order of strata, while its campaign starts. */
export interface CampaignOrderRow {
  readonly campaign_id: string;
  readonly position: number;
  readonly vehicle_id: string;
}

/** New offers of an hour, for campaigns that have a cap. */
export interface CampaignRateRow {
  readonly campaign_id: string;
  readonly hour: Time;
  readonly vehicles: Generated<number>;
  readonly bytes: Generated<number>;
}

/** A wave of a campaign, and its sequential test as far as it is. */
export interface CampaignWaveRow {
  readonly campaign_id: string;
  readonly number: number;
  readonly state: 'waiting' | 'open' | 'done';
  readonly vehicles: Generated<number>;
  readonly opened_at: Time | null;
  readonly done_at: Time | null;
  readonly guard: Generated<JsonObject>;
}

/** A change of counts: their sum is how many vehicles are where. The database writes it itself. */
export interface CampaignCountRow {
  readonly campaign_id: string;
  readonly wave: number;
  readonly is_control: boolean;
  readonly state: VehicleState;
  /** Empty for none. */
  readonly reason: string;
  readonly stage: CampaignStage;
  readonly health: string;
  readonly vehicles: number;
}

/** A change of how many outcomes there are of some hardware that ran some image before. */
export interface CampaignOutcomeRow {
  readonly campaign_id: string;
  readonly hardware_id: string;
  readonly source: string;
  /** Empty for a good one. */
  readonly code: string;
  readonly vehicles: number;
}

/** How far a campaign was at some time. */
export interface CampaignHistoryRow {
  readonly campaign_id: string;
  readonly at: Time;
  readonly wave: number;
  readonly updated: number;
  readonly healthy: number;
  readonly outcomes: number;
  readonly bad: number;
}

/** What a campaign would do. */
export interface RehearsalRow {
  readonly rehearsal_id: string;
  readonly campaign_id: string;
  readonly tenant: Generated<string>;
  readonly content_sha256: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly seen: Generated<number>;
  readonly total: Generated<number>;
  readonly seed: string;
  readonly created_by: string;
  readonly started_at: Time;
  readonly beat_at: Time;
  readonly is_cancelled: Generated<boolean>;
  readonly ended_at: Time | null;
  readonly problem: string | null;
  readonly result: JsonObject | null;
}
