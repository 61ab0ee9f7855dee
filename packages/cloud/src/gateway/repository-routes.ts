/** The Image repository, in both dialects {uptane D1}. */
import { AKTUALIZR, type Dialect, TUF } from '@immota/uptane';
import type { BlobStore } from '@immota/store';
import type { Deltas } from '../delta/deltas.ts';
import type { Catalogue } from '../image-repository/catalogue.ts';
import { findFile } from '../image-repository/find-file.ts';
import type { MetadataFiles } from '../image-repository/metadata-files.ts';
import { IMMUTABLE, serveFile } from '../image-repository/serve-file.ts';
import { type Exchange, sendEmpty, sendJson } from './exchange.ts';
import type { Route, RouteAudience } from './parts.ts';

/** What the routes serve from. */
export interface RepositoryParts {
  readonly metadata: MetadataFiles;
  readonly catalogue: Catalogue;
  readonly blobs: BlobStore;
  readonly deltas: Deltas;
}

const FOLDERS: readonly (readonly [folder: string, dialect: Dialect])[] = [
  ['/repo/', AKTUALIZR],
  ['/tuf/', TUF],
];

/**
 * Makes the routes.
 *
 * @param audience - vehicles at the gateway; anyone where the repository is served by itself.
 */
export function repositoryRoutes(
  parts: RepositoryParts,
  audience: RouteAudience,
): ReadonlyMap<string, Route> {
  const { metadata, catalogue, blobs, deltas } = parts;
  // A delta costs minutes of work: only who is known may ask for one that is not there.
  const mayMake = audience === 'vehicle';
  const routes = new Map<string, Route>();
  for (const [folder, dialect] of FOLDERS) {
    const file: Route = {
      name: 'image',
      audience,
      isBare: true,
      async handle({ request, response, rest }) {
        const found = (await findFile(catalogue, rest)) ?? (await deltas.find(rest, mayMake));
        await serveFile(blobs, { request, response }, found);
      },
    };
    const description: Route = {
      name: 'image-metadata',
      audience,
      async handle(exchange) {
        await sendMetadata(metadata, dialect, exchange);
      },
    };
    for (const method of ['GET', 'HEAD']) {
      routes.set(`${method} ${folder}targets/`, file);
      routes.set(`${method} ${folder}`, description);
    }
  }
  return routes;
}

async function sendMetadata(
  metadata: MetadataFiles,
  dialect: Dialect,
  { response, rest }: Exchange,
): Promise<void> {
  const found = await metadata.find('image', dialect, rest);
  if (found === undefined) sendEmpty(response, 404);
  else {
    const { bytes, isImmutable } = found;
    sendJson(response, bytes, { 'cache-control': isImmutable ? IMMUTABLE : 'no-cache' });
  }
}
