/** Routes of releases: document, way, dossier, block, and the RXSWIN register. */
import { z } from '@hono/zod-openapi';
import {
  DOSSIER_ITEMS,
  dossierItemRequestSchema,
  dossierSchema,
  releaseBlockSchema,
  releaseDetailSchema,
  rxswinEntrySchema,
  solutionSchema,
  solveRequestSchema,
} from './release-schemas.ts';
import { OPERATORS, READERS, RELEASERS } from './roles.ts';
import { bytes, json, releaseParams, route } from './route.ts';
import { pageOf, pageQuerySchema, releaseSchema } from './schemas.ts';
import { text } from './text.ts';

/** See the head of the file. */
export const RELEASE_ROUTES = {
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
  getRelease: route('get', '/releases/{releaseId}', {
    roles: READERS,
    summary: 'Show a release: images, ways between them, RXSWIN changes',
    request: { params: releaseParams },
    answer: releaseDetailSchema,
  }),
  solveRelease: route('post', '/releases/{releaseId}/solution', {
    roles: READERS,
    summary: 'Find the shortest safe way of a vehicle to a release, or what stands against it',
    request: { params: releaseParams, body: json(solveRequestSchema) },
    answer: solutionSchema,
  }),
  blockRelease: route('put', '/releases/{releaseId}/block', {
    roles: [...RELEASERS, ...OPERATORS.filter((role) => role !== 'admin')],
    summary: 'Block a release for every campaign at once, or let it go again',
    request: { params: releaseParams, body: json(releaseBlockSchema) },
    answer: releaseDetailSchema,
  }),
  getDossier: route('get', '/releases/{releaseId}/dossier', {
    roles: READERS,
    summary: 'Show the dossier of a release {R156 7.1.2.5}',
    request: { params: releaseParams },
    answer: dossierSchema,
  }),
  writeDossierItem: route('put', '/releases/{releaseId}/dossier/{item}', {
    roles: RELEASERS,
    summary: 'Write one item of a dossier',
    request: {
      params: releaseParams.extend({ item: z.enum(DOSSIER_ITEMS) }),
      body: json(dossierItemRequestSchema),
    },
    answer: dossierSchema,
  }),
  listRxswins: route('get', '/rxswins', {
    roles: READERS,
    summary: 'List the RXSWIN register {R156 7.1.2.3}',
    request: {
      query: pageQuerySchema.extend({
        regulation: text(20).optional(),
        rxswin: text(100).optional(),
      }),
    },
    answer: pageOf(rxswinEntrySchema),
  }),
};
