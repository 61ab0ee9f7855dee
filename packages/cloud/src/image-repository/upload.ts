/**
 * Uploads of images: authorised along the delegation chain, resumable, checked, and encrypted once
 * {uptane D2} {uptane D3} {uptane D4} {uptane D5}.
 */
import { isDeepStrictEqual } from 'node:util';
import { findFaultCode, type JsonObject } from '@immota/base';
import {
  createHashTap,
  encodeContentKey,
  encryptImage,
  generateContentKey,
  type ImageDigest,
  tapHashes,
} from '@immota/image';
import {
  type BlobHash,
  type BlobStore,
  parseBlobHash,
  parseUploadId,
  sql,
  StoreFault,
  type UploadId,
} from '@immota/store';
import {
  type InstallableName,
  parseHardwareIdentifier,
  parseInstallableName,
  type RoleName,
  type TargetDescription,
} from '@immota/uptane';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { FIRST_TENANT, type FleetScope } from '../inventory/fleet-scope.ts';
import { CloudFault } from '../fault.ts';
import { IMAGE_MAX_BYTES } from '../limits.ts';
import type { ImageRow, UploadRow } from '../schema/tables.ts';
import type { Sealer } from '../seal.ts';
import { DIALECTS } from '../trust/publish.ts';
import { parseTargetsRole } from '../trust/repository-state.ts';
import { isCovered } from '../trust/search.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import { ENCRYPTED_SUFFIX } from './image-name.ts';

/** Who uploads, as its token says. */
export interface Uploader {
  readonly name: string;
  /** `supplier` acts for delegated roles alone; others for the top-level role too. */
  readonly role: string;
  /** Delegated roles it may act for. */
  readonly uploadsFor: readonly string[];
  /** Whose the images become; the first tenant's when left out. */
  readonly fleet?: FleetScope | undefined;
}

/** What is going to be uploaded. */
export interface ImageAnnouncement {
  readonly name: string;
  /** `targets`, or the delegated role that will sign it. */
  readonly role: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly hardwareIds: readonly string[];
  readonly version: string;
  readonly releaseCounter: number;
  readonly isEncrypted: boolean;
}

/** How far an upload is. */
export interface UploadState {
  readonly uploadId: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Takes images. */
export interface ImageUploads {
  /**
   * Begins an upload, or finds the one that this uploader began of the same image.
   *
   * @throws CloudFault UPLOAD_FORBIDDEN, IMAGE_EXISTS, UPLOAD_MISMATCH; UptaneFault MALFORMED.
   */
  begin(uploader: Uploader, announcement: ImageAnnouncement): Promise<UploadState>;
  /** Tells where to go on. @throws CloudFault UPLOAD_MISSING. */
  progress(uploader: Uploader, uploadId: string): Promise<UploadState>;
  /**
   * Takes bytes; what came before a break is kept.
   *
   * @throws CloudFault UPLOAD_MISSING; UPLOAD_MISMATCH at another offset, or beyond what was announced.
   */
  append(
    uploader: Uploader,
    uploadId: string,
    part: { readonly offsetBytes: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<UploadState>;
  /**
   * Makes an upload an image: length and hash are checked, and it is encrypted where that was announced.
   *
   * @returns its name.
   * @throws CloudFault UPLOAD_MISSING, UPLOAD_FORBIDDEN, UPLOAD_MISMATCH, IMAGE_EXISTS.
   */
  finish(uploader: Uploader, uploadId: string): Promise<string>;
}

/** What uploads need. */
export interface UploadParts {
  readonly context: CloudContext;
  readonly store: TrustStore;
  readonly blobs: BlobStore;
  /** Of content keys. */
  readonly sealer: Sealer;
}

/** Makes the intake of images. */
export function createImageUploads(parts: UploadParts): ImageUploads {
  const recorded = <Result>(uploader: Uploader, work: () => Promise<Result>): Promise<Result> =>
    recordRefusals(parts.context, uploader, work);
  return {
    begin: (uploader, announcement) =>
      recorded(uploader, () => begin(parts, uploader, announcement)),
    async progress(uploader, uploadId) {
      const row = await findUpload(parts, uploader, uploadId);
      const offsetBytes = await parts.blobs.uploadOffset(parseUploadId(row.upload_id));
      return stateOf(row, offsetBytes);
    },
    append: (uploader, uploadId, part) =>
      recorded(uploader, async () => {
        const row = await findUpload(parts, uploader, uploadId);
        const { offsetBytes, bytes } = part;
        const id = parseUploadId(row.upload_id);
        try {
          const end = await parts.blobs.appendUpload(id, offsetBytes, bytes, row.length_bytes);
          return stateOf(row, end);
        } catch (error) {
          throw translate(error);
        }
      }),
    finish: (uploader, uploadId) => recorded(uploader, () => finish(parts, uploader, uploadId)),
  };
}

/**
 * Checks that an uploader may put an image there for a role {uptane D4}: its token names the role, and clients
 * that search for the image consult the role, in both dialects.
 *
 * @throws CloudFault UPLOAD_FORBIDDEN.
 */
function checkUploader(
  store: TrustStore,
  uploader: Uploader,
  image: { readonly name: InstallableName; role: RoleName; hardwareIds: readonly string[] },
): void {
  const { name, role, hardwareIds } = image;
  const mayActForTop = uploader.role !== 'supplier';
  const isNamed = uploader.uploadsFor.includes(role) || (mayActForTop && role === 'targets');
  if (!isNamed) {
    throw forbidden(`${uploader.name} may not act for "${role}"`);
  }
  const hardwareIdentifiers = hardwareIds.map(parseHardwareIdentifier);
  if (hardwareIdentifiers.length === 0) throw forbidden('it names no hardware');
  const query = { name, hardwareIdentifiers };
  for (const dialect of DIALECTS.image) {
    const { targets } = store.image(dialect.name);
    if (!targets.has(role) || !isCovered(dialect, targets, { role, query })) {
      throw forbidden(`"${role}" does not cover "${name}" for this hardware`);
    }
  }
}

async function begin(
  { context, store, blobs }: UploadParts,
  uploader: Uploader,
  announcement: ImageAnnouncement,
): Promise<UploadState> {
  const { lengthBytes, hardwareIds } = announcement;
  const name = parseInstallableName(announcement.name);
  const role = parseTargetsRole(announcement.role);
  parseBlobHash(announcement.sha256);
  if (announcement.name.endsWith(ENCRYPTED_SUFFIX)) {
    throw forbidden(`names that end in ${ENCRYPTED_SUFFIX} are the encrypted forms'`);
  }
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > IMAGE_MAX_BYTES) {
    throw new CloudFault('UPLOAD_MISMATCH', `Cannot take image of ${lengthBytes} bytes`);
  }
  checkUploader(store, uploader, { name, role, hardwareIds });
  await checkNew(context, name);
  const details = detailsOf(announcement);
  const known = await context.database.kysely
    .selectFrom('upload')
    .selectAll()
    .where('name', '=', name)
    .where('created_by', '=', uploader.name)
    .where('tenant', '=', tenantOf(uploader))
    .execute();
  for (const row of known) {
    if (row.role !== role || !isDeepStrictEqual(toAnnouncement(row), announcement)) {
      continue;
    }
    try {
      return stateOf(row, await blobs.uploadOffset(parseUploadId(row.upload_id)));
    } catch (error) {
      // Swept away meanwhile: it begins anew.
      if (findFaultCode(error) !== 'UPLOAD_MISSING') throw error;
    }
  }
  const uploadId = await blobs.beginUpload();
  const row = {
    upload_id: uploadId,
    name,
    role,
    details,
    length_bytes: lengthBytes,
    created_by: uploader.name,
    tenant: tenantOf(uploader),
  };
  await context.database.kysely.insertInto('upload').values(row).execute();
  return stateOf(row, 0);
}

async function finish(parts: UploadParts, uploader: Uploader, uploadId: string): Promise<string> {
  const { context, store, blobs } = parts;
  const row = await findUpload(parts, uploader, uploadId);
  const announcement = toAnnouncement(row);
  const name = parseInstallableName(row.name);
  const role = parseTargetsRole(row.role);
  // Asked again: a delegation may have been taken back since the upload began.
  checkUploader(store, uploader, { name, role, hardwareIds: announcement.hardwareIds });
  await checkNew(context, name);
  const hash = parseBlobHash(announcement.sha256);
  await storePlain(blobs, parseUploadId(row.upload_id), { hash, lengthBytes: row.length_bytes });
  const stored = announcement.isEncrypted
    ? await encrypt(parts, name, hash)
    : { digest: await measure(blobs, hash), cipher: undefined, sealed: undefined };
  await saveImage(context, { row, announcement, ...stored });
  if (announcement.isEncrypted) await removePlain(context, blobs, hash);
  return name;
}

/** The upload may have become a blob in an earlier try that broke off afterwards. */
async function storePlain(
  blobs: BlobStore,
  id: UploadId,
  { hash, lengthBytes }: { readonly hash: BlobHash; readonly lengthBytes: number },
): Promise<void> {
  try {
    const offsetBytes = await blobs.uploadOffset(id);
    if (offsetBytes !== lengthBytes) {
      throw new CloudFault(
        'UPLOAD_MISMATCH',
        `Cannot finish upload: ${offsetBytes} of ${lengthBytes} bytes are here`,
      );
    }
    await blobs.finishUpload(id, hash);
  } catch (error) {
    if (findFaultCode(error) === 'UPLOAD_MISSING' && (await blobs.has(hash))) return;
    throw translate(error);
  }
}

interface Stored {
  /** Of the image itself. */
  readonly digest: ImageDigest;
  readonly cipher: ImageDigest | undefined;
  readonly sealed: Uint8Array | undefined;
}

/** {uptane B11}: encrypted once, so that every cache can keep the one object. */
async function encrypt(
  { context, blobs, sealer }: UploadParts,
  name: InstallableName,
  hash: BlobHash,
): Promise<Stored> {
  const { entropy } = context;
  const key = generateContentKey(entropy);
  const { body } = await blobs.get(hash);
  const encrypted = encryptImage(body, { key, entropy });
  const id = await blobs.beginUpload();
  await blobs.appendUpload(id, 0, encrypted, 2 * IMAGE_MAX_BYTES);
  const { plaintext, ciphertext } = encrypted.summary();
  await blobs.finishUpload(id, parseBlobHash(ciphertext.sha256));
  const sealed = sealer.seal(name, encodeContentKey(key));
  return { digest: plaintext, cipher: ciphertext, sealed };
}

async function measure(blobs: BlobStore, hash: BlobHash): Promise<ImageDigest> {
  const tap = createHashTap({ sha512: true });
  const { body } = await blobs.get(hash);
  for await (const _ of tapHashes(body, tap));
  return tap.digest();
}

async function saveImage(
  context: CloudContext,
  done: Stored & {
    readonly row: Selectable<UploadRow>;
    readonly announcement: ImageAnnouncement;
  },
): Promise<void> {
  const { row, announcement, digest, cipher, sealed } = done;
  const { name, role, created_by: by } = row;
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const saved = await tx
      .insertInto('image')
      .values({
        name,
        role,
        length_bytes: digest.lengthBytes,
        sha256: digest.sha256,
        sha512: digest.sha512 ?? '',
        hardware_ids: announcement.hardwareIds,
        version: announcement.version,
        release_counter: announcement.releaseCounter,
        cipher_length_bytes: cipher?.lengthBytes ?? null,
        cipher_sha256: cipher?.sha256 ?? null,
        cipher_sha512: cipher?.sha512 ?? null,
        sealed_content_key: sealed ?? null,
        uploaded_by: by,
        created_at: at,
        tenant: row.tenant,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('name')
      .executeTakeFirst();
    if (saved === undefined) throw exists(name);
    await tx.deleteFrom('upload').where('upload_id', '=', row.upload_id).execute();
    const body = {
      name,
      role,
      length: digest.lengthBytes,
      sha256: digest.sha256,
      encrypted: cipher !== undefined,
      by,
    };
    await context.events.append(tx, [
      { stream: fleetStream(row.tenant), kind: 'image.uploaded', at, body },
    ]);
  });
}

/** What was to be secret does not stay in the clear, unless the same bytes are another image's. */
async function removePlain(
  { database }: CloudContext,
  blobs: BlobStore,
  hash: BlobHash,
): Promise<void> {
  const { rows } = await sql`select from image
    where sha256 = ${hash} and cipher_sha256 is null limit 1`.execute(database.kysely);
  if (rows.length === 0) await blobs.delete(hash);
}

async function checkNew({ database }: CloudContext, name: string): Promise<void> {
  const row = await database.kysely
    .selectFrom('image')
    .select('name')
    .where('name', '=', name)
    .executeTakeFirst();
  if (row !== undefined) throw exists(name);
}

function tenantOf({ fleet }: Uploader): string {
  return fleet?.tenant ?? FIRST_TENANT;
}

/** Uploads are their beginner's alone; another's is as if it were not there. */
async function findUpload(
  { context }: UploadParts,
  uploader: Uploader,
  uploadId: string,
): Promise<Selectable<UploadRow>> {
  const row = await context.database.kysely
    .selectFrom('upload')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('created_by', '=', uploader.name)
    .where('tenant', '=', tenantOf(uploader))
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new CloudFault('UPLOAD_MISSING', 'Cannot find upload: it was never begun, or is finished');
}

const detailsSchema = z.object({
  sha256: z.string(),
  hardwareIds: z.array(z.string()),
  version: z.string(),
  releaseCounter: z.int(),
  isEncrypted: z.boolean(),
});

function detailsOf(announcement: ImageAnnouncement): JsonObject {
  return detailsSchema.parse(announcement);
}

function toAnnouncement({
  name,
  role,
  length_bytes: lengthBytes,
  details,
}: Selectable<UploadRow>): ImageAnnouncement {
  return { name, role, lengthBytes, ...detailsSchema.parse(details) };
}

function stateOf(
  row: Pick<Selectable<UploadRow>, 'upload_id' | 'length_bytes'>,
  offsetBytes: number,
): UploadState {
  return { uploadId: row.upload_id, offsetBytes, lengthBytes: row.length_bytes };
}

const TRANSLATIONS: ReadonlyMap<string, 'UPLOAD_MISMATCH' | 'UPLOAD_MISSING'> = new Map([
  ['UPLOAD_OFFSET', 'UPLOAD_MISMATCH'],
  ['BLOB_MISMATCH', 'UPLOAD_MISMATCH'],
  ['BLOB_TOO_LONG', 'UPLOAD_MISMATCH'],
  ['UPLOAD_MISSING', 'UPLOAD_MISSING'],
]);

/** The store's refusals of an upload's bytes, in the words of this package. */
function translate(error: unknown): unknown {
  const code = error instanceof StoreFault ? TRANSLATIONS.get(error.code) : undefined;
  if (code === undefined || !(error instanceof StoreFault)) return error;
  return new CloudFault(code, error.message, { cause: error });
}

const REFUSALS: ReadonlySet<string> = new Set([
  'UPLOAD_FORBIDDEN',
  'UPLOAD_MISMATCH',
  'IMAGE_EXISTS',
]);

async function recordRefusals<Result>(
  context: CloudContext,
  uploader: Uploader,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const code = findFaultCode(error) ?? '';
    if (REFUSALS.has(code)) {
      const body = { code, by: uploader.name };
      const at = context.clock.now();
      const stream = fleetStream(tenantOf(uploader));
      const event = { stream, kind: 'image.refused' as const, at, body };
      await committed(context.database, (tx) => context.events.append(tx, [event]));
    }
    throw error;
  }
}

/**
 * Describes images that were uploaded for a role and are to be signed by it: what `draftTargets` takes.
 *
 * @param names - which; all of the role when left out.
 */
export async function describeUploaded(
  { database }: Pick<CloudContext, 'database'>,
  role: string,
  names?: readonly string[],
): Promise<readonly TargetDescription[]> {
  let query = database.kysely.selectFrom('image').selectAll().where('role', '=', role);
  if (names !== undefined) query = query.where('name', 'in', names);
  return (await query.orderBy('name').execute()).map((row) => describe(row));
}

function describe(row: Selectable<ImageRow>): TargetDescription {
  const { hardware_ids: hardwareIds, release_counter: releaseCounter, version } = row;
  return {
    name: row.name,
    lengthBytes: row.length_bytes,
    hashes: new Map([
      ['sha256', row.sha256],
      ['sha512', row.sha512],
    ]),
    custom: {
      ...row.custom,
      name: row.name,
      version,
      hardwareIds,
      targetFormat: 'BINARY',
      // {uptane B9} {uptane B10}: what both repositories must state alike.
      mustMatch: { releaseCounter, hardwareIds },
    },
  };
}

function exists(name: string): CloudFault {
  return new CloudFault('IMAGE_EXISTS', `Cannot take "${name}": an image of this name is there`);
}

function forbidden(why: string): CloudFault {
  return new CloudFault('UPLOAD_FORBIDDEN', `Cannot take image: ${why}`);
}
