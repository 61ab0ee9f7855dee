/** Rows into what the operator API gives. */
import type { operatorSchemas } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { CampaignStatus } from '../campaign/campaigns.ts';
import type { WhyNot } from '../campaign/why-not.ts';
import type { EcuInventory, VehicleInventory } from '../director/ports.ts';

type Schemas = typeof operatorSchemas;
/** What a schema of the API describes. */
export type View<Name extends keyof Schemas> = Schemas[Name] extends { readonly _output: infer Out }
  ? Out
  : never;

/** A vehicle. */
export function vehicleView(vehicle: VehicleInventory): View<'vehicleSchema'> {
  return {
    vehicleId: vehicle.vehicleId,
    vin: vehicle.vin,
    model: vehicle.model,
    market: vehicle.market,
    tags: { ...vehicle.tags },
    isQuarantined: vehicle.isQuarantined,
    lastSeenAt: vehicle.lastSeenAt?.toString(),
    lastManifestAt: vehicle.lastManifestAt?.toString(),
    offer:
      vehicle.offer === undefined
        ? undefined
        : {
            correlationId: vehicle.offer.correlationId,
            images: Object.fromEntries(vehicle.offer.images),
          },
    ecus: vehicle.ecus.map(ecuView),
  };
}

function ecuView(ecu: EcuInventory): View<'ecuSchema'> {
  return {
    ecuId: ecu.ecuIdentifier,
    hardwareId: ecu.hardwareIdentifier,
    isPrimary: ecu.isPrimary,
    installed:
      ecu.installed === undefined
        ? undefined
        : {
            name: ecu.installed.name,
            sha256: ecu.installed.sha256,
            lengthBytes: ecu.installed.lengthBytes,
            since: ecu.installed.at?.toString(),
          },
    attacksDetected: ecu.attacksDetected,
    hasEncryptionKey: ecu.hasEncryptionKey,
    missingSince: ecu.missingSince?.toString(),
    isReplacementPending: ecu.isReplacementPending,
  };
}

/** A campaign. */
export function campaignView({ campaign, counts }: CampaignStatus): View<'campaignSchema'> {
  return {
    campaignId: campaign.campaign_id,
    releaseId: campaign.release_id,
    name: campaign.name,
    query: campaign.query,
    state: campaign.state,
    createdBy: campaign.created_by,
    createdAt: campaign.created_at.toString(),
    startedAt: campaign.started_at?.toString(),
    counts: { ...counts },
  };
}

/** One vehicle of a campaign, with the meaning of its reason. */
export function campaignVehicleView(why: WhyNot): View<'campaignVehicleSchema'> {
  const { vehicleId, state, reason, text, measured, attempts, since } = why;
  return {
    vehicleId,
    state,
    reason,
    ...text,
    measured: { ...measured },
    attempts,
    since: since.toString(),
  };
}

/** Why a vehicle is not updated in one campaign. */
export function whyNotView(why: WhyNot): View<'whyNotSchema'> {
  const { campaignId, campaignName, release, state, reason, text, measured, since } = why;
  return {
    campaignId,
    campaignName,
    release,
    state,
    reason,
    ...text,
    measured: { ...measured },
    since: since.toString(),
  };
}

/** One event. */
export function eventView(row: {
  readonly stream: string;
  readonly sequence: number;
  readonly at: Temporal.Instant;
  readonly kind: string;
  readonly body: JsonObject;
  readonly hash: Uint8Array;
}): View<'eventSchema'> {
  return {
    stream: row.stream,
    sequence: row.sequence,
    at: row.at.toString(),
    kind: row.kind,
    body: { ...row.body },
    hash: Buffer.from(row.hash).toString('hex'),
  };
}
