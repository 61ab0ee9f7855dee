/** Routes of access: session, people, tokens, tenants, signing keys, webhooks, audit log, live events. */
import { z } from '@hono/zod-openapi';
import {
  auditVerdictSchema,
  keyOverviewSchema,
  sessionSchema,
  signingKeyRequestSchema,
  signingKeySchema,
  tenantSchema,
  tokenSummarySchema,
  userPatchSchema,
  userRequestSchema,
  userSchema,
  webhookDeliverySchema,
  webhookRequestSchema,
  webhookSchema,
} from './access-schemas.ts';
import { ADMINS, API_ROLES, AUDITORS, OPERATORS, READERS } from './roles.ts';
import { json, name, route, streamRoute } from './route.ts';
import {
  eventSchema,
  pageOf,
  pageQuerySchema,
  tokenRequestSchema,
  tokenSchema,
} from './schemas.ts';
import { text } from './text.ts';

const userParams = z.object({ userId: name('of the person') });
const webhookParams = z.object({ webhookId: name('as it was created') });

/** See the head of the file. */
export const ACCESS_ROUTES = {
  getSession: route('get', '/session', {
    roles: API_ROLES,
    summary: 'Say who I am and what I may',
    request: {},
    answer: sessionSchema,
  }),
  listUsers: route('get', '/users', {
    roles: ADMINS,
    summary: 'List the people of the tenant',
    request: { query: pageQuerySchema },
    answer: pageOf(userSchema),
  }),
  createUser: route('post', '/users', {
    roles: ADMINS,
    summary: 'Let a person in, by the address that their provider knows',
    request: { body: json(userRequestSchema) },
    answer: userSchema,
    status: 201,
  }),
  changeUser: route('patch', '/users/{userId}', {
    roles: ADMINS,
    summary: 'Change what a person may, or bar them',
    request: { params: userParams, body: json(userPatchSchema) },
    answer: userSchema,
  }),
  listTokens: route('get', '/tokens', {
    roles: ADMINS,
    summary: 'List API tokens',
    request: { query: pageQuerySchema },
    answer: pageOf(tokenSummarySchema),
  }),
  createToken: route('post', '/tokens', {
    roles: ADMINS,
    summary: 'Create an API token',
    request: { body: json(tokenRequestSchema.extend({ scope: text(4000).optional() })) },
    answer: tokenSchema,
    status: 201,
  }),
  revokeToken: route('delete', '/tokens/{name}', {
    roles: ADMINS,
    summary: 'Revoke an API token',
    request: { params: z.object({ name: name('as it was created') }) },
    answer: z.object({ isRevoked: z.boolean() }),
  }),
  getTenant: route('get', '/tenant', {
    roles: READERS,
    summary: 'Show the tenant that I belong to',
    request: {},
    answer: tenantSchema,
  }),
  listSigningKeys: route('get', '/signing-keys', {
    roles: READERS,
    summary: 'List the keys with which people sign decisions',
    request: { query: pageQuerySchema },
    answer: pageOf(signingKeySchema),
  }),
  createSigningKey: route('post', '/signing-keys', {
    roles: API_ROLES.filter((role) => role !== 'viewer' && role !== 'supplier'),
    summary: 'Register a key with which I sign decisions',
    request: { body: json(signingKeyRequestSchema) },
    answer: signingKeySchema,
    status: 201,
  }),
  revokeSigningKey: route('delete', '/signing-keys/{keyId}', {
    roles: API_ROLES.filter((role) => role !== 'viewer' && role !== 'supplier'),
    summary: 'Revoke one of my signing keys; an administrator revokes anybody’s',
    request: { params: z.object({ keyId: name('of the key') }) },
    answer: signingKeySchema,
  }),
  listWebhooks: route('get', '/webhooks', {
    roles: ADMINS,
    summary: 'List webhooks',
    request: { query: pageQuerySchema },
    answer: pageOf(webhookSchema),
  }),
  createWebhook: route('post', '/webhooks', {
    roles: ADMINS,
    summary: 'Create a webhook; its secret is told this once',
    request: { body: json(webhookRequestSchema) },
    answer: webhookSchema,
    status: 201,
  }),
  deleteWebhook: route('delete', '/webhooks/{webhookId}', {
    roles: ADMINS,
    summary: 'Delete a webhook',
    request: { params: webhookParams },
    answer: z.object({ isDeleted: z.boolean() }),
  }),
  testWebhook: route('post', '/webhooks/{webhookId}/test', {
    roles: ADMINS,
    summary: 'Send a test message through a webhook',
    request: { params: webhookParams },
    answer: webhookDeliverySchema,
  }),
  listDeliveries: route('get', '/webhooks/{webhookId}/deliveries', {
    roles: ADMINS,
    summary: 'List what a webhook sent, the newest first',
    request: { params: webhookParams, query: pageQuerySchema },
    answer: pageOf(webhookDeliverySchema),
  }),
  listAudit: route('get', '/audit', {
    roles: AUDITORS,
    summary: 'List who changed what, the newest first',
    request: {
      query: pageQuerySchema.extend({
        kind: text(100).optional(),
        by: text(200).optional(),
        from: z.iso.datetime().optional(),
        to: z.iso.datetime().optional(),
      }),
    },
    answer: pageOf(eventSchema),
  }),
  verifyAudit: route('post', '/audit/verification', {
    roles: AUDITORS,
    summary: 'Check the chain of the audit log',
    request: {},
    answer: auditVerdictSchema,
  }),
  exportAudit: streamRoute('/audit/export', {
    roles: AUDITORS,
    summary: 'Export the audit log',
    request: { query: z.object({ format: z.enum(['csv', 'ndjson']).default('ndjson') }) },
    media: ['text/csv', 'application/x-ndjson'],
  }),
  getKeys: route('get', '/keys', {
    roles: READERS,
    summary: 'Show roles, keys and authorities, and until when they hold',
    request: {},
    answer: keyOverviewSchema,
  }),
  renewMetadata: route('post', '/metadata-renewal', {
    roles: OPERATORS,
    summary: 'Make the online metadata anew at once',
    request: {},
    answer: z.object({ isRenewed: z.boolean() }),
  }),
  streamEvents: streamRoute('/stream', {
    roles: READERS,
    summary: 'Hear of what happens, as server-sent events',
    request: {
      query: z.object({
        /** Kinds that begin so, by commas; all when left out. */
        kinds: text(500).optional(),
        campaignId: text(64).optional(),
        vehicleId: text(64).optional(),
      }),
    },
    media: ['text/event-stream'],
  }),
};
