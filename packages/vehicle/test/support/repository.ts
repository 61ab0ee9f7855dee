/** Repositories that are right until a test breaks one part of them. */
import type { JsonObject, Signer } from '@immota/base';
import { generateSigner } from '@immota/pki';
import {
  AKTUALIZR,
  keyIdOf,
  type RoleDescription,
  rootPayload,
  signMetadata,
  snapshotPayload,
  TARGETS_ROLE,
  type TargetDescription,
  targetsPayload,
  timestampPayload,
  type VehicleIdentifier,
} from '@immota/uptane';
import { NOW } from './surroundings.ts';

const ROLES = ['root', 'timestamp', 'snapshot', 'targets', 'time'] as const;
type KeyedRole = (typeof ROLES)[number];

/** What top-level Targets say. */
export interface TargetsContent {
  readonly files: readonly TargetDescription[];
  readonly vehicleIdentifier?: VehicleIdentifier | undefined;
  readonly custom?: JsonObject | undefined;
}

/** One repository with its keys, versions and files by name. */
export class TestRepository {
  readonly files = new Map<string, Uint8Array>();
  readonly signers: Record<KeyedRole, Signer>;
  version = 0;
  rootVersion = 0;
  expires: Temporal.Instant = NOW.add({ hours: 24 * 30 });

  constructor() {
    this.signers = {
      root: generateSigner('ed25519'),
      timestamp: generateSigner('ed25519'),
      snapshot: generateSigner('ed25519'),
      targets: generateSigner('ed25519'),
      time: generateSigner('ed25519'),
    };
  }

  get pinnedRoot(): Uint8Array {
    return this.files.get('1.root.json') ?? new Uint8Array();
  }

  /** Writes the next Root; with other keys for some roles if so told. */
  async rotate(changed: Partial<Record<KeyedRole, Signer>> = {}): Promise<void> {
    const { root: oldRoot } = this.signers;
    Object.assign(this.signers, changed);
    this.rootVersion += 1;
    const describe = (role: KeyedRole): RoleDescription => roleDescription([this.signers[role]]);
    const payload = rootPayload(AKTUALIZR, {
      version: this.rootVersion,
      expires: NOW.add({ hours: 24 * 365 }),
      consistentSnapshot: false,
      roles: {
        root: describe('root'),
        timestamp: describe('timestamp'),
        snapshot: describe('snapshot'),
        targets: describe('targets'),
      },
      time: describe('time'),
    });
    const signers = new Set([oldRoot, this.signers.root]);
    const bytes = await signMetadata(AKTUALIZR, payload, [...signers]);
    this.files.set(`${this.rootVersion}.root.json`, bytes);
  }

  /** Signs new Targets, Snapshot and Timestamp. */
  async publish(content: TargetsContent): Promise<void> {
    if (this.rootVersion === 0) await this.rotate();
    this.version += 1;
    const { version, expires } = this;
    const head = { version, expires };
    const targets = await this.#sign('targets', targetsPayload(AKTUALIZR, { ...head, ...content }));
    const listed = new Map([[TARGETS_ROLE, { version, bytes: targets }]]);
    const snapshot = await this.#sign(
      'snapshot',
      snapshotPayload(AKTUALIZR, { ...head, files: listed }),
    );
    const timestamp = await this.#sign(
      'timestamp',
      timestampPayload(AKTUALIZR, { ...head, snapshot: { version, bytes: snapshot } }),
    );
    this.files.set('targets.json', targets);
    this.files.set('snapshot.json', snapshot);
    this.files.set('timestamp.json', timestamp);
  }

  /** Keeps all files as they are now, to be replayed later. */
  photograph(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.files);
  }

  async #sign(role: KeyedRole, payload: JsonObject): Promise<Uint8Array<ArrayBuffer>> {
    return await signMetadata(AKTUALIZR, payload, [this.signers[role]]);
  }
}

function roleDescription(signers: readonly Signer[]): RoleDescription {
  return {
    keys: signers.map(({ algorithm, publicKeyDer }) => ({
      keyId: keyIdOf(AKTUALIZR, algorithm, publicKeyDer),
      algorithm,
      publicKeyDer,
    })),
    threshold: signers.length,
  };
}
