/** Who may do what: people, tokens, tenants, keys that sign decisions, webhooks, and the audit log. */
import { z } from '@hono/zod-openapi';
import { API_ROLES } from './roles.ts';
import { text } from './text.ts';

const instant = z.iso.datetime();
const count = z.int().min(0);
const role = z.enum(API_ROLES);

/** Who I am, and what I may. */
export const sessionSchema = z
  .object({
    name: z.string(),
    kind: z.enum(['person', 'token']),
    userId: z.string().optional(),
    email: z.string().optional(),
    role,
    tenant: z.string(),
    tenantName: z.string(),
    /** A fleet query that bounds what it sees; all of its tenant when absent. */
    scope: z.string().optional(),
    /** To be sent as `X-CSRF-Token` with every change; absent for tokens. */
    csrfToken: z.string().optional(),
    expiresAt: instant,
    /** Operations of this API that its role lets in. */
    operations: z.array(z.string()),
  })
  .openapi('Session');

/** A person. */
export const userSchema = z
  .object({
    userId: z.string(),
    name: z.string(),
    email: z.string(),
    issuer: z.string(),
    role,
    scope: z.string().optional(),
    isDisabled: z.boolean(),
    createdAt: instant,
    lastSeenAt: instant.optional(),
    /** Where a local account sets its password: a link that is told once, to whoever invited. */
    invitation: z.string().optional(),
  })
  .openapi('User');

/** A person who may sign in, before they ever did: found again by what their provider says. */
export const userRequestSchema = z
  .object({
    email: text(320, 3),
    name: text(200, 1),
    role,
    scope: text(4000).optional(),
  })
  .openapi('UserRequest');

/** What an administrator may change of a person. */
export const userPatchSchema = z
  .object({
    role: role.optional(),
    scope: text(4000).nullable().optional(),
    isDisabled: z.boolean().optional(),
    /** Makes a new link to set the password of a local account. */
    invite: z.boolean().optional(),
  })
  .openapi('UserPatch');

/** An API token in a list; the token itself is told once, when it is made. */
export const tokenSummarySchema = z
  .object({
    name: z.string(),
    role,
    scope: z.string().optional(),
    createdBy: z.string(),
    createdAt: instant,
    expiresAt: instant.optional(),
    revokedAt: instant.optional(),
  })
  .openapi('TokenSummary');

/** A tenant: a brand or subsidiary that shares the installation and sees nothing of the others. */
export const tenantSchema = z
  .object({ tenantId: z.string(), name: z.string(), createdAt: instant })
  .openapi('Tenant');

/** A key with which a person signs decisions; the private half never leaves them. */
export const signingKeySchema = z
  .object({
    keyId: z.string(),
    owner: z.string(),
    name: z.string(),
    algorithm: z.enum(['ed25519', 'ecdsa-p256']),
    createdAt: instant,
    revokedAt: instant.optional(),
  })
  .openapi('SigningKey');

/** A key to be registered for whoever asks. */
export const signingKeyRequestSchema = z
  .object({
    name: text(100, 1),
    algorithm: z.enum(['ed25519', 'ecdsa-p256']),
    /** SubjectPublicKeyInfo, DER, base64. */
    publicKey: z.base64().max(1024),
    /** Base64, over the key id: whoever registers a key holds it. */
    proof: z.base64().max(1024),
  })
  .openapi('SigningKeyRequest');

/** A webhook. */
export const webhookSchema = z
  .object({
    webhookId: z.string(),
    url: z.string(),
    /** Kinds of events; `campaign.*` means all that begin so. */
    events: z.array(z.string()),
    isEnabled: z.boolean(),
    createdBy: z.string(),
    createdAt: instant,
    lastDeliveryAt: instant.optional(),
    lastStatus: z.string().optional(),
    waiting: count,
    /** Told once, when it is made. */
    secret: z.string().optional(),
  })
  .openapi('Webhook');

/** A webhook to be made. */
export const webhookRequestSchema = z
  .object({ url: z.url().max(2000), events: z.array(text(100, 1)).min(1).max(64) })
  .openapi('WebhookRequest');

/** What became of one message. */
export const webhookDeliverySchema = z
  .object({
    deliveryId: z.string(),
    eventKind: z.string(),
    state: z.enum(['waiting', 'delivered', 'given-up']),
    attempts: count,
    status: z.int().optional(),
    problem: z.string().optional(),
    at: instant,
    nextAt: instant.optional(),
  })
  .openapi('WebhookDelivery');

/** Whether the audit log is as it was written. */
export const auditVerdictSchema = z
  .object({
    isIntact: z.boolean(),
    checked: count,
    /** SHA-256 of the head of the chain, hex. */
    head: z.string(),
    problem: z.string().optional(),
  })
  .openapi('AuditVerdict');

/** Roles, keys and authorities, and until when they hold. */
export const keyOverviewSchema = z
  .object({
    roles: z.array(
      z.object({
        repository: z.enum(['director', 'image']),
        role: z.string(),
        version: z.int(),
        threshold: z.int(),
        keys: z.array(z.object({ keyId: z.string(), algorithm: z.string() })),
        expiresAt: instant,
        /** Whether the cloud renews it by itself, or people must come together. */
        isOnline: z.boolean(),
      }),
    ),
    authorities: z.array(z.object({ name: z.string(), serial: z.string(), notAfter: instant })),
    /** Device certificates that run out, by month. */
    certificates: z.array(z.object({ month: z.string(), count })),
    revoked: count,
  })
  .openapi('KeyOverview');
