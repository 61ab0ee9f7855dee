/** Trusted metadata, by repository and role. Nothing else can be saved: `Trusted` is a type (ADR 3). */
import { unreachable } from '@immota/base';
import type { Metadata, RepositoryName, StoredRole, Trusted, WorkflowStep } from '@immota/uptane';
import { ROOTS_KEPT_MAX } from './limits.ts';
import { blobOf, type StateDatabase } from './state-database.ts';

/** A role's file as it was saved. Whoever reads it verifies it again. */
export interface StoredMetadata {
  readonly role: string;
  readonly bytes: Uint8Array;
}

/** The metadata of both repositories. */
export class MetadataTable {
  readonly #database: StateDatabase;

  /** Part of a `VehicleState`. */
  constructor(database: StateDatabase) {
    this.#database = database;
  }

  /** Finds what was saved under a role. It was trusted then; check it again. */
  load(repository: RepositoryName, role: StoredRole): Uint8Array | undefined {
    const statement = this.#database.prepare(
      'select bytes from metadata where repository = ? and role = ?',
    );
    return blobOf(statement.get(repository, role));
  }

  /**
   * Keeps a role's metadata; what was there before is gone. A Root is also kept under its version,
   * for Secondaries that have to walk the same chain {uptane I6}.
   */
  save(repository: RepositoryName, role: StoredRole, metadata: Trusted<Metadata>): void {
    const { bytes, body } = metadata;
    this.#database.write(() => {
      this.#database
        .prepare('insert or replace into metadata (repository, role, bytes) values (?, ?, ?)')
        .run(repository, role, bytes);
      if (body.kind !== 'root') return;
      this.#database
        .prepare('insert or replace into root_file (repository, version, bytes) values (?, ?, ?)')
        .run(repository, body.version, bytes);
      this.#database
        .prepare('delete from root_file where repository = ? and version <= ?')
        .run(repository, body.version - ROOTS_KEPT_MAX);
    });
  }

  /** Forgets a role. */
  drop(repository: RepositoryName, role: StoredRole): void {
    this.#database.write(() =>
      this.#database
        .prepare('delete from metadata where repository = ? and role = ?')
        .run(repository, role),
    );
  }

  /** Lists all roles of a repository. */
  list(repository: RepositoryName): readonly StoredMetadata[] {
    const statement = this.#database.prepare(
      'select role, bytes from metadata where repository = ? order by role',
    );
    return statement.all(repository).flatMap((row) => {
      const bytes = blobOf(row);
      return bytes === undefined ? [] : [{ role: String(row['role']), bytes }];
    });
  }

  /** Lists the Roots of a repository by their versions, oldest first. */
  listRoots(repository: RepositoryName): ReadonlyMap<number, Uint8Array> {
    const statement = this.#database.prepare(
      'select version, bytes from root_file where repository = ? order by version',
    );
    const roots = new Map<number, Uint8Array>();
    for (const row of statement.all(repository)) {
      const bytes = blobOf(row);
      if (bytes !== undefined) roots.set(Number(row['version']), bytes);
    }
    return roots;
  }

  /**
   * Carries out the steps of a verification cycle that concern the store.
   *
   * @param step - `load`, `save` or `drop`.
   * @returns the bytes of a `load`.
   */
  perform(step: Exclude<WorkflowStep, { readonly kind: 'fetch' }>): Uint8Array | undefined {
    switch (step.kind) {
      case 'load':
        return this.load(step.repository, step.role);
      case 'save':
        this.save(step.repository, step.role, step.metadata);
        return undefined;
      case 'drop':
        this.drop(step.repository, step.role);
        return undefined;
      default:
        return unreachable(step);
    }
  }
}
