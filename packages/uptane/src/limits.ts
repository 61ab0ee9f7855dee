/** Every bound of the trust core, with its reason. Bytes unless a name says otherwise. */

/** Root: four roles, a few dozen keys. The vehicle dialect's own bound is 64 KiB; RSA and ML-DSA keys need more. */
export const ROOT_MAX_BYTES = 512_000;
/** Timestamp: one entry and its signatures. */
export const TIMESTAMP_MAX_BYTES = 65_536;
/** Snapshot, where Timestamp gives no length: some 20,000 delegated roles. */
export const SNAPSHOT_MAX_BYTES = 2_000_000;
/** Image Targets and delegations: the wire dialect's own bound; 10,000 targets are ordinary and need 5 MB. */
export const TARGETS_MAX_BYTES = 8_388_608;
/** Director Targets: entries for one vehicle; about 100 ECUs in the hybrid profile. */
export const DIRECTOR_TARGETS_MAX_BYTES = 262_144;
/** A vehicle version manifest of 128 ECUs with reports signed in the hybrid profile. */
export const MANIFEST_MAX_BYTES = 2_097_152;
/** Root versions walked in one cycle: a vehicle parked for fifteen years with one rotation a fortnight. */
export const ROOT_ROTATIONS_MAX = 512;
/** Delegated roles visited for one target name: a supplier tree, not a maze. */
export const DELEGATIONS_VISITED_MAX = 32;
/** Depth of a name, an identifier or a path pattern in UTF-16 units. */
export const NAME_MAX_LENGTH = 1024;
/** Identifiers of ECUs (wire dialect: 64), hardware (200) and vehicles (17 for a VIN; 64 for a device id). */
export const ECU_IDENTIFIER_MAX_LENGTH = 64;
/** {@link ECU_IDENTIFIER_MAX_LENGTH} */
export const HARDWARE_IDENTIFIER_MAX_LENGTH = 200;
/** {@link ECU_IDENTIFIER_MAX_LENGTH} */
export const VEHICLE_IDENTIFIER_MAX_LENGTH = 64;
/** Thresholds above this are mistakes: nobody gathers a thousand signers. */
export const THRESHOLD_MAX = 1000;
/** Signatures on one file; each may cost a verification of up to 0.2 ms. */
export const SIGNATURES_MAX = 64;
/** Keys in one Root, patterns, key identifiers or agreeing roles in one delegation. */
export const KEYS_MAX = 1024;
/** Delegations in one file, and their keys: one for each of a maker's suppliers and model lines. */
export const DELEGATIONS_MAX = 16_384;
/** Steps of a succinct delegation: 2^16 bins. */
export const SUCCINCT_BITS_MAX = 32;
/** ECUs in one vehicle: today's most complex cars carry about 150. */
export const ECUS_MAX = 256;
