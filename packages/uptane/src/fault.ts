import { Fault } from '@immota/base';
import type { RepositoryName } from './metadata/repository.ts';

/** Why the trust core refused {uptane L5}: each code names the attack that its check defends against. */
export type UptaneFaultCode =
  /** Not of the shape the dialect demands: parser confusion. */
  | 'MALFORMED'
  /** Metadata of one role offered as another: mix-up of roles. */
  | 'ROLE_TYPE'
  /** A threshold below 1 or beyond reason: signature checks switched off. */
  | 'THRESHOLD_INVALID'
  /** Fewer unique keys signed than the role's threshold: arbitrary software. */
  | 'SIGNATURE_THRESHOLD'
  /** One key listed twice among the signatures: threshold stuffing. */
  | 'SIGNATURE_DUPLICATE'
  /** The delegating metadata names no keys for the role: arbitrary software. */
  | 'ROLE_UNKNOWN'
  /** A Root that is not the very next version: skipped or repeated rotation. */
  | 'ROOT_VERSION'
  /** A version below a trusted one: rollback. */
  | 'ROLLBACK'
  /** Snapshot dropped a Targets file it once listed: rollback by omission. */
  | 'SNAPSHOT_FILE_MISSING'
  /** A version other than the one Timestamp or Snapshot names: mix-and-match. */
  | 'VERSION_MISMATCH'
  /** Bytes whose hash or length is not the one that trusted metadata names: mix-and-match. */
  | 'METADATA_HASH'
  /** Metadata that has run out at the attested time: freeze. */
  | 'EXPIRED'
  /** A file that the repository must serve is not there: freeze, or an incomplete mirror. */
  | 'METADATA_MISSING'
  /** A delegated role that the search needs is not there: freeze of a supplier. */
  | 'DELEGATION_MISSING'
  /** The Director delegates, which it must not: arbitrary software by proxy. */
  | 'DIRECTOR_DELEGATION'
  /** One ECU named in two entries of the Director's Targets: mixed bundle. */
  | 'ECU_DUPLICATE'
  /** The Director names an ECU that this vehicle has not: misdirected software. */
  | 'ECU_UNKNOWN'
  /** An image for other hardware: wrong-hardware installation. */
  | 'HARDWARE_MISMATCH'
  /** Director and Image repository disagree on an image: compromise of one repository. */
  | 'TARGET_MISMATCH'
  /** The Image repository does not know an image the Director assigned: Director compromise. */
  | 'TARGET_UNKNOWN'
  /** A release counter below the installed one: rollback of an image by a compromised Director. */
  | 'RELEASE_COUNTER'
  /** Director metadata for another vehicle, or for none: replay between vehicles. */
  | 'VEHICLE_MISMATCH'
  /** Downloaded bytes with another hash than verified metadata names: arbitrary software. */
  | 'IMAGE_HASH'
  /** More or fewer bytes than verified metadata names: endless data, truncation. */
  | 'IMAGE_LENGTH'
  /** A search, a chain or a list longer than its limit: exhaustion. */
  | 'LIMIT'
  /** A manifest or report whose signature its registered key does not verify: forged report. */
  | 'REPORT_SIGNATURE'
  /** A report counter or nonce seen before: replayed report. */
  | 'REPORT_REPLAY'
  /** A time attestation that is forged, for another request, or behind the last one: clock attack. */
  | 'TIME_ATTESTATION';

/** Where in the metadata a refusal arose. */
export interface UptaneFaultSite {
  readonly repository?: RepositoryName | undefined;
  /** `root`, `timestamp`, `snapshot`, `targets` or the name of a delegated role. */
  readonly role?: string | undefined;
  readonly cause?: unknown;
}

/** Thrown by every check of the trust core. */
export class UptaneFault extends Fault<UptaneFaultCode> {
  override readonly name = 'UptaneFault';
  readonly role: string | undefined;
  readonly repository: RepositoryName | undefined;

  constructor(code: UptaneFaultCode, message: string, site: UptaneFaultSite = {}) {
    super(code, message, site.cause === undefined ? undefined : { cause: site.cause });
    this.role = site.role;
    this.repository = site.repository;
  }

  /**
   * Says where the refusal arose, keeping what is known already: the innermost place wins.
   *
   * @returns a fault of the same code.
   */
  located(site: UptaneFaultSite): UptaneFault {
    return new UptaneFault(this.code, this.message, {
      role: this.role ?? site.role,
      repository: this.repository ?? site.repository,
      cause: this.cause ?? this,
    });
  }
}
