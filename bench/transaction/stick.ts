/** Two repositories that sign, and the folders that a vehicle without a network is updated from. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** Longer than any measurement. */
const VALID: Temporal.Duration = Temporal.Duration.from({ hours: 24 });

/** What Targets say besides their version. */
interface TargetsContent {
  readonly files: readonly TargetDescription[];
  readonly vehicleIdentifier?: VehicleIdentifier;
  readonly custom?: JsonObject;
}

/** One repository: a key for its Root, and one for everything below. */
export class Repository {
  readonly #rootSigner = generateSigner('ed25519');
  readonly #signer = generateSigner('ed25519');
  #version = 0;

  /** Signs the Root that a factory pins. */
  async root(): Promise<Uint8Array> {
    const below = roleOf(this.#signer);
    const root = rootPayload(AKTUALIZR, {
      version: 1,
      expires: Temporal.Now.instant().add(VALID),
      consistentSnapshot: false,
      roles: { root: roleOf(this.#rootSigner), timestamp: below, snapshot: below, targets: below },
    });
    return await signMetadata(AKTUALIZR, root, [this.#rootSigner]);
  }

  /** Signs Targets and what leads to them, one version up. @returns files by name. */
  async publish(content: TargetsContent): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#version += 1;
    const version = this.#version;
    const head = { version, expires: Temporal.Now.instant().add(VALID) };
    const sign = async (payload: JsonObject): Promise<Uint8Array> =>
      await signMetadata(AKTUALIZR, payload, [this.#signer]);
    const targets = await sign(targetsPayload(AKTUALIZR, { ...head, ...content }));
    const files = new Map([[TARGETS_ROLE, { version, bytes: targets }]]);
    const snapshot = await sign(snapshotPayload(AKTUALIZR, { ...head, files }));
    const named = { version, bytes: snapshot };
    const timestamp = await sign(timestampPayload(AKTUALIZR, { ...head, snapshot: named }));
    return new Map([
      ['targets.json', targets],
      ['snapshot.json', snapshot],
      ['timestamp.json', timestamp],
    ]);
  }
}

/** Writes files below a folder. */
export function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

function roleOf({ algorithm, publicKeyDer }: Signer): RoleDescription {
  const keyId = keyIdOf(AKTUALIZR, algorithm, publicKeyDer);
  return { keys: [{ keyId, algorithm, publicKeyDer }], threshold: 1 };
}
