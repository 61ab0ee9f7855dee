/** Uploads, images and published metadata. */
import { OPERATOR_ROUTES } from '@immota/api';
import { AKTUALIZR, parseHardwareIdentifier, parseInstallableName } from '@immota/uptane';
import type { Selectable } from 'kysely';
import { CloudFault } from '../fault.ts';
import type { ImageRow } from '../schema/tables.ts';
import { DIALECTS, publishMetadata } from '../trust/publish.ts';
import { findSigned } from '../trust/search.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import type { View } from './views.ts';

/** Adds the routes about images and metadata. */
export function addImageRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context, uploads } = services;
  app.openapi(OPERATOR_ROUTES.createUpload.config, async (c) =>
    c.json(await uploads.begin(c.get('caller'), c.req.valid('json')), 201),
  );
  app.openapi(OPERATOR_ROUTES.getUpload.config, async (c) =>
    c.json(await uploads.progress(c.get('caller'), c.req.valid('param').uploadId), 200),
  );
  app.openapi(OPERATOR_ROUTES.appendUpload.config, async (c) => {
    const { uploadId } = c.req.valid('param');
    const { offset } = c.req.valid('query');
    const { body } = c.req.raw;
    if (body === null) throw new CloudFault('REQUEST_MALFORMED', 'Cannot append: no body');
    const part = { offsetBytes: offset, bytes: body };
    return c.json(await uploads.append(c.get('caller'), uploadId, part), 200);
  });
  app.openapi(OPERATOR_ROUTES.finishUpload.config, async (c) => {
    const { uploadId } = c.req.valid('param');
    const name = await uploads.finish(c.get('caller'), uploadId);
    const row = await context.database.kysely
      .selectFrom('image')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return c.json(imageView(services, row), 200);
  });
  app.openapi(OPERATOR_ROUTES.listImages.config, async (c) => {
    const { after = '', limit } = c.req.valid('query');
    const rows = await context.database.kysely
      .selectFrom('image')
      .selectAll()
      .where('tenant', '=', c.get('caller').fleet.tenant)
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit)
      .execute();
    const items = rows.map((row) => imageView(services, row));
    const last = rows.length < limit ? undefined : rows.at(-1)?.name;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  addMetadataRoutes(app, services);
}

function addMetadataRoutes(app: OperatorApp, services: OperatorServices): void {
  const { trustContext, trust } = services;
  app.openapi(OPERATOR_ROUTES.publishMetadata.config, async (c) => {
    const { repository } = c.req.valid('param');
    const { files } = c.req.valid('json');
    const offered = files.map(({ dialect, role, bytes }) => ({
      repository,
      dialect,
      role,
      bytes: Buffer.from(bytes, 'base64'),
    }));
    await publishMetadata(trustContext, offered);
    await trust.reload();
    return c.json({ published: offered.length }, 200);
  });
  app.openapi(OPERATOR_ROUTES.listMetadata.config, (c) => {
    const { repository } = c.req.valid('param');
    const items = DIALECTS[repository].flatMap(({ name: dialect }) => {
      const state = repository === 'director' ? trust.director() : trust.image(dialect);
      const files = [
        { role: 'root', bytes: state.root.bytes },
        ...(state.timestamp === undefined
          ? []
          : [{ role: 'timestamp', bytes: state.timestamp.bytes }]),
        ...(state.snapshot === undefined
          ? []
          : [{ role: 'snapshot', bytes: state.snapshot.bytes }]),
        ...[...state.targets].map(([role, file]) => ({ role: String(role), bytes: file.bytes })),
      ];
      return files.map(({ role, bytes }) => ({
        dialect,
        role,
        bytes: Buffer.from(bytes).toString('base64'),
      }));
    });
    return c.json({ items }, 200);
  });
}

function imageView({ trust }: OperatorServices, row: Selectable<ImageRow>): View<'imageSchema'> {
  return {
    name: row.name,
    role: row.role,
    lengthBytes: row.length_bytes,
    sha256: row.sha256,
    sha512: row.sha512,
    hardwareIds: [...row.hardware_ids],
    version: row.version,
    releaseCounter: row.release_counter,
    isEncrypted: row.cipher_sha256 !== null,
    isSigned: isSigned(trust, row),
  };
}

function isSigned(trust: OperatorServices['trust'], row: Selectable<ImageRow>): boolean {
  const { targets } = trust.image('aktualizr');
  const hardwareIdentifiers = row.hardware_ids.map(parseHardwareIdentifier);
  const query = { name: parseInstallableName(row.name), hardwareIdentifiers };
  return findSigned(AKTUALIZR, targets, query) !== undefined;
}
