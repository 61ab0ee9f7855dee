/**
 * The routes of the operator API, one constant for all: server, client and documentation are made of
 * it. `roles` says whose tokens are let in; a route without a role does not exist.
 */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { PROBLEM_MEDIA_TYPE, problemSchema } from '../problem.ts';
import { text } from './text.ts';
import { ADMINS, type ApiRole, OPERATORS, READERS, RELEASERS, UPLOADERS } from './roles.ts';
import {
  campaignRequestSchema,
  campaignSchema,
  campaignVehicleSchema,
  certificateSchema,
  eventSchema,
  imageSchema,
  metadataFileSchema,
  pageOf,
  pageQuerySchema,
  publishRequestSchema,
  releaseSchema,
  revocationSchema,
  tokenRequestSchema,
  tokenSchema,
  uploadRequestSchema,
  uploadSchema,
  vehiclePatchSchema,
  vehicleSchema,
  whyNotSchema,
} from './schemas.ts';

/** Where the API lies. */
export const OPERATOR_PREFIX = '/api/v1';

const name = (what: string): z.ZodString => text(300, 1).openapi({ description: what });
const vehicleParams = z.object({ vehicleId: name('the common name of its certificate') });
const campaignParams = z.object({ campaignId: name('as it was created') });
const uploadParams = z.object({ uploadId: name('as it was created') });

type Request = NonNullable<RouteConfig['request']>;

interface RouteOptions<Answer extends z.ZodType, Asked extends Request> {
  readonly roles: readonly ApiRole[];
  readonly summary: string;
  readonly answer: Answer;
  readonly request: Asked;
  readonly status?: 200 | 201;
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Builds a route: JSON both ways, a problem for every refusal, a bearer token always. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types, typescript/explicit-function-return-type -- the type is the contract, and only inference can write it
function route<Answer extends z.ZodType, const Asked extends Request>(
  method: Method,
  path: string,
  { roles, summary, answer, request, status = 200 }: RouteOptions<Answer, Asked>,
) {
  const done = { description: 'done', content: { 'application/json': { schema: answer } } };
  const refused = {
    description: 'refused',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
  };
  const config = createRoute({
    method,
    path: `${OPERATOR_PREFIX}${path}`,
    summary,
    security: [{ token: [] }],
    request,
    responses: { [status]: done, default: refused },
  });
  return { roles, config };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- see route()
function json<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

const bytes = {
  required: true,
  content: {
    'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) },
  },
} as const;

/** Every route by its name. */
export const OPERATOR_ROUTES = {
  listVehicles: route('get', '/vehicles', {
    roles: READERS,
    summary: 'List vehicles, by id',
    request: { query: pageQuerySchema.extend({ query: text(4000).optional() }) },
    answer: pageOf(vehicleSchema),
  }),
  getVehicle: route('get', '/vehicles/{vehicleId}', {
    roles: READERS,
    summary: 'Show a vehicle and what its ECUs last reported',
    request: { params: vehicleParams },
    answer: vehicleSchema,
  }),
  patchVehicle: route('patch', '/vehicles/{vehicleId}', {
    roles: OPERATORS,
    summary: 'Set what is known of a vehicle, or bar it',
    request: { params: vehicleParams, body: json(vehiclePatchSchema) },
    answer: vehicleSchema,
  }),
  listTimeline: route('get', '/vehicles/{vehicleId}/timeline', {
    roles: READERS,
    summary: 'List what happened to a vehicle, the newest first',
    request: { params: vehicleParams, query: pageQuerySchema },
    answer: pageOf(eventSchema),
  }),
  explainVehicle: route('get', '/vehicles/{vehicleId}/why-not', {
    roles: READERS,
    summary: 'Say why a vehicle is not updated',
    request: { params: vehicleParams },
    answer: z.object({ items: z.array(whyNotSchema) }),
  }),
  approveReplacement: route('post', '/vehicles/{vehicleId}/ecus/{ecuId}/replacement', {
    roles: OPERATORS,
    summary: 'Approve the key of a replaced ECU',
    request: { params: vehicleParams.extend({ ecuId: name('its identifier') }) },
    answer: vehicleSchema,
  }),
  wakeVehicle: route('post', '/vehicles/{vehicleId}/wake-up', {
    roles: OPERATORS,
    summary: 'Ask a vehicle to check in now',
    request: { params: vehicleParams },
    answer: z.object({ isSent: z.boolean() }),
  }),
  createUpload: route('post', '/uploads', {
    roles: UPLOADERS,
    summary: 'Begin to upload an image',
    request: { body: json(uploadRequestSchema) },
    answer: uploadSchema,
    status: 201,
  }),
  getUpload: route('get', '/uploads/{uploadId}', {
    roles: UPLOADERS,
    summary: 'Say how far an upload is, to go on after an interruption',
    request: { params: uploadParams },
    answer: uploadSchema,
  }),
  appendUpload: route('put', '/uploads/{uploadId}/bytes', {
    roles: UPLOADERS,
    summary: 'Append bytes at an offset',
    request: {
      params: uploadParams,
      query: z.object({ offset: z.coerce.number().int().min(0) }),
      body: bytes,
    },
    answer: uploadSchema,
  }),
  finishUpload: route('post', '/uploads/{uploadId}/finish', {
    roles: UPLOADERS,
    summary: 'Check and store what was uploaded',
    request: { params: uploadParams },
    answer: imageSchema,
  }),
  listImages: route('get', '/images', {
    roles: [...READERS, 'supplier'],
    summary: 'List images, by name',
    request: { query: pageQuerySchema },
    answer: pageOf(imageSchema),
  }),
  listMetadata: route('get', '/metadata/{repository}', {
    roles: [...READERS, 'supplier'],
    summary: 'List the metadata in force',
    request: { params: z.object({ repository: z.enum(['director', 'image']) }) },
    answer: z.object({ items: z.array(metadataFileSchema) }),
  }),
  publishMetadata: route('post', '/metadata/{repository}', {
    roles: RELEASERS,
    summary: 'Publish metadata that were signed elsewhere',
    request: {
      params: z.object({ repository: z.enum(['director', 'image']) }),
      body: json(publishRequestSchema),
    },
    answer: z.object({ published: z.int() }),
  }),
  createRelease: route('post', '/releases', {
    roles: RELEASERS,
    summary: 'Take a signed release',
    request: { body: bytes },
    answer: releaseSchema,
    status: 201,
  }),
  listReleases: route('get', '/releases', {
    roles: READERS,
    summary: 'List releases, the newest first',
    request: { query: pageQuerySchema },
    answer: pageOf(releaseSchema),
  }),
  createCampaign: route('post', '/campaigns', {
    roles: OPERATORS,
    summary: 'Create a campaign',
    request: { body: json(campaignRequestSchema) },
    answer: campaignSchema,
    status: 201,
  }),
  listCampaigns: route('get', '/campaigns', {
    roles: READERS,
    summary: 'List campaigns, the newest first',
    request: { query: pageQuerySchema },
    answer: pageOf(campaignSchema),
  }),
  getCampaign: route('get', '/campaigns/{campaignId}', {
    roles: READERS,
    summary: 'Count the vehicles of a campaign',
    request: { params: campaignParams },
    answer: campaignSchema,
  }),
  startCampaign: route('post', '/campaigns/{campaignId}/start', {
    roles: OPERATORS,
    summary: 'Start or resume a campaign',
    request: { params: campaignParams },
    answer: campaignSchema,
  }),
  pauseCampaign: route('post', '/campaigns/{campaignId}/pause', {
    roles: OPERATORS,
    summary: 'Pause a campaign',
    request: { params: campaignParams },
    answer: campaignSchema,
  }),
  cancelCampaign: route('post', '/campaigns/{campaignId}/cancel', {
    roles: OPERATORS,
    summary: 'Cancel a campaign',
    request: { params: campaignParams },
    answer: campaignSchema,
  }),
  listCampaignVehicles: route('get', '/campaigns/{campaignId}/vehicles', {
    roles: READERS,
    summary: 'List the vehicles of a campaign with their reasons',
    request: {
      params: campaignParams,
      query: pageQuerySchema.extend({ state: text(20).optional() }),
    },
    answer: pageOf(campaignVehicleSchema),
  }),
  listCertificates: route('get', '/certificates', {
    roles: READERS,
    summary: 'List device certificates, by serial number',
    request: { query: pageQuerySchema.extend({ vehicleId: text(64).optional() }) },
    answer: pageOf(certificateSchema),
  }),
  revokeCertificate: route('post', '/certificates/{serial}/revocation', {
    roles: OPERATORS,
    summary: 'Revoke a device certificate at once',
    request: {
      params: z.object({ serial: name('serial number, in hex') }),
      body: json(revocationSchema),
    },
    answer: certificateSchema,
  }),
  listEvents: route('get', '/events', {
    roles: READERS,
    summary: 'List events of a stream, the oldest first',
    request: { query: pageQuerySchema.extend({ stream: text(64).default('fleet') }) },
    answer: pageOf(eventSchema),
  }),
  createToken: route('post', '/tokens', {
    roles: ADMINS,
    summary: 'Create an API token',
    request: { body: json(tokenRequestSchema) },
    answer: tokenSchema,
    status: 201,
  }),
  revokeToken: route('delete', '/tokens/{name}', {
    roles: ADMINS,
    summary: 'Revoke an API token',
    request: { params: z.object({ name: name('as it was created') }) },
    answer: z.object({ isRevoked: z.boolean() }),
  }),
};
