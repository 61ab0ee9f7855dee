/**
 * What the Director asks of others: who decides what a vehicle is to run, and who wants to know what
 * vehicles truly report. The campaign room carries both out.
 */
import type { ReasonCode } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type {
  EcuIdentifier,
  HardwareIdentifier,
  InstallableName,
  VehicleIdentifier,
} from '@immota/uptane';
import type { CloudTransaction } from '../schema/database.ts';
import type { HealthFacts } from './health-facts.ts';

/** An image as an ECU's last accepted report names it. */
export interface InstalledState {
  /** As reported; `unknown` and `noimage` are what ECUs say that never installed anything. */
  readonly name: string;
  /** Lower-case hex; empty when the report has none. */
  readonly sha256: string;
  readonly lengthBytes: number;
  /** When this was first reported. */
  readonly at: Temporal.Instant | undefined;
}

/** What the inventory knows of one ECU. */
export interface EcuInventory {
  readonly ecuIdentifier: EcuIdentifier;
  readonly isPrimary: boolean;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** Undefined until its first report. */
  readonly installed: InstalledState | undefined;
  /** Whether images can be encrypted for it. */
  readonly hasEncryptionKey: boolean;
  /** Since when the vehicle's manifests lack it; undefined when the last one had it. */
  readonly missingSince: Temporal.Instant | undefined;
  /** Whether it came with a key that waits for an operator. */
  readonly isReplacementPending: boolean;
  readonly attacksDetected: string;
  /** What its signed reports say it has, by regulation or none {R156 7.1.1.2}. */
  readonly rxswins?: readonly string[] | undefined;
}

/** What the inventory knows of one vehicle. */
export interface VehicleInventory {
  readonly vehicleId: VehicleIdentifier;
  readonly vin: string | undefined;
  readonly model: string;
  readonly market: string;
  readonly tags: JsonObject;
  readonly isQuarantined: boolean;
  /** Undefined until the vehicle has registered. */
  readonly primaryEcuIdentifier: EcuIdentifier | undefined;
  readonly lastSeenAt: Temporal.Instant | undefined;
  readonly lastManifestAt: Temporal.Instant | undefined;
  /** In the order of their identifiers. */
  readonly ecus: readonly EcuInventory[];
  /** What is offered at this moment; undefined when nothing is. */
  readonly offer: Offer | undefined;
}

/** What signed metadata in force assigns. */
export interface Offer {
  readonly correlationId: string;
  readonly images: ReadonlyMap<EcuIdentifier, InstallableName>;
  /** When the vehicle last fetched it since its last manifest. */
  readonly fetchedAt: Temporal.Instant | undefined;
  /** How often in a row it fetched the offer and came back without a word. */
  readonly silentRefusals: number;
}

/** What a vehicle is to install next {uptane E7}. */
export interface UpdatePlan {
  /** Of the campaign and the vehicle's part in it; a vehicle's report repeats it. */
  readonly correlationId: string;
  /** What each ECU installs next. ECUs that keep what they run are absent; never empty. */
  readonly images: ReadonlyMap<EcuIdentifier, InstallableName>;
  /** Signed with the plan for the vehicle to read: texts for the owner, preconditions. */
  readonly custom?: JsonObject | undefined;
  /** Signed beside single images: what an ECU is to store with its image. */
  readonly imageCustom?: ReadonlyMap<InstallableName, JsonObject> | undefined;
  /** What the vehicle has to download, at most. */
  readonly lengthBytes?: number | undefined;
}

/** Decides what vehicles are to run. */
export interface Planner {
  /**
   * Plans for vehicles, each by itself. It is asked at each accepted manifest, so it must be quick when
   * nothing is to be done; a plan that equals the offer costs nothing more.
   *
   * @param vehicles - as their last accepted reports say.
   * @returns for each, in order, what to offer; undefined to offer nothing.
   */
  plan(vehicles: readonly VehicleInventory[]): Promise<readonly (UpdatePlan | undefined)[]>;
}

/** What became known of one vehicle. Every kind but `refused-silently` follows from signed documents. */
export type Observation = {
  readonly vehicleId: VehicleIdentifier;
  readonly at: Temporal.Instant;
} & (
  | {
      /** An ECU's signed report names another image than its last one. */
      readonly kind: 'installed';
      readonly ecuIdentifier: EcuIdentifier;
      readonly image: InstalledState;
      /** Whose offer in force assigns this image to it; undefined when somebody else put it there. */
      readonly offeredBy: string | undefined;
    }
  | {
      /**
       * How healthy the vehicle is by its ECUs' reports. Told when an offer is completed, and of vehicles
       * that are watched: when it changes, and when it is due.
       */
      readonly kind: 'health';
      readonly facts: HealthFacts;
    }
  | {
      /** Every ECU of the offer runs its image. */
      readonly kind: 'completed';
      readonly correlationId: string;
    }
  | {
      /** The Primary reports, signed, how an installation went. */
      readonly kind: 'result';
      readonly correlationId: string;
      readonly isSuccess: boolean;
      /** Free text of the client: `OK`, `INSTALL_FAILED`, `brake-hw:VERIFICATION_FAILED`. */
      readonly code: string;
      readonly description: string;
      readonly ecus: ReadonlyMap<string, { readonly isSuccess: boolean; readonly code: string }>;
    }
  | {
      /** The Primary says, signed, where an update stands: our own vehicles do. */
      readonly kind: 'progress';
      readonly correlationId: string;
      /** A reason's code where it waits; the client's own words otherwise. */
      readonly state: string;
      readonly measured: JsonObject;
    }
  | {
      /** The vehicle fetched the offer. */
      readonly kind: 'fetched';
      readonly correlationId: string;
    }
  | {
      /** It fetched the offer and came back without a word, `count` times in a row. */
      readonly kind: 'refused-silently';
      readonly correlationId: string;
      readonly count: number;
      /** True from {@link SILENT_REFUSALS_MAX} on: stop offering. */
      readonly isFinal: boolean;
    }
  | {
      /** Metadata with this plan is signed and in force. */
      readonly kind: 'offered';
      readonly correlationId: string;
      /** What the vehicle has to download, at most. */
      readonly lengthBytes?: number | undefined;
    }
  | {
      /** The plan cannot be signed, and nothing is offered. */
      readonly kind: 'blocked';
      readonly correlationId: string;
      readonly reason: ReasonCode;
    }
  | {
      /** Somebody answered a request for consent; the receipt is stored. */
      readonly kind: 'consent';
      readonly correlationId: string;
      readonly step: 'download' | 'install' | 'activate';
      readonly decision: 'accepted' | 'postponed' | 'declined';
    }
);

/** Hears what vehicles report. */
export interface ReportObserver {
  /**
   * Records observations, inside the transaction that stores what they follow from.
   *
   * @param tx - `read committed`. What it throws rolls all of it back, and the vehicle tries again.
   * @param observations - of many vehicles; those of one vehicle in the order they became known.
   * @throws CloudFault PLAN_OUTDATED when something is offered that must no longer be: nothing of it is
   * stored, and the plans are to be made anew.
   */
  observe(tx: CloudTransaction, observations: readonly Observation[]): Promise<void>;
}

/** A planner that never offers anything. */
export const NO_PLANS: Planner = {
  plan: (vehicles) => Promise.resolve(vehicles.map(() => undefined)),
};

/** An observer that remembers nothing. */
export const NO_OBSERVER: ReportObserver = { observe: () => Promise.resolve() };

/**
 * The channel to NOTIFY when plans may have changed: the payload is a vehicle's id, or empty for all.
 * Without it a vehicle that only asks whether there is news would learn of a campaign late.
 */
export const PLANS_CHANNEL = 'immota_plans';
