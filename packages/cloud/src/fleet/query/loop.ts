/** Loops of a query: `exists`, `all`, `exists_one`, `filter`, and the size of what they go over. */
import { sql } from '@immota/store';
import type { Expression } from './constant.ts';
import { malformed } from './malformed.ts';
import type { Condition, Range, Sql, Value } from './value.ts';

/** A loop as CEL's macros write it out. */
export interface Loop {
  readonly kind: 'exists' | 'all' | 'exists_one' | 'filter';
  readonly over: Expression;
  readonly name: string;
  readonly body: Expression;
}

type Comprehension = Extract<
  Expression['exprKind'],
  { readonly case: 'comprehensionExpr' }
>['value'];

/**
 * Reads a loop back from what its macro became.
 *
 * @throws CloudFault QUERY_MALFORMED for a loop that is none of the four.
 */
export function readLoop(comprehension: Comprehension): Loop {
  const { iterVar: name, iterVar2: second, iterRange: over, loopStep: step } = comprehension;
  const kind = kindOf(comprehension);
  if (kind === undefined || over === undefined || second !== '') throw unknownLoop();
  if (step?.exprKind.case !== 'callExpr') throw unknownLoop();
  // `result || body`, `result && body`, `body ? result + 1 : result`.
  const [first, last] = step.exprKind.value.args;
  const body = kind === 'exists' || kind === 'all' ? last : first;
  if (body === undefined) throw unknownLoop();
  return { kind, over, name, body };
}

function kindOf({ accuInit, loopStep, result }: Comprehension): Loop['kind'] | undefined {
  if (loopStep?.exprKind.case !== 'callExpr') return undefined;
  const { function: step } = loopStep.exprKind.value;
  if (step === '_||_') return 'exists';
  if (step === '_&&_') return 'all';
  if (step !== '_?_:_') return undefined;
  if (accuInit?.exprKind.case === 'listExpr') {
    const moved = loopStep.exprKind.value.args[1];
    const added = moved?.exprKind.case === 'callExpr' ? moved.exprKind.value.args[1] : undefined;
    const [element] = added?.exprKind.case === 'listExpr' ? added.exprKind.value.elements : [];
    // `map` with a condition looks alike, but for what it adds.
    return element?.exprKind.case === 'identExpr' ? 'filter' : undefined;
  }
  return result?.exprKind.case === 'callExpr' ? 'exists_one' : undefined;
}

function unknownLoop(): ReturnType<typeof malformed> {
  return malformed('a loop is exists, all, exists_one or filter');
}

/** What a loop asks of each element. */
export type Body = (element: Value) => Condition;

/** Whether some element meets it; an element that cannot be decided matters when none does. */
export function exists(range: Range, alias: string, body: Body): Condition {
  return {
    holds: () => guarded(range, alias, sql`exists (${rows(range, alias, holds(body))})`),
    fails: () => guarded(range, alias, sql`not exists (${rows(range, alias, mayHold(body))})`),
  };
}

/** Whether all elements meet it. */
export function all(range: Range, alias: string, body: Body): Condition {
  return {
    holds: () => guarded(range, alias, sql`not exists (${rows(range, alias, mayFail(body))})`),
    fails: () => guarded(range, alias, sql`exists (${rows(range, alias, fails(body))})`),
  };
}

/** Whether exactly one element meets it, and each can be decided. */
export function existsOne(range: Range, alias: string, body: Body): Condition {
  const filtered = { ...range, filters: [...range.filters, body] };
  const one = sql`(${size(filtered, alias)}) = 1`;
  return { holds: () => one, fails: () => sql`not (${one})` };
}

/** How many elements there are; NULL where a filter cannot decide. */
export function size(range: Range, alias: string): Sql {
  const counted = sql`(select count(*) from ${range.from(alias)} ${filtersOf(range, alias)})`;
  return sql`case when ${guarded(range, alias, sql`true`)} then ${counted} end`;
}

function guarded(range: Range, alias: string, part: Sql): Sql {
  const element = range.element(alias);
  // A filter is asked of what those before it left over.
  const undecided = range.filters.map((filter, index) => {
    const { holds: yes, fails: no } = filter(element);
    const before = range.filters.slice(0, index).map((one) => sql`${one(element).holds()} and `);
    return sql`(${sql.join(before, sql``)} (${yes()} or ${no()}) is not true)`;
  });
  const guards: Sql[] = range.isList === undefined ? [] : [range.isList];
  if (undecided.length > 0) {
    const open = sql.join(undecided, sql` or `);
    guards.push(sql`not exists (select from ${range.from(alias)} and (${open}))`);
  }
  return guards.length === 0 ? part : sql`(${sql.join([...guards, part], sql` and `)})`;
}

function rows(range: Range, alias: string, condition: (element: Value) => Sql): Sql {
  const part = condition(range.element(alias));
  return sql`select from ${range.from(alias)} ${filtersOf(range, alias)} and ${part}`;
}

function filtersOf({ filters, element }: Range, alias: string): Sql {
  const parts = filters.map((filter) => sql` and ${filter(element(alias)).holds()}`);
  return parts.length === 0 ? sql`` : sql.join(parts, sql``);
}

const holds =
  (body: Body) =>
  (element: Value): Sql =>
    sql`(${body(element).holds()})`;
const fails =
  (body: Body) =>
  (element: Value): Sql =>
    sql`(${body(element).fails()})`;
const mayHold =
  (body: Body) =>
  (element: Value): Sql =>
    sql`(${body(element).fails()}) is not true`;
const mayFail =
  (body: Body) =>
  (element: Value): Sql =>
    sql`(${body(element).holds()}) is not true`;
