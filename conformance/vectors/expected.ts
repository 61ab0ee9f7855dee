/** `expected.json`: what each vector is about and how each of its steps must end. */
import { isJsonObject, type JsonObject, type JsonValue, member, parseJson } from '@immota/base';
import {
  AKTUALIZR,
  type Dialect,
  type EcuIdentifier,
  type HardwareIdentifier,
  parseEcuIdentifier,
  parseHardwareIdentifier,
} from '@immota/uptane';
import { VectorsFault } from './fault.ts';

/** Some thousand vectors of several steps. */
export const EXPECTED_MAX_BYTES = 16_777_216;

/** How one thing must end: well, or with an error of the client that the vectors were made with. */
export type Ending =
  | { readonly kind: 'success' }
  | { readonly kind: 'error'; readonly err: string };

/** What must come of one repository in one step. */
export interface RepositoryExpectation {
  readonly update: Ending;
  readonly targets: ReadonlyMap<string, Ending>;
}

/** What must come of one step. */
export interface StepExpectation {
  readonly director: RepositoryExpectation;
  readonly image: RepositoryExpectation;
}

/** One vector. */
export interface VectorExpectation {
  readonly name: string;
  readonly steps: readonly StepExpectation[];
}

/** A whole `expected.json`. */
export interface Expectations {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** The vehicle dialect, spelled as the file's `params` say. */
  readonly dialect: Dialect;
  readonly vectors: readonly VectorExpectation[];
}

/**
 * Reads `expected.json`.
 *
 * @throws VectorsFault MALFORMED.
 */
export function parseExpectations(bytes: Uint8Array): Expectations {
  const document = objectOf(parseJson(bytes, EXPECTED_MAX_BYTES), 'expected.json');
  const params = objectOf(member(document, 'params') ?? {}, 'params');
  const vectors = Object.entries(objectOf(member(document, 'vectors'), 'vectors'));
  return {
    ecuIdentifier: parseEcuIdentifier(
      member(params, 'ecu_identifier') ?? 'test_primary_ecu_serial',
    ),
    hardwareIdentifier: parseHardwareIdentifier(
      member(params, 'hardware_id') ?? 'test_primary_hardware_id',
    ),
    dialect: dialectOf(params),
    vectors: vectors.map(([name, vector]) => ({ name, steps: stepsOf(name, vector) })),
  };
}

/** The generator of the vectors spells signatures and canonical JSON in two ways each. */
function dialectOf(params: JsonObject): Dialect {
  const canonical = textOf(member(params, 'cjson') ?? 'json-subset', 'cjson');
  const encoding = textOf(member(params, 'signature_encoding') ?? 'base64', 'signature_encoding');
  if (encoding !== 'base64' && encoding !== 'hex') throw malformed('signature_encoding');
  return {
    ...AKTUALIZR,
    canonicalForm: canonical.startsWith('olpc') ? 'olpc' : 'escaped',
    signatureAlphabet: encoding,
  };
}

function stepsOf(name: string, vector: JsonValue): readonly StepExpectation[] {
  const steps = member(objectOf(vector, name), 'steps');
  if (!Array.isArray(steps) || steps.length === 0) throw malformed(`${name}: steps`);
  return (steps as readonly JsonValue[]).map((item) => {
    const step = objectOf(item, `${name}: step`);
    return {
      director: repositoryOf(member(step, 'director'), `${name}: director`),
      image: repositoryOf(member(step, 'image_repo'), `${name}: image_repo`),
    };
  });
}

function repositoryOf(value: JsonValue | undefined, what: string): RepositoryExpectation {
  const object = objectOf(value, what);
  const targets = Object.entries(objectOf(member(object, 'targets') ?? {}, what));
  return {
    update: endingOf(member(object, 'update'), what),
    targets: new Map(targets.map(([name, ending]) => [name, endingOf(ending, what)])),
  };
}

function endingOf(value: JsonValue | undefined, what: string): Ending {
  const object = objectOf(value, what);
  const success = member(object, 'is_success');
  if (typeof success !== 'boolean') throw malformed(`${what}: is_success`);
  return success
    ? { kind: 'success' }
    : { kind: 'error', err: textOf(member(object, 'err'), `${what}: err`) };
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(what);
  return value;
}

function textOf(value: JsonValue | undefined, what: string): string {
  if (typeof value !== 'string') throw malformed(what);
  return value;
}

function malformed(what: string): VectorsFault {
  return new VectorsFault('MALFORMED', `Cannot read expected.json: ${what} is not as it must be`);
}
