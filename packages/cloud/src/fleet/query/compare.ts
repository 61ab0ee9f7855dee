/** Equality and order of two values of a query, as CEL has them. */
import { unreachable } from '@immota/base';
import { sql } from '@immota/store';
import type { Constant } from './constant.ts';
import { malformed } from './malformed.ts';
import { type Condition, conditionOf, type Sql, type Value } from './value.ts';

/** From here on two orders of texts differ: by characters, and by halves of them. */
const FIRST_SURROGATE = '\ud800';

/** Which of the two comes first. */
export type Order = '<' | '<=' | '>' | '>=';
const MIRRORED: Readonly<Record<Order, Order>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/**
 * Compares for equality.
 *
 * @throws CloudFault QUERY_MALFORMED when two of these are never equal, so that nobody meant it.
 */
export function equal(left: Value, right: Value): Condition {
  if (left.type === 'constant') {
    if (right.type === 'constant') throw malformed('two constants are compared');
    return equal(right, left);
  }
  if (right.type === 'constant') return equalConstant(left, right.constant);
  if (left.type === 'json' && right.type === 'text') return equal(right, left);
  if (left.type === 'text' && right.type === 'json') {
    return conditionOf(sql`to_jsonb(${left.sql}) = ${right.sql}`);
  }
  if (left.type === 'bool' && right.type === 'bool') {
    return equalConditions(left.condition, right.condition);
  }
  if (left.type !== right.type || !('sql' in left) || !('sql' in right)) {
    throw malformed(`a ${left.type} and a ${right.type} are never equal`);
  }
  return conditionOf(sql`${left.sql} = ${right.sql}`);
}

function equalConditions(left: Condition, right: Condition): Condition {
  return {
    holds: () =>
      sql`((${left.holds()} and ${right.holds()}) or (${left.fails()} and ${right.fails()}))`,
    fails: () =>
      sql`((${left.holds()} and ${right.fails()}) or (${left.fails()} and ${right.holds()}))`,
  };
}

function equalConstant(left: Value, constant: Constant): Condition {
  switch (left.type) {
    case 'text': {
      const same = conditionOf(sql`${left.sql} = ${expect(constant, 'string')}::text`);
      const { equals } = left;
      if (equals === undefined || constant.value === '') return same;
      return { ...same, holds: () => sql`(${equals(expect(constant, 'string'))})` };
    }
    case 'bool': {
      const { condition } = left;
      return expect(constant, 'bool')
        ? condition
        : { holds: condition.fails, fails: condition.holds };
    }
    case 'json':
      return equalJson(left, constant);
    case 'size':
      return conditionOf(sql`${left.sql} = ${expect(constant, 'number')}::numeric`);
    case 'timestamp':
      return conditionOf(sql`${left.sql} = ${expect(constant, 'timestamp')}::timestamptz`);
    case 'duration':
      return conditionOf(sql`${left.sql} = ${expect(constant, 'duration')}::numeric`);
    case 'constant':
    case 'list':
    case 'record':
      throw malformed(`a ${left.type} is never equal to a ${constant.type}`);
    default:
      return unreachable(left);
  }
}

function equalJson(
  { sql: part, path }: Extract<Value, { readonly type: 'json' }>,
  constant: Constant,
): Condition {
  const json = jsonOf(constant);
  const same = conditionOf(sql`${part} = ${json}::text::jsonb`);
  if (path === undefined || path.names.length === 0) return same;
  // What equals is contained too, and containment has an index.
  const whole = path.names.reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, json);
  const contained = sql`${path.column} @> ${whole}::text::jsonb`;
  // A list is contained in longer ones, too; a scalar in nothing but itself.
  if (constant.type !== 'list') return { ...same, holds: () => contained };
  return { ...same, holds: () => sql`(${contained} and ${same.holds()})` };
}

/** A constant as the text of JSON. @throws CloudFault QUERY_MALFORMED for what JSON has not. */
export function jsonOf(constant: Constant): string {
  switch (constant.type) {
    case 'string':
    case 'number':
    case 'bool':
    case 'null':
      return JSON.stringify(constant.value);
    case 'list':
      return `[${constant.value.map(jsonOf).join(',')}]`;
    case 'timestamp':
    case 'duration':
      throw malformed(`a tag is never a ${constant.type}`);
    default:
      return unreachable(constant);
  }
}

/**
 * Compares for order.
 *
 * @throws CloudFault QUERY_MALFORMED when two of these have no order.
 */
export function ordered(order: Order, left: Value, right: Value): Condition {
  if (left.type === 'constant') {
    if (right.type === 'constant') throw malformed('two constants are compared');
    return ordered(MIRRORED[order], right, left);
  }
  if (right.type === 'constant') return orderedConstant(order, left, right.constant);
  const hasOrder =
    left.type === right.type &&
    (left.type === 'timestamp' || left.type === 'duration' || left.type === 'size');
  if (!hasOrder || !('sql' in right)) {
    throw malformed(`a ${left.type} and a ${right.type} have no order`);
  }
  return conditionOf(inOrder(order, left.sql, right.sql));
}

function orderedConstant(order: Order, left: Value, constant: Constant): Condition {
  switch (left.type) {
    case 'text':
      return conditionOf(inOrder(order, sql`${left.sql} collate "C"`, textBound(constant)));
    case 'json': {
      const isText = constant.type === 'string';
      const part = isText
        ? sql`(${left.sql} #>> '{}') collate "C"`
        : sql`(${left.sql} #>> '{}')::numeric`;
      const bound = isText ? textBound(constant) : sql`${expect(constant, 'number')}::numeric`;
      const kind = isText ? sql`'string'` : sql`'number'`;
      return conditionOf(
        sql`case when jsonb_typeof(${left.sql}) = ${kind} then ${inOrder(order, part, bound)} end`,
      );
    }
    case 'size':
      return conditionOf(inOrder(order, left.sql, sql`${expect(constant, 'number')}::numeric`));
    case 'timestamp': {
      const instant = sql`${expect(constant, 'timestamp')}::timestamptz`;
      const exact = inOrder(order, left.sql, instant);
      const { day } = left;
      if (day === undefined) return conditionOf(exact);
      // The day has an index.
      const near = order.startsWith('<') ? sql`<=` : sql`>=`;
      const holds = (): Sql =>
        sql`(${day} ${near} (${instant} at time zone 'UTC')::date and ${exact})`;
      return { holds, fails: () => sql`not (${exact})` };
    }
    case 'duration':
      return conditionOf(inOrder(order, left.sql, sql`${expect(constant, 'duration')}::numeric`));
    case 'bool':
    case 'constant':
    case 'list':
    case 'record':
      throw malformed(`a ${left.type} has no order`);
    default:
      return unreachable(left);
  }
}

function textBound(constant: Constant): Sql {
  const value = expect(constant, 'string');
  if (value >= FIRST_SURROGATE || Array.from(value).some((one) => one >= FIRST_SURROGATE)) {
    throw malformed(`"${value}" has no order that everybody agrees on`);
  }
  return sql`${value}::text`;
}

function inOrder(order: Order, left: Sql, right: Sql): Sql {
  switch (order) {
    case '<':
      return sql`${left} < ${right}`;
    case '<=':
      return sql`${left} <= ${right}`;
    case '>':
      return sql`${left} > ${right}`;
    case '>=':
      return sql`${left} >= ${right}`;
    default:
      return unreachable(order);
  }
}

interface ConstantValues {
  readonly string: string;
  readonly number: number;
  readonly bool: boolean;
  readonly null: null;
  readonly timestamp: Temporal.Instant;
  readonly duration: string;
  readonly list: Extract<Constant, { readonly type: 'list' }>['value'];
}

/** The value of a constant of the type that is needed. @throws CloudFault QUERY_MALFORMED. */
export function expect<Type extends Constant['type']>(
  constant: Constant,
  type: Type,
): ConstantValues[Type] {
  if (constant.type !== type) {
    throw malformed(`expected a ${type}, and there is a ${constant.type}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the type that its tag names, checked above
  return constant.value as ConstantValues[Type];
}
