/**
 * The routes of the operator API, one constant for all: server, client and documentation are made of
 * it. `roles` says whose tokens are let in; a route without a role does not exist.
 */
import { z } from '@hono/zod-openapi';
import { text } from './text.ts';
import { ACCESS_ROUTES } from './access-routes.ts';
import { CAMPAIGN_ROUTES } from './campaign-routes.ts';
import { FLEET_ROUTES } from './fleet-routes.ts';
import { RELEASE_ROUTES } from './release-routes.ts';
import { OPERATORS, READERS, RELEASERS, UPLOADERS } from './roles.ts';
import { bytes, json, name, route, vehicleParams } from './route.ts';
import {
  certificateSchema,
  eventSchema,
  imageSchema,
  metadataFileSchema,
  pageOf,
  pageQuerySchema,
  publishRequestSchema,
  revocationSchema,
  uploadRequestSchema,
  uploadSchema,
  vehiclePatchSchema,
  vehicleSchema,
  whyNotSchema,
} from './schemas.ts';

const uploadParams = z.object({ uploadId: name('as it was created') });

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
  ...FLEET_ROUTES,
  ...RELEASE_ROUTES,
  ...CAMPAIGN_ROUTES,
  ...ACCESS_ROUTES,
};
