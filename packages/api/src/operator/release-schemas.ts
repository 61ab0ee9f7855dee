/** Releases with what an authority asks of them: dossier {R156 7.1.2.5}, RXSWIN register {R156 7.1.2.3}, evidence. */
import { z } from '@hono/zod-openapi';
import { text } from './text.ts';

const instant = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

/** The nine facts of {R156 7.1.2.5}, by their letters. */
export const DOSSIER_ITEMS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] as const;

/** A document that an item of a dossier rests on. */
const evidenceSchema = z.object({
  name: text(200, 1),
  sha256: sha256.optional(),
  uri: text(1000).optional(),
});

/** What somebody writes to one item. */
export const dossierItemRequestSchema = z
  .object({
    text: text(10_000, 1),
    /** For the items that ask yes or no: c, d, e, f, h, i. */
    answer: z.boolean().optional(),
    /** For item f: the number of the approval, or of its extension. */
    approvalNumber: text(100, 1).optional(),
    evidence: z.array(evidenceSchema).max(64).default([]),
  })
  .openapi('DossierItemRequest');

/** One item of a dossier. */
export const dossierItemSchema = z
  .object({
    item: z.enum(DOSSIER_ITEMS),
    title: z.string(),
    clause: z.string(),
    text: z.string(),
    answer: z.boolean().optional(),
    approvalNumber: z.string().optional(),
    evidence: z.array(evidenceSchema),
    isComplete: z.boolean(),
    /** In words; absent when it is complete. */
    missing: z.string().optional(),
    updatedBy: z.string().optional(),
    updatedAt: instant.optional(),
  })
  .openapi('DossierItem');

/** The dossier of a release. */
export const dossierSchema = z
  .object({
    releaseId: z.string(),
    items: z.array(dossierItemSchema),
    isComplete: z.boolean(),
    /** Over all items; what is approved is bound to it. */
    contentSha256: sha256,
  })
  .openapi('Dossier');

/** A release, whole. */
export const releaseDetailSchema = z
  .object({
    releaseId: z.string(),
    name: z.string(),
    version: z.string(),
    createdBy: z.string(),
    createdAt: instant,
    description: z.record(z.string(), z.string()),
    isSecurity: z.boolean(),
    unusableSeconds: count,
    images: z.array(
      z.object({
        hardwareId: z.string(),
        name: z.string(),
        version: z.string(),
        lengthBytes: count,
        sha256: z.string(),
        isGoal: z.boolean(),
        installsOver: z.array(z.string()).optional(),
        requires: z.array(z.object({ hardwareId: z.string(), images: z.array(z.string()) })),
        conflicts: z.array(z.object({ hardwareId: z.string(), images: z.array(z.string()) })),
      }),
    ),
    rxswins: z.array(
      z.object({
        regulation: z.string(),
        hardwareId: z.string(),
        rxswin: z.string(),
        before: z.string().optional(),
        approvalNumber: z.string().optional(),
      }),
    ),
    isDossierComplete: z.boolean(),
    /** Why nothing of it is offered any more, if so. */
    blockedBecause: z.string().optional(),
  })
  .openapi('ReleaseDetail');

/** What to solve: a vehicle of the fleet, or a configuration that somebody thinks of. */
export const solveRequestSchema = z
  .object({
    vehicleId: text(64).optional(),
    configuration: z
      .array(z.object({ ecuId: text(200, 1), hardwareId: text(200, 1), image: text(253) }))
      .max(256)
      .optional(),
  })
  .openapi('SolveRequest');

/** The way, or the smallest set of facts that clash. */
export const solutionSchema = z
  .object({
    kind: z.enum(['path', 'none']),
    /** In order; each is installed together. */
    bundles: z.array(z.record(z.string(), z.string())),
    reason: z.string().optional(),
    /** In words; take any one away and there is a way. */
    clash: z.array(
      z.object({
        fact: z.string(),
        kind: z.enum(['runs', 'goal', 'installs-over', 'requires', 'conflicts', 'bound']),
        ecuId: z.string().optional(),
        image: z.string().optional(),
      }),
    ),
  })
  .openapi('Solution');

/** Blocks a release, or lets it go again. */
export const releaseBlockSchema = z.object({
  isBlocked: z.boolean(),
  reason: text(1000, 1),
});

/** One state of an RXSWIN: which software stands behind it since when. */
export const rxswinEntrySchema = z
  .object({
    sequence: z.int(),
    rxswin: z.string(),
    regulation: z.string(),
    hardwareId: z.string(),
    before: z.string().optional(),
    releaseId: z.string(),
    releaseName: z.string(),
    approvalNumber: z.string().optional(),
    software: z.array(
      z.object({
        hardwareId: z.string(),
        image: z.string(),
        version: z.string(),
        sha256: z.string(),
      }),
    ),
    softwareBefore: z.array(
      z.object({
        hardwareId: z.string(),
        image: z.string(),
        version: z.string(),
        sha256: z.string(),
      }),
    ),
    /** Vehicles that report it, and vehicles whose software and RXSWIN do not agree {R156 7.1.1.4}. */
    vehicles: count,
    disagreeing: count,
    since: instant,
    hash: sha256,
  })
  .openapi('RxswinEntry');
