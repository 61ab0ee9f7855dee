/** The four kinds of metadata, once decoded. One model for both dialects. */
import type { JsonObject } from '@immota/base';
import type { Hashes, Measurement } from './hashes.ts';
import type { PublicKey, Signature } from './key.ts';
import type {
  EcuIdentifier,
  HardwareIdentifier,
  KeyId,
  RoleName,
  TargetName,
  VehicleIdentifier,
} from './names.ts';
import type { TopLevelRole } from './repository.ts';
import type { MetadataVersion } from './version.ts';

/** The keys that speak for a role, and how many of them must agree {uptane B6}. */
export interface RoleKeys {
  readonly keyIds: ReadonlySet<KeyId>;
  readonly threshold: number;
}

/** Root: which keys speak for each role of one repository {uptane B5}. */
export interface Root {
  readonly kind: 'root';
  readonly version: MetadataVersion;
  readonly expires: Temporal.Instant;
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  /** The roles of the repository; `time` is the time source's, in the Director's Root {uptane G1}. */
  readonly roles: ReadonlyMap<TopLevelRole | 'time', RoleKeys>;
}

/** What Timestamp and Snapshot say of another metadata file. */
export interface MetadataFileInfo {
  readonly version: MetadataVersion;
  readonly lengthBytes: number | undefined;
  /** Undefined when only the version is promised. */
  readonly hashes: Hashes | undefined;
}

/** Timestamp: the Snapshot in force {uptane B14}. */
export interface Timestamp {
  readonly kind: 'timestamp';
  readonly version: MetadataVersion;
  readonly expires: Temporal.Instant;
  readonly snapshot: MetadataFileInfo;
}

/** Snapshot: the version of every Targets file {uptane B13}. */
export interface Snapshot {
  readonly kind: 'snapshot';
  readonly version: MetadataVersion;
  readonly expires: Temporal.Instant;
  readonly files: ReadonlyMap<RoleName, MetadataFileInfo>;
}

/** How the content key of an encrypted image reaches one ECU {uptane B11}. */
export interface WrappedKey {
  /** `hpke-x25519` or `hpke-xwing`; other methods are for other ECUs to understand. */
  readonly method: string;
  readonly value: Uint8Array;
}

/** What the Director says of one ECU that is to install an image {uptane B12}. */
export interface EcuAssignment {
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly wrappedKey: WrappedKey | undefined;
}

/** The encrypted form of an image {uptane B11}. */
export interface EncryptedForm extends Measurement {
  readonly name: TargetName;
  readonly method: string;
}

/** One image in a Targets file {uptane B7}. */
export interface TargetFile extends Measurement {
  /** In the Director's Targets: who installs it. Empty in the Image repository's. */
  readonly ecus: ReadonlyMap<EcuIdentifier, EcuAssignment>;
  /** In the Image repository's Targets: the hardware it fits {uptane B10}. */
  readonly hardwareIdentifiers: readonly HardwareIdentifier[];
  /** Goes up with each release of an image line and never down {uptane B10}. */
  readonly releaseCounter: number | undefined;
  /** The demarcated part that both repositories must state alike {uptane B9}. */
  readonly mustMatch: JsonObject;
  /** Where the bytes are, if not under the repository's own path. */
  readonly uri: string | undefined;
  readonly encrypted: EncryptedForm | undefined;
  /** The whole custom object as found. */
  readonly custom: JsonObject;
}

/** One role among those that a delegation asks. */
export interface DelegatedRole extends RoleKeys {
  readonly name: RoleName;
}

/** Which target names a delegation covers. */
export type DelegatedNames =
  | { readonly kind: 'paths'; readonly patterns: readonly string[] }
  | { readonly kind: 'hash-prefixes'; readonly prefixes: readonly string[] }
  | { readonly kind: 'succinct'; readonly bitLength: number; readonly namePrefix: string };

/** One delegation, in its place of priority {uptane C5} {uptane C10}. */
export interface Delegation {
  readonly names: DelegatedNames;
  /** Undefined when the delegation covers every hardware. */
  readonly hardwareIdentifiers: ReadonlySet<HardwareIdentifier> | undefined;
  readonly terminating: boolean;
  /** One role, or several that must agree {uptane C8}. For `succinct` the names are derived. */
  readonly roles: readonly DelegatedRole[];
  /** How many of `roles` must state the same. */
  readonly agreeing: number;
}

/** The delegations of one Targets file, in order of priority. */
export interface Delegations {
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly entries: readonly Delegation[];
}

/** The images of a Targets file by name, in the order of the file. */
export interface TargetFiles extends Iterable<readonly [TargetName, TargetFile]> {
  readonly size: number;
  get(name: TargetName): TargetFile | undefined;
}

/** Targets: images, and who else may sign some {uptane C2}. */
export interface Targets {
  readonly kind: 'targets';
  readonly version: MetadataVersion;
  readonly expires: Temporal.Instant;
  readonly files: TargetFiles;
  readonly delegations: Delegations | undefined;
  /** In the Director's Targets: whose they are {uptane B8}. */
  readonly vehicleIdentifier: VehicleIdentifier | undefined;
  readonly custom: JsonObject;
}

/** The signed part of any metadata file. */
export type Metadata = Root | Timestamp | Snapshot | Targets;

/** A metadata file: decoded, its signatures not yet checked. */
export interface Signed<Body extends Metadata> {
  readonly body: Body;
  /** The canonical bytes that were signed. */
  readonly payload: Uint8Array;
  readonly signatures: readonly Signature[];
  /** The file, byte for byte. */
  readonly bytes: Uint8Array;
  /** The bytes whose hash other metadata names: the file, or its canonical form. */
  digestInput(): Uint8Array;
  /** Whether a stated length is the file's own, or only a cap on it. */
  readonly lengthIsExact: boolean;
}
