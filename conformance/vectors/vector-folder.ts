/** A vector's step on disk: both repositories as they serve in that step. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Dialect,
  type MetadataFile,
  metadataFileName,
  type RepositoryName,
  type StepPerformer,
  UptaneFault,
  type WorkflowStep,
} from '@immota/uptane';
import { unreachable } from '@immota/base';

const FOLDERS: Readonly<Record<RepositoryName, string>> = {
  director: 'director',
  image: 'image_repo',
};

/** What a client has stored: it outlives the steps of a vector. */
export type TrustStore = Map<string, Uint8Array>;

/** One step of one vector. */
export class StepFolder {
  readonly #folder: string;
  readonly #dialect: Dialect;

  /** Nothing is read before it is asked for. */
  constructor(folder: string, dialect: Dialect) {
    this.#folder = folder;
    this.#dialect = dialect;
  }

  /** Carries out the steps of a verification cycle on this folder and the store. */
  performer(store: TrustStore): StepPerformer {
    // oxlint-disable-next-line require-await -- files are read at once; the port is for networks too
    return async (step) => this.#perform(store, step);
  }

  /**
   * Reads a metadata file.
   *
   * @returns undefined when the repository has none.
   * @throws UptaneFault LIMIT when it is longer than allowed.
   */
  metadata(
    repository: RepositoryName,
    file: MetadataFile,
    lengthMaxBytes: number,
  ): Uint8Array | undefined {
    for (const name of this.#names(file)) {
      const path = join(this.#folder, FOLDERS[repository], name);
      const { bytes, whole } = readUpTo(path, lengthMaxBytes) ?? {};
      if (whole === false) {
        throw new UptaneFault('LIMIT', `Cannot take ${name}: over ${lengthMaxBytes} bytes`);
      }
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  /** Reads an image, one byte beyond its stated length at most: more cannot make it right. */
  image(name: string, lengthBytes: number): Uint8Array | undefined {
    return readUpTo(join(this.#folder, FOLDERS.image, name), lengthBytes + 1)?.bytes;
  }

  /** The folder of vectors never carries versions in names but Root's, whatever Root says. */
  #names(file: MetadataFile): readonly string[] {
    const name = metadataFileName(this.#dialect, file);
    if (file.kind === 'root' || file.kind === 'timestamp') return [name];
    return [name, metadataFileName(this.#dialect, { ...file, version: undefined })];
  }

  #perform(store: TrustStore, step: WorkflowStep): Uint8Array | undefined {
    switch (step.kind) {
      case 'load':
        return store.get(`${step.repository}/${step.role}`);
      case 'fetch':
        return this.metadata(step.repository, step.file, step.lengthMaxBytes);
      case 'save':
        store.set(`${step.repository}/${step.role}`, step.metadata.bytes);
        return undefined;
      case 'drop':
        store.delete(`${step.repository}/${step.role}`);
        return undefined;
      default:
        return unreachable(step);
    }
  }
}

/** Reads a file's first bytes, and tells whether those are all. */
function readUpTo(
  path: string,
  lengthMaxBytes: number,
): { readonly bytes: Uint8Array; readonly whole: boolean } | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    if (fstatSync(file).size <= lengthMaxBytes) return { bytes: readFileSync(file), whole: true };
    const bytes = Buffer.alloc(lengthMaxBytes);
    const length = readSync(file, bytes, 0, lengthMaxBytes, 0);
    return { bytes: bytes.subarray(0, length), whole: false };
  } finally {
    closeSync(file);
  }
}
