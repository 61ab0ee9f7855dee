/** What the operator API takes and gives. Names on the wire are in camel case. */
import { z } from '@hono/zod-openapi';
import { VEHICLE_STATES } from '../campaign/states.ts';
import { API_ROLES } from './roles.ts';
import { text } from './text.ts';

const instant = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Page sizes: a screen, or a batch for a program. */
export const PAGE_MAX = 1000;

/** Where a page begins and how long it is. `after` is the `next` of the page before. */
export const pageQuerySchema = z.object({
  after: text(300).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
});

/** One page of a list. */
export function pageOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; next: z.ZodOptional<z.ZodString> }> {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

/** An ECU, as its last accepted report says. */
export const ecuSchema = z
  .object({
    ecuId: z.string(),
    hardwareId: z.string(),
    isPrimary: z.boolean(),
    installed: z
      .object({
        name: z.string(),
        sha256: z.string(),
        lengthBytes: z.int(),
        since: instant.optional(),
      })
      .optional(),
    attacksDetected: z.string(),
    hasEncryptionKey: z.boolean(),
    missingSince: instant.optional(),
    isReplacementPending: z.boolean(),
  })
  .openapi('Ecu');

/** A vehicle, as its last accepted manifest says. */
export const vehicleSchema = z
  .object({
    vehicleId: z.string(),
    vin: z.string().optional(),
    model: z.string(),
    market: z.string(),
    tags: z.record(z.string(), z.unknown()),
    isQuarantined: z.boolean(),
    lastSeenAt: instant.optional(),
    lastManifestAt: instant.optional(),
    offer: z
      .object({ correlationId: z.string(), images: z.record(z.string(), z.string()) })
      .optional(),
    ecus: z.array(ecuSchema),
  })
  .openapi('Vehicle');

/** What an operator may set of a vehicle. */
export const vehiclePatchSchema = z
  .object({
    vin: text(64, 1).optional(),
    model: text(100).optional(),
    market: text(100).optional(),
    tags: z.record(text(100), z.union([text(1000), z.boolean()])).optional(),
    isQuarantined: z.boolean().optional(),
  })
  .openapi('VehiclePatch');

/** One event of the record. */
export const eventSchema = z
  .object({
    stream: z.string(),
    sequence: z.int(),
    at: instant,
    kind: z.string(),
    body: z.record(z.string(), z.unknown()),
    /** SHA-256 of the chain up to here, in hex. */
    hash: sha256,
  })
  .openapi('Event');

/** Why a vehicle is not updated in one campaign. */
export const whyNotSchema = z
  .object({
    campaignId: z.string(),
    campaignName: z.string(),
    release: z.string(),
    state: z.enum(VEHICLE_STATES),
    reason: z.string().optional(),
    meaning: z.string(),
    nextStep: z.string(),
    actor: z.string(),
    measured: z.record(z.string(), z.unknown()),
    since: instant,
  })
  .openapi('WhyNot');

/** An image that is about to be uploaded. */
export const uploadRequestSchema = z
  .object({
    name: text(253, 1),
    /** The role of the Image repository that the image is for: `targets` or a delegated role. */
    role: text(1024, 1),
    lengthBytes: z.int().min(1),
    sha256,
    hardwareIds: z.array(text(200, 1)).min(1).max(256),
    version: text(100, 1),
    releaseCounter: z.int().min(0),
    /** Whether it is encrypted once and its key wrapped for each ECU. */
    isEncrypted: z.boolean(),
  })
  .openapi('UploadRequest');

/** How far an upload is. */
export const uploadSchema = z
  .object({ uploadId: z.string(), offsetBytes: z.int(), lengthBytes: z.int() })
  .openapi('Upload');

/** An image that is stored. */
export const imageSchema = z
  .object({
    name: z.string(),
    role: z.string(),
    lengthBytes: z.int(),
    sha256,
    sha512: z.string(),
    hardwareIds: z.array(z.string()),
    version: z.string(),
    releaseCounter: z.int(),
    isEncrypted: z.boolean(),
    /** Whether signed metadata of the repository list it: only then it can be released. */
    isSigned: z.boolean(),
  })
  .openapi('Image');

/** One signed metadata file. */
export const metadataFileSchema = z
  .object({
    dialect: z.enum(['aktualizr', 'tuf']),
    role: text(1024, 1),
    /** The signed file, base64. */
    bytes: z.base64(),
  })
  .openapi('MetadataFile');

/** Metadata to be published together. */
export const publishRequestSchema = z
  .object({ files: z.array(metadataFileSchema).min(1).max(64) })
  .openapi('PublishRequest');

/** A release that was taken. */
export const releaseSchema = z
  .object({
    releaseId: z.string(),
    name: z.string(),
    version: z.string(),
    createdBy: z.string(),
    createdAt: instant,
    goal: z.record(z.string(), z.string()),
  })
  .openapi('Release');

/** A campaign and how many vehicles are where. */
export const campaignSchema = z
  .object({
    campaignId: z.string(),
    releaseId: z.string(),
    name: z.string(),
    query: z.string(),
    state: z.enum(['planned', 'running', 'paused', 'held', 'finished', 'cancelled']),
    createdBy: z.string(),
    createdAt: instant,
    startedAt: instant.optional(),
    /** Vehicles by state. */
    counts: z.record(z.string(), z.int()),
  })
  .openapi('Campaign');

/** One vehicle of a campaign. */
export const campaignVehicleSchema = z
  .object({
    vehicleId: z.string(),
    state: z.enum(VEHICLE_STATES),
    reason: z.string().optional(),
    meaning: z.string(),
    nextStep: z.string(),
    actor: z.string(),
    measured: z.record(z.string(), z.unknown()),
    attempts: z.int(),
    since: instant,
  })
  .openapi('CampaignVehicle');

/** A certificate of a device; of one that was issued beside the database the serial number alone is known. */
export const certificateSchema = z
  .object({
    serial: z.string(),
    vehicleId: z.string().optional(),
    authority: z.string(),
    notAfter: instant.optional(),
    revokedAt: instant.optional(),
    reason: z.string().optional(),
  })
  .openapi('Certificate');

/** The reasons of RFC 5280 that make sense for a device. */
export const revocationSchema = z
  .object({
    reason: z
      .enum(['keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation'])
      .default('keyCompromise'),
    /** Also when it is not on record: a serial number that was misspelt is not found otherwise. */
    isUnrecorded: z.boolean().default(false),
  })
  .openapi('Revocation');

/** A token to be created. */
export const tokenRequestSchema = z
  .object({
    name: text(100, 1),
    role: z.enum(API_ROLES),
    /** Delegated roles that a supplier may upload for. */
    uploadsFor: z.array(text(1024, 1)).max(64).optional(),
    ttlDays: z.int().min(1).max(3650).default(90),
  })
  .openapi('TokenRequest');

/** The token itself is told once and never stored. */
export const tokenSchema = z
  .object({ token: z.string(), name: z.string(), role: z.enum(API_ROLES), expiresAt: instant })
  .openapi('Token');
