/**
 * Looks a fleet query over before it runs: a misspelt name would mean no vehicle and say nothing, and
 * loops within loops would hold the server up for every vehicle of the fleet.
 */
import type { parse } from '@bufbuild/cel';
import { malformed } from './malformed.ts';

type Expression = ReturnType<typeof parse>['expr'];

/** Parts of an expression; 4,000 characters rarely make more than some hundreds. */
const PARTS_MAX = 4000;
/** How deep it may nest: the library walks it by recursion. */
const DEPTH_MAX = 250;
/** Loops within one another: pairs of ECUs can be compared, some ten thousand for the largest vehicle. */
const LOOP_DEPTH_MAX = 2;

/** CEL's own names of types. */
const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
  'uint',
]);

/** CEL's own functions; operators have names that begin with another sign than a letter. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'contains',
  'double',
  'duration',
  'dyn',
  'endsWith',
  'int',
  'matches',
  'size',
  'startsWith',
  'string',
  'timestamp',
  'type',
  'uint',
]);

interface Part {
  readonly names: ReadonlySet<string>;
  readonly expression: Expression;
  readonly depth: number;
  readonly loops: number;
  /** Names that the loops around it bind. */
  readonly bound: ReadonlySet<string>;
}

/**
 * Checks an expression's names and how long it can take.
 *
 * @param names - what it may speak of, beside what its own loops bind.
 * @throws CloudFault QUERY_MALFORMED.
 */
export function checkExpression(root: Expression, names: ReadonlySet<string>): void {
  const parts: Part[] = [{ expression: root, names, depth: 0, loops: 0, bound: new Set() }];
  let count = 0;
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    count += 1;
    if (count > PARTS_MAX || part.depth > DEPTH_MAX) throw malformed('it is too long');
    if (part.loops > LOOP_DEPTH_MAX) {
      throw malformed(`loops go at most ${LOOP_DEPTH_MAX} deep`);
    }
    checkNames(part);
    parts.push(...innerParts(part));
  }
}

function checkNames({ expression: { exprKind }, bound, names }: Part): void {
  if (exprKind.case === 'identExpr') {
    const { name } = exprKind.value;
    if (names.has(name) || bound.has(name) || TYPE_NAMES.has(name)) return;
    throw malformed(`"${name}" is not known; there is ${[...names].join(', ')}`);
  }
  if (exprKind.case === 'callExpr') {
    const { function: name } = exprKind.value;
    if (/^[a-z]/i.test(name) && !FUNCTIONS.has(name)) throw malformed(`there is no "${name}"`);
  }
}

function innerParts(part: Part): readonly Part[] {
  const { exprKind } = part.expression;
  const within = (...expressions: readonly (Expression | undefined)[]): readonly Part[] =>
    expressions.flatMap((expression) =>
      expression === undefined ? [] : [{ ...part, expression, depth: part.depth + 1 }],
    );
  switch (exprKind.case) {
    case 'selectExpr':
      return within(exprKind.value.operand);
    case 'callExpr':
      return within(exprKind.value.target, ...exprKind.value.args);
    case 'listExpr':
      return within(...exprKind.value.elements);
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        within(keyKind.case === 'mapKey' ? keyKind.value : undefined, value),
      );
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      const { iterVar, iterVar2, accuVar } = exprKind.value;
      const bound = new Set([...part.bound, iterVar, iterVar2, accuVar]);
      return [
        ...within(iterRange, accuInit),
        ...within(loopCondition, loopStep, result).map((inner) => ({
          ...inner,
          bound,
          loops: part.loops + 1,
        })),
      ];
    }
    case 'constExpr':
    case 'identExpr':
    case undefined:
    default:
      return [];
  }
}
