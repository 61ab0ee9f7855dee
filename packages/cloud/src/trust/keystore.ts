/** Which key signs for which role in this deployment. */
import type { Entropy, SignatureAlgorithm, Signer } from '@immota/base';
import {
  generateSigner,
  type KeyDerivationCost,
  listKeyFiles,
  loadKeyFile,
  parseKeyName,
  saveKeyFile,
  signerOnOtherThreads,
  type SoftwareSigner,
} from '@immota/pki';
import { keyIdOf, type Dialect, type RoleDescription } from '@immota/uptane';
import { CloudFault } from '../fault.ts';

/** Every role of the cloud that signs; `events` signs checkpoints of the event log. */
export const CLOUD_ROLES = [
  'director-root',
  'director-targets',
  'director-snapshot',
  'director-timestamp',
  'director-time',
  'image-root',
  'image-targets',
  'image-snapshot',
  'image-timestamp',
  'events',
] as const;
/** One of them. */
export type CloudRole = (typeof CLOUD_ROLES)[number];

/** The roles whose keys stay offline in production (ADR 4): a running cloud does without them. */
export const OFFLINE_ROLES: ReadonlySet<CloudRole> = new Set<CloudRole>([
  'director-root',
  'image-root',
  'image-targets',
]);

/** What a role is signed with: `hybrid` needs both of two keys. */
export type SigningProfile = 'classic' | 'hybrid';

/** The keys that are here. */
export interface Keystore {
  /** Of a role, in the order of their algorithms; empty when they are elsewhere. */
  signers(role: CloudRole): readonly Signer[];
}

const ALGORITHMS: Readonly<Record<SigningProfile, readonly SignatureAlgorithm[]>> = {
  classic: ['ed25519'],
  hybrid: ['ed25519', 'ml-dsa-65'],
};

/** The floor of what a key file may cost: its passphrase is made by a machine, and drawn from 2^256. */
const MACHINE_COST: KeyDerivationCost = { memoryKib: 19_456, passes: 2, lanes: 1 };

/**
 * Puts a keystore together from signers wherever they live: files, tokens.
 *
 * @param signers - by role; a role that is left out has no key here.
 */
export function createKeystore(signers: ReadonlyMap<CloudRole, readonly Signer[]>): Keystore {
  return { signers: (role) => signers.get(role) ?? [] };
}

/**
 * Makes new keys for roles.
 *
 * @param profile - one key a role, or two.
 * @param roles - all when left out.
 */
export function generateKeys(
  profile: SigningProfile,
  roles: readonly CloudRole[] = CLOUD_ROLES,
): ReadonlyMap<CloudRole, readonly SoftwareSigner[]> {
  return new Map(roles.map((role) => [role, ALGORITHMS[profile].map(generateSigner)]));
}

/** What `saveKeystore` needs. */
export interface KeystoreFiles {
  /** One file a key: `ROLE.ALGORITHM.key.json`. */
  readonly folder: string;
  /** That a machine made: a person's needs `saveKeyFile` and its higher cost. */
  readonly passphrase: string;
  /** Sign on the caller's own thread: for a simulation, whose time would not wait for others. */
  readonly signsHere?: boolean | undefined;
}

/**
 * Writes keys as files.
 *
 * @throws PkiFault KEY_FILE_EXISTS: a key is never replaced.
 */
export function saveKeystore(
  files: KeystoreFiles,
  keys: ReadonlyMap<CloudRole, readonly SoftwareSigner[]>,
  entropy: Entropy,
): void {
  const { folder, passphrase } = files;
  for (const [role, signers] of keys) {
    for (const signer of signers) {
      const name = parseKeyName(`${role}.${signer.algorithm}`);
      saveKeyFile(folder, name, signer, { passphrase, entropy, cost: MACHINE_COST });
    }
  }
}

/**
 * Opens the key files of a folder that belong to roles; others are left alone.
 *
 * @throws PkiFault PASSPHRASE_WRONG, KEY_FILE_TAMPERED, KEY_FILE_PERMISSIONS as `loadKeyFile`.
 */
export function loadKeystore(files: KeystoreFiles): Keystore {
  const { folder, passphrase, signsHere = false } = files;
  const signers = new Map<CloudRole, Signer[]>();
  for (const name of listKeyFiles(folder)) {
    const [stem] = name.split('.', 1);
    const role = CLOUD_ROLES.find((known) => known === stem);
    if (role === undefined) continue;
    const loaded = loadKeyFile(folder, name, passphrase);
    const signer = signsHere ? loaded : signerOnOtherThreads(loaded);
    signers.set(role, [...(signers.get(role) ?? []), signer]);
  }
  return createKeystore(signers);
}

/**
 * Finds the keys that a role is signed with here.
 *
 * @throws CloudFault KEY_MISSING when they are elsewhere.
 */
export function signersOf(keystore: Keystore, role: CloudRole): readonly Signer[] {
  const signers = keystore.signers(role);
  if (signers.length === 0) {
    throw new CloudFault('KEY_MISSING', `Cannot sign for ${role}: its key is not here`);
  }
  return signers;
}

/** Describes a role for Root: its keys, all of which must agree. */
export function describeRole(
  dialect: Dialect,
  keystore: Keystore,
  role: CloudRole,
): RoleDescription {
  const keys = signersOf(keystore, role).map(({ algorithm, publicKeyDer }) => ({
    keyId: keyIdOf(dialect, algorithm, publicKeyDer),
    algorithm,
    publicKeyDer,
  }));
  return { keys, threshold: keys.length };
}
