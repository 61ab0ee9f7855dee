/** Bounds of the device gateway, with their reasons. */

/** ECU registration: 256 ECUs with RSA-4096 or ML-DSA-65 keys in PEM. */
export const REGISTRATION_MAX_BYTES = 1_048_576;
/** `lshw` output: some 7 KB seen; 40 times that. */
export const SYSTEM_INFO_MAX_BYTES = 262_144;
/** A batch of events; the client halves it on 413. */
export const EVENTS_MAX_BYTES = 262_144;
/** Events in one batch. */
export const EVENTS_MAX = 500;
/** A PKCS#10 request or another small body. */
export const SMALL_BODY_MAX_BYTES = 16_384;
/** Answers to POST and PUT that the vehicle's client reads. */
export const ANSWER_MAX_BYTES = 65_536;
