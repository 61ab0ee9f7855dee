/** The Director's three files for a vehicle {uptane E8}. */
import type { ReasonCode } from '@immota/api';
import type { Entropy, JsonObject, Signer } from '@immota/base';
import {
  parseRecipientPublicKey,
  profileOf,
  type RecipientPublicKey,
  wrapContentKey,
} from '@immota/image';
import {
  AKTUALIZR,
  type EcuIdentifier,
  type InstallableName,
  keyIdOf,
  keysOf,
  limits,
  type Root,
  signMetadata,
  snapshotPayload,
  type TargetDescription,
  type TargetFile,
  TARGETS_ROLE,
  targetsPayload,
  timestampPayload,
} from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import type { Catalogue, StoredImage } from '../image-repository/catalogue.ts';
import {
  encodePath,
  encryptedName,
  ENCRYPTION_METHOD,
  hashedName,
} from '../image-repository/image-name.ts';
import { WRAP_METHODS } from '../inventory/encryption-key.ts';
import type { OfferedImage } from '../inventory/vehicle-record.ts';
import { AKTUALIZR_TARGETS_MAX_BYTES } from '../limits.ts';
import { type Keystore, signersOf } from '../trust/keystore.ts';
import type { EcuInventory, UpdatePlan, VehicleInventory } from './ports.ts';

/** Stands for a campaign where nothing is offered: the vehicles' client reports nothing without one. */
const IDLE_CORRELATION = 'urn:immota:idle';

/** Why a plan cannot be signed. */
export class PlanRefusal extends CloudFault {
  readonly reason: ReasonCode;

  constructor(reason: ReasonCode, message: string) {
    super('PLAN_INVALID', message);
    this.reason = reason;
  }
}

/** The Director's online keys. */
export interface DirectorSigners {
  readonly targets: readonly Signer[];
  readonly snapshot: readonly Signer[];
  readonly timestamp: readonly Signer[];
}

/** What the Director signs with. */
export interface DirectorSigning {
  /** Those that the Root in force names. @throws CloudFault KEY_MISSING. */
  readonly signers: () => DirectorSigners;
  readonly catalogue: Catalogue;
  readonly entropy: Entropy;
  /** Where a CDN serves the tree of `publishTree`; undefined when the gateway serves images itself. */
  readonly cdnBase: string | undefined;
}

/**
 * Chooses the online keys that a Root names: with others the Director would sign what every vehicle refuses.
 *
 * @throws CloudFault KEY_MISSING when a role's threshold cannot be met with the keys that are here.
 */
export function chooseSigners(keystore: Keystore, root: Root): DirectorSigners {
  const choose = (role: 'targets' | 'snapshot' | 'timestamp'): readonly Signer[] => {
    const { keyIds, threshold } = keysOf(root, role);
    const chosen = signersOf(keystore, `director-${role}`).filter(({ algorithm, publicKeyDer }) =>
      keyIds.has(keyIdOf(AKTUALIZR, algorithm, publicKeyDer)),
    );
    if (chosen.length >= threshold) return chosen;
    throw new CloudFault(
      'KEY_MISSING',
      `Cannot sign for vehicles: Root ${root.version} names other keys for ${role}`,
    );
  };
  return {
    targets: choose('targets'),
    snapshot: choose('snapshot'),
    timestamp: choose('timestamp'),
  };
}

/** The three files, and what they assign. */
export interface SignedPlan {
  readonly version: number;
  readonly targets: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly timestamp: Uint8Array;
  readonly expires: Temporal.Instant;
  readonly images: ReadonlyMap<EcuIdentifier, OfferedImage>;
}

/** What is to be signed for whom. */
export interface PlanOrder {
  readonly vehicle: VehicleInventory;
  readonly plan: UpdatePlan | undefined;
  /** Encryption keys of the vehicle's ECUs, as the inventory keeps them. */
  readonly recipients: ReadonlyMap<string, string>;
  /** Of every image the plan names. */
  readonly images: ReadonlyMap<InstallableName, StoredImage>;
  readonly version: number;
  readonly expires: Temporal.Instant;
}

/**
 * Builds and signs Targets, Snapshot and Timestamp for one vehicle.
 *
 * {uptane B8}: they name the vehicle, also and above all when they assign nothing. {uptane B12} {uptane E9}:
 * each entry names its ECUs, each ECU stands in one entry, nothing is delegated.
 *
 * @throws PlanRefusal when the plan contradicts what the images or the ECUs are.
 */
export async function signPlan(signing: DirectorSigning, order: PlanOrder): Promise<SignedPlan> {
  const { vehicle, plan, version, expires } = order;
  const images = resolveImages(signing, order);
  const files = describeFiles(signing, order, images);
  const custom: JsonObject = {
    ...plan?.custom,
    correlationId: plan?.correlationId ?? IDLE_CORRELATION,
  };
  const head = { version, expires };
  const signers = signing.signers();
  const payload = targetsPayload(AKTUALIZR, {
    ...head,
    files,
    custom,
    vehicleIdentifier: vehicle.vehicleId,
  });
  const targets = await signMetadata(AKTUALIZR, payload, signers.targets);
  // The hybrid profile is for our own vehicles, which read more than aktualizr does.
  const isHybrid = signers.targets.some(({ algorithm }) => algorithm === 'ml-dsa-65');
  const lengthMax = isHybrid ? limits.DIRECTOR_TARGETS_MAX_BYTES : AKTUALIZR_TARGETS_MAX_BYTES;
  if (targets.length > lengthMax) {
    throw new PlanRefusal(
      'NO_PATH',
      `Cannot sign plan: ${targets.length} bytes are more than its client reads`,
    );
  }
  const listed = new Map([[TARGETS_ROLE, { version, bytes: targets }]]);
  const snapshot = await signMetadata(
    AKTUALIZR,
    snapshotPayload(AKTUALIZR, { ...head, files: listed }),
    signers.snapshot,
  );
  const timestamp = await signMetadata(
    AKTUALIZR,
    timestampPayload(AKTUALIZR, { ...head, snapshot: { version, bytes: snapshot } }),
    signers.timestamp,
  );
  const offered = new Map(
    [...images].map(([ecu, { name, sha256 }]) => [ecu, { name, sha256 }] as const),
  );
  return { version, targets, snapshot, timestamp, expires, images: offered };
}

interface ResolvedImage extends OfferedImage {
  readonly ecu: EcuInventory;
  readonly signed: TargetFile;
  readonly stored: StoredImage;
}

/** Looks up every image of the plan, and checks that it is signed for its ECU's hardware. */
function resolveImages(
  { catalogue }: DirectorSigning,
  { vehicle, plan, images }: PlanOrder,
): ReadonlyMap<EcuIdentifier, ResolvedImage> {
  const ecus = new Map(vehicle.ecus.map((ecu) => [ecu.ecuIdentifier, ecu]));
  const resolved = new Map<EcuIdentifier, ResolvedImage>();
  for (const [identifier, name] of plan?.images ?? []) {
    const ecu = ecus.get(identifier);
    if (ecu === undefined) {
      throw new PlanRefusal(
        'ECU_MISSING',
        `Cannot sign plan: no ECU "${identifier}" is registered`,
      );
    }
    const signed = catalogue.findSigned(name, ecu.hardwareIdentifier);
    const stored = images.get(name);
    if (signed === undefined || stored === undefined) {
      throw new PlanRefusal('NO_PATH', `Cannot sign plan: "${name}" is not published`);
    }
    // {uptane B10}: the image's own metadata say which hardware it fits.
    if (!signed.hardwareIdentifiers.includes(ecu.hardwareIdentifier)) {
      throw new PlanRefusal(
        'HARDWARE_UNKNOWN',
        `Cannot sign plan: "${name}" does not fit "${ecu.hardwareIdentifier}"`,
      );
    }
    resolved.set(identifier, { name, sha256: stored.sha256, ecu, signed, stored });
  }
  return resolved;
}

function describeFiles(
  signing: DirectorSigning,
  order: PlanOrder,
  images: ReadonlyMap<EcuIdentifier, ResolvedImage>,
): readonly TargetDescription[] {
  const groups = Map.groupBy(images.values(), ({ name }) => name);
  return [...groups].flatMap(([name, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const { signed, stored } = first;
    const { lengthBytes, hashes, mustMatch } = signed;
    const format = signed.custom['targetFormat'];
    const encryption = describeEncryption(signing, order, group);
    const uri = uriOf(signing, stored);
    return [
      {
        name,
        lengthBytes,
        hashes,
        custom: {
          ...order.plan?.imageCustom?.get(name),
          ecuIdentifiers: Object.fromEntries(
            group.map(({ ecu }) => [ecu.ecuIdentifier, { hardwareId: ecu.hardwareIdentifier }]),
          ),
          ...(encryption === undefined ? {} : { encryption }),
          // {uptane B9}: both repositories must state this part alike.
          ...(Object.keys(mustMatch).length === 0 ? {} : { mustMatch }),
          targetFormat: typeof format === 'string' ? format : 'BINARY',
          ...(uri === undefined ? {} : { uri }),
        },
      },
    ];
  });
}

/** {uptane B11}: the encrypted form, and the content key wrapped for each ECU that installs it. */
function describeEncryption(
  { entropy }: DirectorSigning,
  { recipients }: PlanOrder,
  group: readonly ResolvedImage[],
): JsonObject | undefined {
  const [first] = group;
  const encrypted = first?.stored.encrypted;
  if (first === undefined || encrypted === undefined) return undefined;
  const keys = new Map<string, JsonObject>();
  for (const { ecu, stored } of group) {
    const { ecuIdentifier, hardwareIdentifier } = ecu;
    const text = recipients.get(ecuIdentifier);
    if (text === undefined) {
      throw new PlanRefusal(
        'ENCRYPTION_KEY_MISSING',
        `Cannot sign plan: "${ecuIdentifier}" has no encryption key`,
      );
    }
    const recipient: RecipientPublicKey = parseRecipientPublicKey(text);
    const context = { ecuIdentifier, hardwareIdentifier, imageSha256: stored.sha256 };
    const wrapped = wrapContentKey(recipient, encrypted.contentKey, context, entropy);
    const method = WRAP_METHODS[profileOf(recipient)];
    keys.set(ecuIdentifier, { method, value: wrapped.toBase64() });
  }
  return {
    filename: encryptedName(first.name),
    hashes: Object.fromEntries(encrypted.hashes),
    keys: Object.fromEntries(keys),
    length: encrypted.lengthBytes,
    method: ENCRYPTION_METHOD,
  };
}

function uriOf({ cdnBase }: DirectorSigning, stored: StoredImage): string | undefined {
  if (cdnBase === undefined) return undefined;
  const { name, sha256, encrypted } = stored;
  const served = encrypted === undefined ? name : encryptedName(name);
  const digest = encrypted === undefined ? sha256 : (encrypted.hashes.get('sha256') ?? '');
  return `${cdnBase}/repo/targets/${encodePath(hashedName(served, digest))}`;
}
