/** What a query says outright: parts that ask nothing of a vehicle are worked out once, by CEL itself. */
import { type CelEnv, type CelValue, isCelError, isCelList, type parse, plan } from '@bufbuild/cel';
import { malformed } from './malformed.ts';

/** A part of a parsed query. */
export type Expression = NonNullable<ReturnType<typeof parse>['expr']>;

/** A value that stands fast. Numbers are those that JSON can hold exactly. */
export type Constant =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'timestamp'; readonly value: Temporal.Instant }
  /** Seconds, as a decimal. */
  | { readonly type: 'duration'; readonly value: string }
  | { readonly type: 'list'; readonly value: readonly Scalar[] };
type Scalar = Extract<Constant, { readonly type: 'string' | 'number' | 'bool' | 'null' }>;

/** Values of a list: as many as anybody pastes. */
const LIST_MAX = 1000;
/** No NUL and no half of a character: no database holds them. */
const WHOLE = /^[^\0\p{Cs}]*$/u;
const NANOS_PER_MICRO = 1000;
/** A century: instants plus or minus it stay instants. */
const DURATION_MAX_SECONDS = 3_155_760_000n;

/**
 * Works out a part that asks nothing of a vehicle.
 *
 * @param now - what `now` means; undefined where the query may not ask for it.
 * @throws CloudFault QUERY_MALFORMED when it has no value, or none that a query can use.
 */
export function fold(
  environment: CelEnv,
  expression: Expression,
  now: CelValue | undefined,
): Constant {
  const evaluate = plan(environment, expression);
  const result = evaluate(now === undefined ? {} : { now });
  if (isCelError(result)) throw malformed(result.message, result);
  return constantOf(result);
}

function constantOf(value: CelValue): Constant {
  if (isCelList(value)) {
    if (value.size > LIST_MAX) throw malformed(`a list has at most ${LIST_MAX} values`);
    const items = Array.from(value, (item) => constantOf(item));
    return { type: 'list', value: items.map(scalarOf) };
  }
  switch (typeof value) {
    case 'string':
      if (!WHOLE.test(value)) throw malformed('a text holds what is no character');
      return { type: 'string', value };
    case 'boolean':
      return { type: 'bool', value };
    case 'bigint':
    case 'number': {
      const number = Number(value);
      const isExact = typeof value === 'number' || Number.isSafeInteger(number);
      if (!isExact || !Number.isFinite(number)) throw malformed(`${value} is out of range`);
      return { type: 'number', value: number };
    }
    case 'object':
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      return value === null ? { type: 'null', value } : timeOf(value);
  }
}

function scalarOf(constant: Constant): Scalar {
  switch (constant.type) {
    case 'string':
    case 'number':
    case 'bool':
    case 'null':
      return constant;
    case 'timestamp':
    case 'duration':
    case 'list':
    default:
      throw malformed(`a list cannot hold a ${constant.type}`);
  }
}

function timeOf(value: Exclude<CelValue, string | boolean | bigint | number | null>): Constant {
  if (!('desc' in value) || !('message' in value)) throw malformed('a value of an unknown type');
  const { typeName } = value.desc;
  const { seconds, nanos } = readTime(value.message);
  if (nanos % NANOS_PER_MICRO !== 0) throw malformed('time goes down to microseconds');
  if (typeName === 'google.protobuf.Timestamp') {
    const nanoseconds = seconds * 1_000_000_000n + BigInt(nanos);
    return { type: 'timestamp', value: Temporal.Instant.fromEpochNanoseconds(nanoseconds) };
  }
  if (typeName !== 'google.protobuf.Duration') throw malformed(`${typeName} has no meaning here`);
  if (seconds > DURATION_MAX_SECONDS || seconds < -DURATION_MAX_SECONDS) {
    throw malformed('a duration is a century at most');
  }
  const micros = seconds * 1_000_000n + BigInt(nanos / NANOS_PER_MICRO);
  const sign = micros < 0n ? '-' : '';
  const digits = String(micros < 0n ? -micros : micros).padStart(7, '0');
  return { type: 'duration', value: `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}` };
}

function readTime(message: unknown): { readonly seconds: bigint; readonly nanos: number } {
  if (
    typeof message === 'object' &&
    message !== null &&
    'seconds' in message &&
    'nanos' in message
  ) {
    const { seconds, nanos } = message;
    if (typeof seconds === 'bigint' && typeof nanos === 'number') return { seconds, nanos };
  }
  throw malformed('a value of an unknown type');
}
