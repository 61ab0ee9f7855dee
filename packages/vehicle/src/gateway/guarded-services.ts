/**
 * Services of UDS (ISO 14229-1) by which software, data or the conduct of an ECU can be altered. They are
 * never open to whoever plugs something in.
 */
/** From the first to the last, both within. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** A service, and what of it. */
export interface ServiceRule {
  readonly service: number;
  /** Without the bit that suppresses answers; all of them when left out. */
  readonly subFunctions?: readonly number[] | undefined;
  /** Data or routine identifiers; all of them when left out. */
  readonly identifiers?: readonly Range[] | undefined;
}

const SESSION_CONTROL = 0x10;
const ROUTINE_CONTROL = 0x31;

/** Sessions that alter nothing: default and extended. */
const HARMLESS_SESSIONS: ReadonlySet<number> = new Set([0x01, 0x03]);

const GUARDED_SERVICES: ReadonlySet<number> = new Set([
  // Reset.
  0x11,
  // Memory by address, which may hold keys.
  0x23,
  // Security access.
  0x27,
  // Communication control: silences ECUs.
  0x28,
  // Identifiers that are put together from any memory.
  0x2c, 0x2e,
  // Actuators.
  0x2f,
  // Download, upload, transfer, its end, files.
  0x34, 0x35, 0x36, 0x37, 0x38, 0x3d,
  // Timing.
  0x83,
  // Secured data: what it holds cannot be seen.
  0x84, 0x85,
  // The bus's own speed.
  0x87,
]);

/** Routines that prepare or end programming: erase, dependencies, and whatever ISO reserves beside. */
const GUARDED_ROUTINES: readonly Range[] = [
  { first: 0xff00, last: 0xffff },
  // Check memory, as workshops' tools number it (HIS).
  { first: 0x0202, last: 0x0202 },
];

/** Tells whether a rule reaches a service that is guarded. */
export function isGuarded({ service, subFunctions, identifiers }: ServiceRule): boolean {
  if (service === SESSION_CONTROL) {
    return subFunctions === undefined || subFunctions.some((one) => !HARMLESS_SESSIONS.has(one));
  }
  if (service === ROUTINE_CONTROL) {
    return (
      identifiers === undefined ||
      identifiers.some(({ first, last }) =>
        GUARDED_ROUTINES.some((guarded) => first <= guarded.last && last >= guarded.first),
      )
    );
  }
  return GUARDED_SERVICES.has(service);
}
