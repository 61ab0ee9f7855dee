/**
 * How healthy a vehicle is by its ECUs' signed reports: trouble codes, resets, self-tests, the 12 V net.
 * ECUs say it in words of their own, so whatever has another shape is as if nothing was said.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';

/** Codes kept of a vehicle; whoever has more is ill enough. */
const CODES_MAX = 64;
const CODE_MAX_CHARACTERS = 32;
/** One reset may be a power cut; two in a row are not. */
const RESETS_TOLERATED = 1;
/** A battery below this does not surely start the vehicle; in millivolts. */
const LOW_VOLTAGE_MV = 11_500;
/** What the same battery shows from day to day without being worse. */
const VOLTAGE_DROP_TOLERATED_MV = 300;

/** What the reports of a vehicle say of its health. */
export interface HealthFacts {
  /** Trouble codes as `ecu:code`, in order. */
  readonly codes: readonly string[];
  /** Those that were there before the last installation, by what the ECUs remember of it. */
  readonly before: readonly string[];
  /** Starts that did not come to an end, of all ECUs. */
  readonly resets: number;
  /** ECUs whose self-test failed, or that fell back to the image before. */
  readonly failing: readonly string[];
  /** The lowest that an ECU says of the 12 V net, in millivolts. */
  readonly lowVoltageMv: number | undefined;
}

/** Reads the health of a vehicle from what each ECU says of itself. */
export function readHealth(
  reports: Iterable<readonly [ecuIdentifier: string, said: JsonObject]>,
): HealthFacts {
  const codes = new Set<string>();
  const before = new Set<string>();
  const failing = new Set<string>();
  let resets = 0;
  let lowVoltageMv: number | undefined;
  for (const [ecu, said] of reports) {
    const boot = objectOf(said['boot']);
    if (boot['health'] === 'fallback') failing.add(ecu);
    // How the last installation began to run, and how the ECU is at present: one says what the other does not.
    for (const health of [
      objectOf(objectOf(said['lastInstallation'])['health']),
      objectOf(said['health']),
    ]) {
      if (health['isSelfTestPassed'] === false) failing.add(ecu);
      resets += countOf(health['resets']);
      addCodes(codes, ecu, health['troubleCodesAfter'] ?? health['troubleCodes']);
      addCodes(before, ecu, health['troubleCodesBefore']);
      const voltage = health['lowVoltageMv'];
      if (typeof voltage === 'number' && Number.isSafeInteger(voltage) && voltage > 0) {
        lowVoltageMv = Math.min(lowVoltageMv ?? voltage, voltage);
      }
    }
  }
  return {
    codes: sorted(codes),
    before: sorted(before),
    resets,
    failing: sorted(failing),
    lowVoltageMv,
  };
}

/**
 * Finds what is worse than it was.
 *
 * @param before - undefined when nothing was known.
 * @returns what was measured; undefined when the vehicle is as healthy as before.
 */
export function findHarm(
  now: HealthFacts,
  before: HealthFacts | undefined,
): JsonObject | undefined {
  const known = new Set([...(before?.codes ?? []), ...now.before]);
  const codes = now.codes.filter((code) => !known.has(code));
  const failing = now.failing.filter((ecu) => before?.failing.includes(ecu) !== true);
  const resets = now.resets - (before?.resets ?? 0);
  const voltage = now.lowVoltageMv;
  const drop = (before?.lowVoltageMv ?? Number.POSITIVE_INFINITY) - (voltage ?? 0);
  const isLow =
    voltage !== undefined && voltage < LOW_VOLTAGE_MV && drop > VOLTAGE_DROP_TOLERATED_MV;
  const harm = {
    ...(codes.length > 0 ? { troubleCodes: codes } : {}),
    ...(failing.length > 0 ? { failing } : {}),
    ...(resets > RESETS_TOLERATED ? { resets } : {}),
    ...(isLow ? { lowVoltageMv: voltage } : {}),
  };
  return Object.keys(harm).length === 0 ? undefined : harm;
}

/** Writes facts as a row keeps them. */
export function encodeHealth({ lowVoltageMv, ...facts }: HealthFacts): JsonObject {
  return lowVoltageMv === undefined ? facts : { ...facts, lowVoltageMv };
}

/** Reads facts that a row kept. */
export function decodeHealth(row: JsonObject | null): HealthFacts | undefined {
  if (row === null) return undefined;
  const { lowVoltageMv } = row;
  return {
    codes: textsOf(row['codes']),
    before: textsOf(row['before']),
    resets: countOf(row['resets']),
    failing: textsOf(row['failing']),
    lowVoltageMv: typeof lowVoltageMv === 'number' ? lowVoltageMv : undefined,
  };
}

function addCodes(into: Set<string>, ecu: string, value: JsonValue | undefined): void {
  for (const code of textsOf(value)) {
    if (into.size < CODES_MAX) into.add(`${ecu}:${code.slice(0, CODE_MAX_CHARACTERS)}`);
  }
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function countOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly JsonValue[]).filter((one) => typeof one === 'string');
}

function sorted(values: ReadonlySet<string>): readonly string[] {
  return [...values].toSorted();
}
