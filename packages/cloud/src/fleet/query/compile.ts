/**
 * A fleet query as a condition of the database. Nothing that somebody wrote becomes text of a statement:
 * constants travel as parameters, names of fields are looked up, and whatever is not known here is refused.
 */
import type { CelEnv, CelValue } from '@bufbuild/cel';
import { sql } from '@immota/store';
import { equal, expect, jsonOf, type Order, ordered } from './compare.ts';
import { type Constant, type Expression, fold } from './constant.ts';
import { all, exists, existsOne, readLoop, size } from './loop.ts';
import { malformed } from './malformed.ts';
import { patternFor } from './pattern.ts';
import { type Condition, conditionOf, type Range, type Sql, type Value } from './value.ts';

/** Parts of a statement: a nested choice doubles what is below it. */
const STATEMENT_PARTS_MAX = 8000;

/** What a compilation works with. */
export interface Compilation {
  readonly environment: CelEnv;
  /** What `now` means; undefined where the query may not ask. */
  readonly now: CelValue | undefined;
  /** What names mean: `vehicle`, and those that loops bind. */
  readonly names: ReadonlyMap<string, Value>;
  readonly budget: { parts: number };
}

/** Begins a compilation. */
export function compilation(
  environment: CelEnv,
  now: CelValue | undefined,
  vehicle: Value,
): Compilation {
  const names = new Map([['vehicle', vehicle]]);
  return { environment, now, names, budget: { parts: STATEMENT_PARTS_MAX } };
}

/**
 * Compiles an expression that is true or false.
 *
 * @throws CloudFault QUERY_MALFORMED, naming the part that the database cannot be asked.
 */
export function compileCondition(compiling: Compilation, expression: Expression): Condition {
  spend(compiling);
  const { exprKind } = expression;
  if (exprKind.case === 'callExpr') {
    const found = compileLogic(compiling, exprKind.value);
    if (found !== undefined) return found;
  }
  const value = compileValue(compiling, expression);
  switch (value.type) {
    case 'bool':
      return value.condition;
    case 'json':
      return {
        holds: () => sql`${value.sql} = 'true'::jsonb`,
        fails: () => sql`${value.sql} = 'false'::jsonb`,
      };
    case 'constant':
      return expect(value.constant, 'bool') ? conditionOf(sql`true`) : conditionOf(sql`false`);
    case 'text':
    case 'size':
    case 'timestamp':
    case 'duration':
    case 'list':
    case 'record':
    default:
      throw malformed(`a ${value.type} is neither true nor false`);
  }
}

function spend({ budget }: Compilation): void {
  budget.parts -= 1;
  if (budget.parts < 0) throw malformed('it is too long');
}

type Call = Extract<Expression['exprKind'], { readonly case: 'callExpr' }>['value'];

function compileLogic(compiling: Compilation, call: Call): Condition | undefined {
  const part = (index: number): Condition => compileCondition(compiling, argument(call, index));
  switch (call.function) {
    case '_&&_': {
      const [left, right] = [part(0), part(1)];
      return {
        holds: () => sql`(${left.holds()} and ${right.holds()})`,
        fails: () => sql`(${left.fails()} or ${right.fails()})`,
      };
    }
    case '_||_': {
      const [left, right] = [part(0), part(1)];
      return {
        holds: () => sql`(${left.holds()} or ${right.holds()})`,
        fails: () => sql`(${left.fails()} and ${right.fails()})`,
      };
    }
    case '!_': {
      const inner = part(0);
      return { holds: inner.fails, fails: inner.holds };
    }
    case '_?_:_': {
      const [condition, yes, no] = [part(0), part(1), part(2)];
      const choose = (way: 'holds' | 'fails') => (): Sql =>
        sql`((${condition.holds()} and ${yes[way]()}) or (${condition.fails()} and ${no[way]()}))`;
      // Both sides stand twice in it.
      spend(compiling);
      return {
        holds: counted(compiling, choose('holds')),
        fails: counted(compiling, choose('fails')),
      };
    }
    default:
      return undefined;
  }
}

/** Statements are made when they are asked for, and counted then. */
function counted(compiling: Compilation, make: () => Sql): () => Sql {
  return () => {
    spend(compiling);
    return make();
  };
}

function argument({ args }: Call, index: number): Expression {
  const found = args[index];
  if (found === undefined) throw malformed('an argument is missing');
  return found;
}

/** Compiles any expression to a value. */
function compileValue(compiling: Compilation, expression: Expression): Value {
  spend(compiling);
  if (isClosed(compiling, expression)) {
    const constant = fold(compiling.environment, expression, compiling.now);
    return { type: 'constant', constant };
  }
  const { exprKind } = expression;
  switch (exprKind.case) {
    case 'identExpr': {
      const value = compiling.names.get(exprKind.value.name);
      if (value === undefined) throw malformed(`"${exprKind.value.name}" is not known here`);
      return value;
    }
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      if (operand === undefined) throw malformed(`"${field}" of nothing`);
      const value = compileValue(compiling, operand);
      return testOnly ? hasField(value, field) : fieldOf(value, field);
    }
    case 'callExpr':
      return compileCall(compiling, exprKind.value);
    case 'comprehensionExpr':
      return compileLoop(compiling, exprKind.value);
    case 'constExpr':
    case 'listExpr':
    case 'structExpr':
    case undefined:
    default:
      throw malformed('lists and maps hold constants alone');
  }
}

/** Whether it asks nothing of a vehicle. */
function isClosed(compiling: Compilation, root: Expression): boolean {
  const parts: Expression[] = [root];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { exprKind } = part;
    if (exprKind.case === 'identExpr') {
      if (compiling.names.has(exprKind.value.name)) return false;
    } else {
      parts.push(...innerExpressions(exprKind));
    }
  }
  return true;
}

const known = (found: readonly (Expression | undefined)[]): readonly Expression[] =>
  found.filter((one) => one !== undefined);

function innerExpressions(exprKind: Expression['exprKind']): readonly Expression[] {
  switch (exprKind.case) {
    case 'selectExpr':
      return known([exprKind.value.operand]);
    case 'callExpr':
      return known([exprKind.value.target, ...exprKind.value.args]);
    case 'listExpr':
      return exprKind.value.elements;
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        known([keyKind.case === 'mapKey' ? keyKind.value : undefined, value]),
      );
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      return known([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    case 'constExpr':
    case 'identExpr':
    case undefined:
    default:
      return [];
  }
}

function fieldOf(value: Value, name: string): Value {
  if (value.type === 'json') {
    const { path } = value;
    const inner = { type: 'json', sql: sql`(${value.sql} -> ${name}::text)` } as const;
    return path === undefined
      ? inner
      : { ...inner, path: { column: path.column, names: [...path.names, name] } };
  }
  if (value.type !== 'record') throw malformed(`a ${value.type} has no "${name}"`);
  const field = value.fields.get(name);
  value.asked?.(name);
  if (field !== undefined) return field.value;
  const names = [...value.fields.keys()].join(', ');
  throw malformed(`a ${value.name} has no "${name}"; it has ${names}`);
}

function hasField(value: Value, name: string): Value {
  if (value.type === 'json') {
    const { sql: part } = value;
    const has = sql`(case when ${part} is not null
      then jsonb_typeof(${part}) = 'object' and ${part} ? ${name}::text end)`;
    return { type: 'bool', condition: conditionOf(has) };
  }
  fieldOf(value, name);
  const isThere = value.type === 'record' ? value.fields.get(name)?.isThere : undefined;
  return { type: 'bool', condition: conditionOf(isThere ?? sql`true`) };
}

const ORDERS: Readonly<Record<string, Order>> = {
  '_<_': '<',
  '_<=_': '<=',
  '_>_': '>',
  '_>=_': '>=',
};

function compileCall(compiling: Compilation, call: Call): Value {
  const { function: name, target } = call;
  const part = (index: number): Value => compileValue(compiling, argument(call, index));
  const order = ORDERS[name];
  if (order !== undefined) return boolean(ordered(order, part(0), part(1)));
  switch (name) {
    case '_==_':
      return boolean(equal(asValue(compiling, call, 0), asValue(compiling, call, 1)));
    case '_!=_': {
      const { holds, fails } = equal(asValue(compiling, call, 0), asValue(compiling, call, 1));
      return boolean({ holds: fails, fails: holds });
    }
    case '_&&_':
    case '_||_':
    case '!_':
    case '_?_:_': {
      const condition = compileLogic(compiling, call);
      if (condition === undefined) throw malformed(`"${name}" is not known`);
      return boolean(condition);
    }
    case '@in':
      return boolean(compileIn(compiling, part(0), part(1)));
    case '_[_]':
      return elementOf(part(0), part(1));
    case '_-_':
    case '_+_':
      return compileTime(name, part(0), part(1));
    case 'size':
      return sizeOf(compiling, target === undefined ? part(0) : compileValue(compiling, target));
    case 'startsWith':
    case 'endsWith':
    case 'contains':
    case 'matches': {
      if (target === undefined) throw malformed(`"${name}" asks a text`);
      return boolean(compileText(name, compileValue(compiling, target), part(0)));
    }
    default:
      throw malformed(`"${name}" cannot be asked of a fleet`);
  }
}

/** What is compared may be a condition, too; each of its sides is written twice then. */
function asValue(compiling: Compilation, call: Call, index: number): Value {
  const value = compileValue(compiling, argument(call, index));
  if (value.type !== 'bool') return value;
  const { holds, fails } = value.condition;
  return boolean({ holds: counted(compiling, holds), fails: counted(compiling, fails) });
}

function boolean(condition: Condition): Value {
  return { type: 'bool', condition };
}

function elementOf(value: Value, index: Value): Value {
  if (index.type !== 'constant') throw malformed('an index is a constant');
  const { constant } = index;
  if (constant.type === 'string') return fieldOf(value, constant.value);
  const place = expect(constant, 'number');
  if (value.type !== 'json') throw malformed(`a ${value.type} has no places; ask with exists`);
  if (!Number.isInteger(place) || place < 0 || place > 2 ** 31 - 1) {
    throw malformed(`there is no place ${place}`);
  }
  // An object has members by name alone, whatever the number.
  return {
    type: 'json',
    sql: sql`(case when jsonb_typeof(${value.sql}) = 'array' then ${value.sql} -> ${place}::int end)`,
  };
}

function compileTime(name: '_-_' | '_+_', left: Value, right: Value): Value {
  const isMinus = name === '_-_';
  if (isMinus && isTime(left, 'timestamp') && isTime(right, 'timestamp')) {
    const span = sql`extract(epoch from (${timeSql(left)} - ${timeSql(right)}))`;
    return { type: 'duration', sql: span };
  }
  if (left.type === 'timestamp' && right.type === 'constant') {
    const seconds = sql`make_interval(secs => ${expect(right.constant, 'duration')}::double precision)`;
    return {
      type: 'timestamp',
      sql: isMinus ? sql`(${left.sql} - ${seconds})` : sql`(${left.sql} + ${seconds})`,
    };
  }
  if (!isMinus && left.type === 'constant' && right.type === 'timestamp') {
    return compileTime(name, right, left);
  }
  throw malformed('only times and durations are added and subtracted');
}

function isTime(value: Value, type: 'timestamp'): boolean {
  return value.type === type || (value.type === 'constant' && value.constant.type === type);
}

function timeSql(value: Value): Sql {
  if (value.type === 'constant') {
    return sql`${expect(value.constant, 'timestamp')}::timestamptz`;
  }
  if (value.type !== 'timestamp') throw malformed(`a ${value.type} is no time`);
  return value.sql;
}

function sizeOf(compiling: Compilation, value: Value): Value {
  if (value.type === 'list') return { type: 'size', sql: size(value.range, nextAlias(compiling)) };
  if (value.type === 'text') return { type: 'size', sql: sql`char_length(${value.sql})` };
  if (value.type !== 'json') throw malformed(`a ${value.type} has no size`);
  const { sql: part } = value;
  return {
    type: 'size',
    sql: sql`(case jsonb_typeof(${part}) when 'string' then char_length(${part} #>> '{}')
      when 'array' then jsonb_array_length(${part})
      when 'object' then (select count(*) from jsonb_object_keys(${part})) end)`,
  };
}

function compileText(
  name: 'startsWith' | 'endsWith' | 'contains' | 'matches',
  value: Value,
  asked: Value,
): Condition {
  if (asked.type !== 'constant') throw malformed(`"${name}" asks for a constant text`);
  const sought = expect(asked.constant, 'string');
  if (value.type === 'text') {
    const condition = conditionOf(textCall(name, value.sql, sought));
    const like = name === 'startsWith' ? value.like : undefined;
    return like === undefined
      ? condition
      : { ...condition, holds: () => like(beginningWith(sought)) };
  }
  if (value.type !== 'json') throw malformed(`a ${value.type} is no text`);
  const part = textCall(name, sql`(${value.sql} #>> '{}')`, sought);
  return conditionOf(sql`case when jsonb_typeof(${value.sql}) = 'string' then ${part} end`);
}

/** A text as a pattern of LIKE that begins with it. */
export function beginningWith(text: string): string {
  return `${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function textCall(name: string, text: Sql, sought: string): Sql {
  switch (name) {
    case 'startsWith':
      return sql`starts_with(${text}, ${sought}::text)`;
    case 'endsWith':
      return sql`right(${text}, char_length(${sought}::text)) = ${sought}::text`;
    case 'contains':
      return sql`strpos(${text}, ${sought}::text) > 0`;
    default:
      return sql`(${text} collate "C") ~ ${patternFor(sought)}::text`;
  }
}

function compileIn(compiling: Compilation, left: Value, right: Value): Condition {
  if (right.type === 'constant') return inConstants(left, right.constant);
  if (right.type === 'list') {
    const found = exists(right.range, nextAlias(compiling), (element) => equal(element, left));
    if (left.type !== 'json') return found;
    const isKnown = sql`${left.sql} is not null`;
    return {
      holds: () => sql`(${isKnown} and ${found.holds()})`,
      fails: () => sql`(${isKnown} and ${found.fails()})`,
    };
  }
  if (right.type !== 'json') throw malformed(`nothing is in a ${right.type}`);
  if (left.type !== 'constant') throw malformed('only constants are looked for in tags');
  const { constant } = left;
  const { sql: part } = right;
  if (constant.type === 'null' || constant.type === 'list') {
    throw malformed(`a ${constant.type} is not looked for`);
  }
  const member = constant.type === 'string' ? sql`${part} ? ${constant.value}::text` : sql`false`;
  return conditionOf(sql`(case jsonb_typeof(${part})
    when 'array' then ${part} @> ${jsonOf(constant)}::text::jsonb when 'object' then ${member} end)`);
}

function inConstants(left: Value, constant: Constant): Condition {
  const list = expect(constant, 'list');
  if (left.type === 'text') {
    const texts = list.flatMap((one) => (one.type === 'string' ? [one.value] : []));
    return conditionOf(sql`${left.sql} = any(${texts}::text[])`);
  }
  if (left.type !== 'json') throw malformed(`a ${left.type} is not looked for in a list`);
  // Nothing is in an empty list, but what is not there is not looked for.
  const whenThere = sql`case when ${left.sql} is not null then`;
  return conditionOf(sql`${whenThere} ${left.sql} = any(${list.map(jsonOf)}::text[]::jsonb[]) end`);
}

function compileLoop(compiling: Compilation, comprehension: Parameters<typeof readLoop>[0]): Value {
  const { kind, over, name, body } = readLoop(comprehension);
  const range = rangeOf(compileValue(compiling, over));
  const alias = nextAlias(compiling);
  const ask = (element: Value): Condition => {
    const names = new Map([...compiling.names, [name, element]]);
    return compileCondition({ ...compiling, names }, body);
  };
  // Whatever is wrong with it is found now, and not when its statement is made.
  ask(range.element(alias));
  switch (kind) {
    case 'exists':
      return boolean(exists(range, alias, ask));
    case 'all':
      return boolean(all(range, alias, ask));
    case 'exists_one':
      return boolean(existsOne(range, alias, ask));
    case 'filter':
    default:
      return { type: 'list', range: { ...range, filters: [...range.filters, ask] } };
  }
}

function rangeOf(value: Value): Range {
  if (value.type === 'list') return value.range;
  if (value.type !== 'json') throw malformed(`there is no loop over a ${value.type}`);
  const { sql: part } = value;
  return {
    // A map is gone over by its names.
    from: (alias) => sql`jsonb_array_elements(case jsonb_typeof(${part}) when 'array' then ${part}
      when 'object' then (select coalesce(jsonb_agg(name), '[]') from jsonb_object_keys(${part}) name)
      else '[]' end) ${sql.ref(alias)} where true`,
    element: (alias) => ({ type: 'json', sql: sql`${sql.ref(`${alias}.value`)}` }),
    isList: sql`coalesce(jsonb_typeof(${part}) in ('array', 'object'), false)`,
    filters: [],
  };
}

/** Names of rows in a statement; each loop has its own. */
function nextAlias({ budget }: Compilation): string {
  budget.parts -= 1;
  return `q${budget.parts}`;
}
