/**
 * A verification cycle as a conversation: the core asks for bytes and says what to keep, the shell
 * does it. So the order of every request and the rules between them stand in one place, whether the
 * other end is HTTPS, a USB stick, the bus inside the vehicle or a folder of test vectors.
 */
import { assert, unreachable } from '@immota/base';
import type { Dialect } from '../encoding/dialect.ts';
import type { RoleName } from '../metadata/names.ts';
import type { RepositoryName } from '../metadata/repository.ts';
import type { Metadata } from '../metadata/roles.ts';
import type { MetadataVersion } from '../metadata/version.ts';
import type { Trusted } from './trusted.ts';

/** A metadata file as a repository serves it. `version` is undefined where the name carries none. */
export type MetadataFile =
  | { readonly kind: 'root'; readonly version: number }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'snapshot'; readonly version: MetadataVersion | undefined }
  | {
      readonly kind: 'targets';
      readonly role: RoleName;
      readonly version: MetadataVersion | undefined;
    };

/** Under which name a client keeps a role's metadata. */
export type StoredRole = 'root' | 'timestamp' | 'snapshot' | RoleName;

/** What a cycle asks of the shell. */
export type WorkflowStep =
  /** Answer with what was saved under the role, or undefined. */
  | { readonly kind: 'load'; readonly repository: RepositoryName; readonly role: StoredRole }
  /** Answer with the file's bytes, undefined when the repository has none; never more than the limit. */
  | {
      readonly kind: 'fetch';
      readonly repository: RepositoryName;
      readonly file: MetadataFile;
      readonly lengthMaxBytes: number;
    }
  /** Keep it, durably, before the next step. Answer with undefined. */
  | {
      readonly kind: 'save';
      readonly repository: RepositoryName;
      readonly role: StoredRole;
      readonly metadata: Trusted<Metadata>;
    }
  /** Forget what was saved under the role. Answer with undefined. */
  | { readonly kind: 'drop'; readonly repository: RepositoryName; readonly role: StoredRole };

/** A cycle that asks for its steps one by one and comes to a `Result`. */
export type Workflow<Result> = Generator<WorkflowStep, Result, Uint8Array | undefined>;

/** Carries out one step. */
export type StepPerformer = (step: WorkflowStep) => Promise<Uint8Array | undefined>;

/**
 * Runs a cycle to its end.
 *
 * @param workflow - fresh; it is used up.
 * @param perform - carries out one step after the other, never two at a time.
 * @returns what the cycle comes to.
 * @throws UptaneFault as the cycle refuses, and whatever `perform` throws.
 */
export async function runWorkflow<Result>(
  workflow: Workflow<Result>,
  perform: StepPerformer,
): Promise<Result> {
  let state = workflow.next();
  while (state.done !== true) {
    let answer: Uint8Array | undefined;
    try {
      // oxlint-disable-next-line no-await-in-loop -- each request depends on the last answer
      answer = await perform(state.value);
    } catch (error) {
      state = workflow.throw(error);
      continue;
    }
    state = workflow.next(answer);
  }
  return state.value;
}

/**
 * Names a metadata file as it lies on a repository {uptane B16}: `VERSION.FILENAME`, Timestamp without
 * version. Delegated names are percent-encoded, so that no name can climb out of the folder {uptane B17}.
 *
 * @returns a relative path.
 */
export function metadataFileName(dialect: Dialect, file: MetadataFile): string {
  switch (file.kind) {
    case 'root':
      return `${file.version}.root.json`;
    case 'timestamp':
      return 'timestamp.json';
    case 'snapshot':
      return `${prefixOf(file.version)}snapshot.json`;
    case 'targets': {
      const folder = file.role === 'targets' ? '' : dialect.delegationFolder;
      return `${folder}${prefixOf(file.version)}${encodeFileName(file.role)}.json`;
    }
    default:
      return unreachable(file);
  }
}

/** Percent-encodes all but letters, digits and `_.-~`, as UTF-8. */
export function encodeFileName(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function prefixOf(version: MetadataVersion | undefined): string {
  assert(version === undefined || version >= 1, 'a version is at least 1');
  return version === undefined ? '' : `${version}.`;
}
