/** Runs one vector: its steps in order, each a full verification and the download of what it assigns. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkImage,
  decodeRoot,
  HASH_FUNCTIONS,
  limits,
  type MetadataFile,
  type RepositoryName,
  runWorkflow,
  UptaneFault,
  type VerifiedAssignment,
  verifyFully,
} from '@immota/uptane';
import type {
  Expectations,
  RepositoryExpectation,
  StepExpectation,
  VectorExpectation,
} from './expected.ts';
import { findRow, type Seen } from './mapping.ts';
import { StepFolder, type TrustStore } from './vector-folder.ts';

/** How one step ended, and how it had to. */
export interface StepOutcome {
  readonly passed: boolean;
  /** The first error in the order of the protocol; undefined when all must go well. */
  readonly expected: string | undefined;
  /** Undefined when all went well. */
  readonly refusal: (Seen & { readonly message: string }) | undefined;
}

/** How one vector ended. */
export interface VectorOutcome {
  readonly name: string;
  readonly passed: boolean;
  readonly steps: readonly StepOutcome[];
  /** Why it could not be run at all. */
  readonly missing?: string;
}

/** Where the vectors lie, and at which instant the client stands. */
export interface Run {
  readonly folder: string;
  readonly expectations: Expectations;
  readonly now: Temporal.Instant;
}

/** Runs a vector from an empty trust store. It never throws for what the vector holds. */
export async function runVector(run: Run, vector: VectorExpectation): Promise<VectorOutcome> {
  const { name } = vector;
  const store: TrustStore = new Map();
  const steps: StepOutcome[] = [];
  for (const [index, expectation] of vector.steps.entries()) {
    const folder = join(run.folder, name, String(index));
    if (!existsSync(folder)) {
      return { name, passed: false, steps, missing: `there is no folder for step ${index}` };
    }
    const step = new StepFolder(folder, run.expectations.dialect);
    steps.push(judge(expectation, await findRefusal(run, step, store)));
  }
  return { name, passed: steps.every(({ passed }) => passed), steps };
}

/** The first thing that must fail: Director, then Image repository, then the targets of each. */
function firstError(
  step: StepExpectation,
): { readonly err: string; readonly repository: RepositoryName } | undefined {
  const updates = [
    ['director', step.director.update],
    ['image', step.image.update],
  ] as const;
  const targets = [...endings('director', step.director), ...endings('image', step.image)];
  for (const [repository, ending] of [...updates, ...targets]) {
    if (ending.kind === 'error') return { err: ending.err, repository };
  }
  return undefined;
}

function endings(
  repository: RepositoryName,
  { targets }: RepositoryExpectation,
): readonly (readonly [RepositoryName, RepositoryExpectation['update']])[] {
  return [...targets.values()].map((ending) => [repository, ending] as const);
}

function judge(step: StepExpectation, refusal: StepOutcome['refusal']): StepOutcome {
  const error = firstError(step);
  const passed =
    error === undefined || refusal === undefined
      ? error === refusal
      : findRow(error, refusal) !== undefined;
  return { passed, expected: error?.err, refusal };
}

async function findRefusal(
  run: Run,
  step: StepFolder,
  store: TrustStore,
): Promise<StepOutcome['refusal']> {
  try {
    for (const assignment of await verify(run, step, store)) downloadImage(step, assignment);
    return undefined;
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    const { code, repository, role, message } = error;
    return { code, repository, role, message };
  }
}

async function verify(
  { expectations, now }: Run,
  step: StepFolder,
  store: TrustStore,
): Promise<readonly VerifiedAssignment[]> {
  const { dialect, ecuIdentifier, hardwareIdentifier } = expectations;
  const common = { dialect, now, pinnedRoot: undefined };
  const ecu = { hardwareIdentifier, releaseCounter: 0 };
  const verification = {
    director: { ...common, chain: hasFourRoles(step, expectations) ? 'full' : 'targets-only' },
    image: { ...common, chain: 'full' },
    vehicleIdentifier: undefined,
    ecus: new Map([[ecuIdentifier, ecu]]),
    strangers: 'refuse',
    // Some other file is installed: whatever the Director names is new.
    isInstalled: () => false,
  } as const;
  const { assignments } = await runWorkflow(verifyFully(verification), step.performer(store));
  return assignments;
}

/**
 * Tells whether the Director serves all four roles: the client of the vectors knows two. Read without
 * trust, and only to choose the stricter way where there is one.
 */
function hasFourRoles(step: StepFolder, { dialect }: Expectations): boolean {
  const read = (file: MetadataFile): Uint8Array | undefined =>
    step.metadata('director', file, limits.ROOT_MAX_BYTES);
  let newest: Uint8Array | undefined;
  for (let version = 1; version <= limits.ROOT_ROTATIONS_MAX; version += 1) {
    newest = read({ kind: 'root', version }) ?? newest;
    if (newest !== undefined && read({ kind: 'root', version: version + 1 }) === undefined) break;
  }
  const served = [read({ kind: 'timestamp' }), read({ kind: 'snapshot', version: undefined })];
  if (newest === undefined || served.includes(undefined)) return false;
  try {
    const { roles } = decodeRoot(dialect, newest, limits.ROOT_MAX_BYTES).body;
    return roles.has('timestamp') && roles.has('snapshot');
  } catch (error) {
    if (error instanceof UptaneFault) return false;
    throw error;
  }
}

function downloadImage(step: StepFolder, assignment: VerifiedAssignment): void {
  const bytes = step.image(assignment.name, assignment.file.lengthBytes);
  if (bytes === undefined) {
    throw new UptaneFault('IMAGE_LENGTH', `Cannot get "${assignment.name}": it is not there`);
  }
  const hashes = HASH_FUNCTIONS.map(
    (name) => [name, createHash(name).update(bytes).digest('hex')] as const,
  );
  checkImage(assignment, { lengthBytes: bytes.length, hashes: new Map(hashes) });
}
