/** The fleet as a whole: queries over it, its picture, and its vehicles in the large. */
import { z } from '@hono/zod-openapi';
import { text } from './text.ts';

const instant = z.iso.datetime();
const count = z.int().min(0);

/** A vehicle in a list. */
export const vehicleSummarySchema = z
  .object({
    vehicleId: z.string(),
    vin: z.string().optional(),
    model: z.string(),
    market: z.string(),
    tags: z.record(z.string(), z.unknown()),
    isQuarantined: z.boolean(),
    lastSeenAt: instant.optional(),
    ecus: count,
    /** The running campaign that it is in and is not done with. */
    campaignId: z.string().optional(),
    state: z.string().optional(),
    reason: z.string().optional(),
  })
  .openapi('VehicleSummary');

/** How a list of the fleet is asked for. */
export const fleetListQuerySchema = z.object({
  query: text(4000).optional(),
  /** Beginning of an id or a VIN. */
  search: text(64).optional(),
  sort: z.enum(['vehicleId', 'lastSeenAt', '-lastSeenAt', 'model', 'market']).default('vehicleId'),
  after: text(300).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** How many vehicles an expression means, and some of them. */
export const fleetCountSchema = z
  .object({
    vehicles: count,
    /** False when there were too many to count in time: the count is then estimated from a sample. */
    isExact: z.boolean(),
    sample: z.array(vehicleSummarySchema),
    elapsedMs: z.number(),
  })
  .openapi('FleetCount');

/** What values there are, for whoever writes a query. */
export const fleetFacetsSchema = z
  .object({
    models: z.array(z.object({ value: z.string(), vehicles: count })),
    markets: z.array(z.object({ value: z.string(), vehicles: count })),
    hardware: z.array(z.object({ value: z.string(), vehicles: count })),
    images: z.array(z.object({ hardwareId: z.string(), value: z.string(), vehicles: count })),
    tags: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
    rxswins: z.array(z.object({ value: z.string(), vehicles: count })),
  })
  .openapi('FleetFacets');

/** Something that somebody should do. */
export const actionSchema = z
  .object({
    kind: z.enum([
      'campaign-held',
      'campaign-to-approve',
      'replacement-to-approve',
      'attack-reported',
      'metadata-expiring',
      'certificate-expiring',
      'dossier-incomplete',
      'vehicles-silent',
      'vehicles-failed',
    ]),
    severity: z.enum(['info', 'notice', 'warning', 'alert']),
    /** In words. */
    title: z.string(),
    /** How many things or vehicles. */
    count,
    /** Of the thing, for a link. */
    subject: z.string().optional(),
    since: instant.optional(),
  })
  .openapi('Action');

/** The cockpit. */
export const cockpitSchema = z
  .object({
    at: instant,
    vehicles: count,
    seenLastDay: count,
    quarantined: count,
    actions: z.array(actionSchema),
    campaigns: z.array(
      z.object({
        campaignId: z.string(),
        name: z.string(),
        state: z.string(),
        wave: z.int(),
        waves: z.int(),
        updated: count,
        failed: count,
        vehicles: count,
      }),
    ),
    /** Vehicles by days since they were last seen: 0, 1, 2–6, 7–29, 30–89, 90 and more, never. */
    silence: z.array(z.object({ days: z.string(), vehicles: count })),
    expiries: z.array(z.object({ kind: z.string(), name: z.string(), expiresAt: instant, count })),
  })
  .openapi('Cockpit');

/** Which versions ran when, by hardware. */
export const versionHistorySchema = z
  .object({
    hardwareId: z.string(),
    days: z.array(z.iso.date()),
    series: z.array(z.object({ image: z.string(), vehicles: z.array(count) })),
  })
  .openapi('VersionHistory');

/** A vehicle's lanes: what happened to it, and in which ECU. */
export const vehicleLanesSchema = z
  .object({
    lanes: z.array(
      z.object({
        /** Of an ECU; `vehicle` for what is no single ECU's. */
        laneId: z.string(),
        hardwareId: z.string().optional(),
        entries: z.array(
          z.object({
            at: instant,
            until: instant.optional(),
            kind: z.string(),
            title: z.string(),
            severity: z.enum(['info', 'notice', 'warning', 'alert']),
            body: z.record(z.string(), z.unknown()),
          }),
        ),
      }),
    ),
  })
  .openapi('VehicleLanes');

/** What a vehicle was built with, and what it runs now. */
export const configurationSchema = z
  .object({
    vehicleId: z.string(),
    asBuiltAt: instant.optional(),
    ecus: z.array(
      z.object({
        ecuId: z.string(),
        hardwareId: z.string(),
        isPrimary: z.boolean(),
        asBuilt: z.object({ image: z.string(), sha256: z.string() }).optional(),
        now: z
          .object({ image: z.string(), sha256: z.string(), since: instant.optional() })
          .optional(),
        offered: z.string().optional(),
        rxswins: z.array(
          z.object({ regulation: z.string(), rxswin: z.string(), isAsRegistered: z.boolean() }),
        ),
        health: z.record(z.string(), z.unknown()),
        difference: z.enum(['same', 'updated', 'replaced', 'unknown']),
      }),
    ),
  })
  .openapi('Configuration');

/** One answer of an owner. */
export const consentRecordSchema = z
  .object({
    correlationId: z.string(),
    campaignId: z.string().optional(),
    step: z.string(),
    decision: z.string(),
    actor: z.string(),
    locale: z.string(),
    textSha256: z.string(),
    decidedAt: instant,
    receivedAt: instant,
  })
  .openapi('ConsentRecord');
