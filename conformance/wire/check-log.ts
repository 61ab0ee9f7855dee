/**
 * Recorded requests of the vehicles' own client: reads each ECU registration and each manifest as
 * the cloud does, and verifies every signature with the keys that were registered before it.
 */
import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  member,
  parseJson,
  utf8,
} from '@immota/base';
import {
  AKTUALIZR,
  decodeManifest,
  ecuKeyId,
  type EcuIdentifier,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  type PublicKey,
  UptaneFault,
  type VehicleKeys,
  verifyManifest,
} from '@immota/uptane';
import { WireFault } from './fault.ts';

/** A day of one vehicle's requests. */
const LOG_MAX_BYTES = 67_108_864;

/** What became of one recorded request. */
export interface RequestOutcome {
  /** The file and the line, from 1. */
  readonly where: string;
  readonly kind: 'registration' | 'manifest';
  /** How many keys were read, or signatures verified. */
  readonly count: number;
  /** Why it is not as it must be; undefined when it is. */
  readonly refusal: string | undefined;
}

/**
 * Checks every log of a folder.
 *
 * @throws WireFault NOT_FOUND when there is none, MALFORMED when a line is no recorded request.
 */
export function checkLogs(folder: string): readonly RequestOutcome[] {
  const files = globSync('*.jsonl', { cwd: folder }).toSorted();
  if (files.length === 0) throw new WireFault('NOT_FOUND', `Cannot find *.jsonl in ${folder}`);
  return files.flatMap((file) => {
    const path = join(folder, file);
    if (statSync(path).size > LOG_MAX_BYTES) {
      throw new WireFault('MALFORMED', `Cannot read ${path}: over ${LOG_MAX_BYTES} bytes`);
    }
    return checkLog(basename(path), readFileSync(path, 'utf8'));
  });
}

/**
 * Checks one log.
 *
 * @param name - of the file, for the outcomes.
 * @param text - one request as a JSON object a line: `method`, `path`, `cn` of the certificate, `body`.
 * @throws WireFault MALFORMED.
 */
export function checkLog(name: string, text: string): readonly RequestOutcome[] {
  const vehicles = new Map<string, VehicleKeys>();
  const outcomes: RequestOutcome[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `${name}:${index + 1}`;
    const request = parseLine(where, line);
    const common = typeof request['cn'] === 'string' ? request['cn'] : '';
    const kind = kindOf(request);
    if (kind === undefined) continue;
    const body = objectOf(member(request, 'body'), where);
    try {
      const count =
        kind === 'registration'
          ? register(vehicles, common, body)
          : verify(vehicles.get(common), body);
      outcomes.push({ where, kind, count, refusal: undefined });
    } catch (error) {
      if (!(error instanceof UptaneFault) && !(error instanceof WireFault)) throw error;
      const refusal = `${error.code}: ${error.message}`;
      outcomes.push({ where, kind, count: 0, refusal });
    }
  }
  return outcomes;
}

function kindOf(request: JsonObject): RequestOutcome['kind'] | undefined {
  const { method, path } = request;
  if (method === 'POST' && path === '/director/ecus') return 'registration';
  return method === 'PUT' && path === '/director/manifest' ? 'manifest' : undefined;
}

function register(vehicles: Map<string, VehicleKeys>, vehicle: string, body: JsonObject): number {
  const listed = member(body, 'ecus');
  if (!Array.isArray(listed)) throw malformed('ecus');
  const ecus = new Map<EcuIdentifier, PublicKey>();
  for (const item of listed as readonly JsonValue[]) {
    const ecu = objectOf(item, 'ecus');
    parseHardwareIdentifier(member(ecu, 'hardware_identifier'));
    const key = AKTUALIZR.decodeKey(objectOf(member(ecu, 'clientKey'), 'clientKey'));
    if (key.exportDer() === undefined) throw malformed('clientKey');
    ecus.set(parseEcuIdentifier(member(ecu, 'ecu_serial')), key);
  }
  const primaryEcuIdentifier = parseEcuIdentifier(member(body, 'primary_ecu_serial'));
  vehicles.set(vehicle, { primaryEcuIdentifier, ecus });
  return ecus.size;
}

/** Verifies the manifest and each report in it; returns how many signatures that were. */
function verify(keys: VehicleKeys | undefined, body: JsonObject): number {
  if (keys === undefined) {
    throw new WireFault('UNREGISTERED', 'Cannot verify manifest: the vehicle never registered');
  }
  const manifest = decodeManifest(utf8(JSON.stringify(body)));
  const verified = verifyManifest(manifest, keys);
  for (const refusal of verified.refused.values()) throw refusal;
  checkKeyIds(manifest.reports, keys);
  return verified.reports.size + 1;
}

/** That client names its keys by a rule of its own, which our vehicles follow too. */
function checkKeyIds(
  reports: ReturnType<typeof decodeManifest>['reports'],
  { ecus }: VehicleKeys,
): void {
  for (const [identifier, { envelope }] of reports) {
    const key = ecus.get(identifier);
    const der = key?.exportDer();
    if (key?.algorithm === undefined || der === undefined) continue;
    const named = ecuKeyId(key.algorithm, der);
    if (envelope.signatures.some(({ keyId }) => keyId !== named)) {
      throw new WireFault('KEY_NAME', `Cannot accept report of "${identifier}": another key name`);
    }
  }
}

function parseLine(where: string, line: string): JsonObject {
  return objectOf(parseJson(utf8(line), LOG_MAX_BYTES), where);
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(what);
  return value;
}

function malformed(what: string): WireFault {
  return new WireFault('MALFORMED', `Cannot read recorded request: ${what} is not as it must be`);
}

/** Writes one line for each request and a last one with the sums. */
export function renderLogs(outcomes: readonly RequestOutcome[]): string {
  const lines = outcomes.map(({ where, kind, count, refusal }) => {
    const what = kind === 'manifest' ? 'signatures' : 'keys';
    return refusal === undefined
      ? `ok   ${where}  ${kind}, ${count} ${what}`
      : `FAIL ${where}  ${kind}: ${refusal}`;
  });
  const failed = outcomes.filter(({ refusal }) => refusal !== undefined).length;
  return [...lines, `${outcomes.length - failed} passed, ${failed} failed`].join('\n');
}
