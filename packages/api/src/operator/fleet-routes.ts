/** Routes over the fleet as a whole, and over one vehicle in depth. */
import { z } from '@hono/zod-openapi';
import {
  cockpitSchema,
  configurationSchema,
  consentRecordSchema,
  fleetCountSchema,
  fleetFacetsSchema,
  fleetListQuerySchema,
  vehicleLanesSchema,
  vehicleSummarySchema,
  versionHistorySchema,
} from './fleet-schemas.ts';
import { READERS } from './roles.ts';
import { json, route, streamRoute, vehicleParams } from './route.ts';
import { pageOf } from './schemas.ts';
import { text } from './text.ts';

/** See the head of the file. */
export const FLEET_ROUTES = {
  getCockpit: route('get', '/fleet/cockpit', {
    roles: READERS,
    summary: 'Show what to do next, and how the fleet is',
    request: {},
    answer: cockpitSchema,
  }),
  listFleet: route('get', '/fleet/vehicles', {
    roles: READERS,
    summary: 'List vehicles by a query, sorted',
    request: { query: fleetListQuerySchema },
    answer: pageOf(vehicleSummarySchema),
  }),
  countFleet: route('post', '/fleet/count', {
    roles: READERS,
    summary: 'Count the vehicles that a query means, and show some',
    request: {
      body: json(z.object({ query: text(4000, 1), sample: z.int().min(0).max(100).default(20) })),
    },
    answer: fleetCountSchema,
  }),
  listFacets: route('get', '/fleet/facets', {
    roles: READERS,
    summary: 'List the values that queries can ask for',
    request: {},
    answer: fleetFacetsSchema,
  }),
  listVersions: route('get', '/fleet/versions', {
    roles: READERS,
    summary: 'Show which versions ran on each day',
    request: {
      query: z.object({
        hardwareId: text(200, 1),
        days: z.coerce.number().int().min(1).max(366).default(30),
        model: text(100).optional(),
        market: text(100).optional(),
      }),
    },
    answer: versionHistorySchema,
  }),
  exportFleet: streamRoute('/fleet/export', {
    roles: READERS,
    summary: 'Export the vehicles that a query means',
    request: {
      query: z.object({
        query: text(4000).optional(),
        format: z.enum(['csv', 'ndjson']).default('csv'),
      }),
    },
    media: ['text/csv', 'application/x-ndjson'],
  }),
  listLanes: route('get', '/vehicles/{vehicleId}/lanes', {
    roles: READERS,
    summary: 'Show what happened to a vehicle, a lane for each ECU',
    request: {
      params: vehicleParams,
      query: z.object({ days: z.coerce.number().int().min(1).max(3660).default(90) }),
    },
    answer: vehicleLanesSchema,
  }),
  getConfiguration: route('get', '/vehicles/{vehicleId}/configuration', {
    roles: READERS,
    summary: 'Compare a vehicle as it was built with what it runs',
    request: { params: vehicleParams },
    answer: configurationSchema,
  }),
  listConsents: route('get', '/vehicles/{vehicleId}/consents', {
    roles: READERS,
    summary: 'List what the owner of a vehicle answered, the newest first',
    request: { params: vehicleParams },
    answer: z.object({ items: z.array(consentRecordSchema) }),
  }),
};
