/**
 * A right pair of repositories for one vehicle, and a client that runs cycles against them with a
 * store of its own. A test takes one, breaks one part and looks at the code of the refusal.
 */
import { createHash } from 'node:crypto';
import { findFaultCode, type JsonObject, utf8 } from '@immota/base';
import {
  AKTUALIZR,
  type Dialect,
  type EcuIdentifier,
  type EcuState,
  type FullVerification,
  metadataFileName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
  type PartialVerification,
  type RepositoryName,
  type RepositoryOptions,
  RepositorySession,
  type RepositoryTrust,
  runWorkflow,
  type TargetDescription,
  TUF,
  UptaneFault,
  verifyFully,
  verifyPartially,
  type VerifiedAssignment,
  type VerifiedUpdate,
  type Workflow,
  type WorkflowStep,
} from '@immota/uptane';
import { type Profile, TestRepository } from './repository.ts';

export const NOW: Temporal.Instant = Temporal.Instant.from('2026-11-22T09:00:00Z');
export const VEHICLE = parseVehicleIdentifier('WVWZZZ1JZ3W386752');
export const TBOX = parseEcuIdentifier('TBOX-0001');
export const BRAKE = parseEcuIdentifier('BRAKE-0001');
export const TBOX_HARDWARE = parseHardwareIdentifier('tbox-hw');
export const BRAKE_HARDWARE = parseHardwareIdentifier('brake-hw');
export const TBOX_IMAGE = 'tbox/fw-2.bin';
export const BRAKE_IMAGE = 'brake/fw-2.bin';

/** Both dialects, for tests that hold in either. */
export const DIALECTS: readonly Dialect[] = [AKTUALIZR, TUF];

/** Length and digests of an image's bytes. */
export function measure(bytes: Uint8Array): Pick<TargetDescription, 'lengthBytes' | 'hashes'> {
  return {
    lengthBytes: bytes.length,
    hashes: new Map([
      ['sha256', createHash('sha256').update(bytes).digest('hex')],
      ['sha512', createHash('sha512').update(bytes).digest('hex')],
    ]),
  };
}

/** The Director's entry of an image for ECUs. */
export function directorFile(
  name: string,
  ecus: Readonly<Record<string, string>>,
  custom: JsonObject = {},
): TargetDescription {
  const ecuIdentifiers = Object.fromEntries(
    Object.entries(ecus).map(([ecu, hardwareId]) => [ecu, { hardwareId }]),
  );
  const mustMatch = { releaseCounter: 2 };
  return { name, ...measure(utf8(name)), custom: { ecuIdentifiers, mustMatch, ...custom } };
}

/** The Image repository's entry of an image. */
export function imageFile(
  name: string,
  hardwareIds: readonly string[],
  custom: JsonObject = {},
): TargetDescription {
  const mustMatch = { releaseCounter: 2 };
  return { name, ...measure(utf8(name)), custom: { hardwareIds, mustMatch, ...custom } };
}

/** What a test may choose of a world. */
export interface WorldSetup {
  readonly dialect?: Dialect;
  readonly profile?: Profile;
  readonly consistentSnapshot?: boolean;
}

/** A vehicle of two ECUs and its repositories; the brake's image stands behind a delegation. */
export class World {
  readonly dialect: Dialect;
  readonly director: TestRepository;
  readonly image: TestRepository;
  readonly client = new TestClient();
  readonly ecus = new Map<EcuIdentifier, EcuState>([
    [TBOX, { hardwareIdentifier: TBOX_HARDWARE, releaseCounter: 1 }],
    [BRAKE, { hardwareIdentifier: BRAKE_HARDWARE, releaseCounter: 1 }],
  ]);
  readonly pinned = new Map<RepositoryName, Uint8Array>();
  readonly installed = new Set<string>();
  now = NOW;

  /** Lays both out; nothing is served yet. */
  constructor({ dialect = AKTUALIZR, profile = 'classic', ...setup }: WorldSetup) {
    const { consistentSnapshot = true } = setup;
    this.dialect = dialect;
    this.director = new TestRepository({ name: 'director', dialect, profile, consistentSnapshot });
    this.image = new TestRepository({ name: 'image', dialect, profile, consistentSnapshot });
    this.director.top.vehicleIdentifier = VEHICLE;
    this.director.top.files.push(
      directorFile(TBOX_IMAGE, { [TBOX]: TBOX_HARDWARE }),
      directorFile(BRAKE_IMAGE, { [BRAKE]: BRAKE_HARDWARE }),
    );
    this.image.top.files.push(imageFile(TBOX_IMAGE, [TBOX_HARDWARE]));
    this.image
      .delegate('brakes', ['brake/*'], { hardwareIdentifiers: [BRAKE_HARDWARE] })
      .files.push(imageFile(BRAKE_IMAGE, [BRAKE_HARDWARE]));
  }

  /** What a full verification is given. */
  full(changes: Partial<FullVerification> = {}): FullVerification {
    return {
      director: this.#options('director'),
      image: this.#options('image'),
      vehicleIdentifier: VEHICLE,
      ecus: this.ecus,
      strangers: 'refuse',
      isInstalled: ({ name }) => this.installed.has(name),
      ...changes,
    };
  }

  /** What the brake's partial verification is given. */
  partial(changes: Partial<PartialVerification> = {}): PartialVerification {
    const { chain: _, ...director } = this.#options('director');
    const ecu = { hardwareIdentifier: BRAKE_HARDWARE, releaseCounter: 1 };
    return { director, vehicleIdentifier: VEHICLE, ecuIdentifier: BRAKE, ecu, ...changes };
  }

  /** Runs a full verification as the Primary. */
  async verifyFully(changes: Partial<FullVerification> = {}): Promise<VerifiedUpdate> {
    return await this.run(verifyFully(this.full(changes)));
  }

  /** Runs a partial verification as the brake. */
  async verifyPartially(
    changes: Partial<PartialVerification> = {},
  ): Promise<VerifiedAssignment | undefined> {
    return await this.run(verifyPartially(this.partial(changes)));
  }

  /** Runs any cycle against what the two repositories serve now. */
  async run<Result>(workflow: Workflow<Result>): Promise<Result> {
    return await this.client.run(workflow, this);
  }

  #options(repository: RepositoryName): FullVerification['director'] {
    const { dialect, now } = this;
    return { dialect, now, pinnedRoot: this.pinned.get(repository), chain: 'full' };
  }
}

/** Makes a world and serves it. */
export async function makeWorld(setup: WorldSetup = {}): Promise<World> {
  const world = new World(setup);
  for (const repository of [world.director, world.image]) {
    const root = await repository.publishRoot();
    await repository.publishBelowRoot();
    world.pinned.set(repository.setup.name as RepositoryName, root);
  }
  return world;
}

/** A shell in memory: a store, and a list of what was asked of it. */
export class TestClient {
  /** By `repository/role`. */
  readonly store = new Map<string, Uint8Array>();
  readonly steps: WorkflowStep[] = [];

  /** Runs a cycle to its end; `steps` then lists this cycle's. */
  async run<Result>(
    workflow: Workflow<Result>,
    repositories: Pick<World, 'dialect' | 'director' | 'image'>,
  ): Promise<Result> {
    this.steps.length = 0;
    // oxlint-disable-next-line require-await -- memory answers at once, the port is asynchronous
    return await runWorkflow(workflow, async (step) => {
      this.steps.push(step);
      const { served } = repositories[step.repository];
      switch (step.kind) {
        case 'load':
          return this.store.get(`${step.repository}/${step.role}`);
        case 'fetch':
          return served.get(metadataFileName(repositories.dialect, step.file));
        case 'save':
          this.store.set(`${step.repository}/${step.role}`, step.metadata.bytes);
          return undefined;
        case 'drop':
          this.store.delete(`${step.repository}/${step.role}`);
          return undefined;
      }
    });
  }

  /** The files asked for in the last cycle, as `repository/name`. */
  fetched(dialect: Dialect): readonly string[] {
    return this.steps.flatMap((step) =>
      step.kind === 'fetch' ? [`${step.repository}/${metadataFileName(dialect, step.file)}`] : [],
    );
  }

  /** What the last cycle kept, as `repository/role`. */
  saved(): readonly string[] {
    return this.steps.flatMap((step) =>
      step.kind === 'save' ? [`${step.repository}/${step.role}`] : [],
    );
  }
}

/** How a cycle ended: its refusal's code and place, or undefined when it succeeded. */
export interface Refusal {
  readonly code: string;
  readonly repository: string | undefined;
  readonly role: string | undefined;
}

/** Awaits a cycle and tells how it refused; undefined when it did not. */
export async function refusalOf(cycle: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await cycle;
    return undefined;
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    return { code: error.code, repository: error.repository, role: error.role };
  }
}

/** Runs a step and gives the code it refused with; undefined when it did not. */
export function codeOf(step: () => unknown): string | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Runs a cycle over the Image repository alone. */
export async function refreshImage(
  world: World,
  changes: Partial<RepositoryOptions> = {},
): Promise<RepositoryTrust> {
  const { image } = world.full();
  return await world.run(
    new RepositorySession({ ...image, repository: 'image', ...changes }).refresh(),
  );
}

/** How a refusal looks that arose in the Image repository. */
export function inImage(code: string, role: string): Refusal {
  return { code, repository: 'image', role };
}

/** How a refusal looks that arose in the Director repository. */
export function inDirector(code: string, role: string): Refusal {
  return { code, repository: 'director', role };
}
