/** The cloud's folder: which files there are, and how they are written. */
import { chmod, link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CloudFault } from './fault.ts';

/** Paths inside a data folder. */
export interface DataFolder {
  readonly root: string;
  /** Key files of roles and authorities; in production the offline ones are moved away after `initialise`. */
  readonly keys: string;
  /** The deployment's own secret: what it seals and derives stands and falls with this file. */
  readonly secret: string;
  /** Certificates. */
  readonly pki: string;
  /** The gateway's TLS key, PKCS#8 in PEM. */
  readonly gatewayKey: string;
  /** Of the embedded PostgreSQL server. */
  readonly database: string;
  readonly blobs: string;
}

/** Names the paths inside a data folder. */
export function dataFolder(root: string): DataFolder {
  return {
    root,
    keys: join(root, 'keys'),
    secret: join(root, 'keys', 'deployment.secret'),
    pki: join(root, 'pki'),
    gatewayKey: join(root, 'keys', 'gateway.key.pem'),
    database: join(root, 'database'),
    blobs: join(root, 'blobs'),
  };
}

/** Reads a file. @throws CloudFault DATA_FOLDER when it is missing. */
export async function loadFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CloudFault(
      'DATA_FOLDER',
      `Cannot open data folder: no ${path}; initialise it first`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Writes a file that must not be there yet, whole or not at all, readable by its owner alone.
 *
 * @throws CloudFault DATA_FOLDER when it is there: nobody's secret is overwritten.
 */
export async function saveNewFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const draft = await saveDraft(path, bytes);
  try {
    await link(draft, path);
  } catch (error) {
    throw new CloudFault('DATA_FOLDER', `Cannot write ${path}: it is there already`, {
      cause: error,
    });
  } finally {
    await unlink(draft);
  }
}

/** Replaces a file, whole or not at all. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  await rename(await saveDraft(path, bytes), path);
}

async function saveDraft(path: string, bytes: Uint8Array | string): Promise<string> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  await writeFile(draft, bytes, { mode: 0o600, flush: true, flag: 'wx' });
  await chmod(draft, 0o600);
  return draft;
}
