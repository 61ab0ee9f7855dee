/**
 * Looks an expression over before it is ever evaluated: its names, its types, and how much there is of
 * it. It has no loops and calls nothing, so that its time is bounded by its length; a misspelt signal or
 * value is found at the desk, and not in a vehicle that then never updates.
 */
import type { parse } from '@bufbuild/cel';
import { ConditionFault } from './condition-fault.ts';
import { DEPTH_MAX, PARTS_MAX } from './limits.ts';
import type { SignalCatalogue } from './signal-catalogue.ts';

type Expression = ReturnType<typeof parse>['expr'];
type Constant = Extract<
  Expression['exprKind'],
  { readonly case: 'constExpr' }
>['value']['constantKind'];
type Kind = 'bool' | 'int' | 'double' | 'string';

interface Typed {
  readonly kind: Kind;
  /** The only values that a text can have. */
  readonly values?: readonly string[] | undefined;
  /** The text itself, when it is written down. */
  readonly literal?: string | undefined;
}

const LOGIC: ReadonlySet<string> = new Set(['_&&_', '_||_', '!_']);
const EQUALITY: ReadonlySet<string> = new Set(['_==_', '_!=_']);
const ORDER: ReadonlySet<string> = new Set(['_<_', '_<=_', '_>_', '_>=_']);
const ARITHMETIC: ReadonlySet<string> = new Set(['_+_', '_-_', '_*_', '_/_', '-_']);
const MEMBERSHIP = '@in';

/**
 * Checks an expression.
 *
 * @returns the names of the signals that it speaks of.
 * @throws ConditionFault CONDITION_MALFORMED, CONDITION_SIGNAL, CONDITION_TYPE.
 */
export function checkExpression(root: Expression, catalogue: SignalCatalogue): readonly string[] {
  const checker = new Checker(catalogue);
  const { kind } = checker.typeOf(root, 0);
  if (kind !== 'bool') throw wrongType('it is no question: its result is not true or false');
  return [...checker.names];
}

class Checker {
  readonly names = new Set<string>();
  readonly #catalogue: SignalCatalogue;
  #parts = 0;

  constructor(catalogue: SignalCatalogue) {
    this.#catalogue = catalogue;
  }

  typeOf(expression: Expression, depth: number): Typed {
    this.#parts += 1;
    if (this.#parts > PARTS_MAX || depth > DEPTH_MAX) throw malformed('it is too long');
    const { exprKind } = expression;
    switch (exprKind.case) {
      case 'constExpr':
        return typeOfConstant(exprKind.value.constantKind);
      case 'selectExpr':
      case 'identExpr':
        return this.#typeOfSignal(nameOf(expression));
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value;
        if (target !== undefined) throw malformed(`it calls "${name}"`);
        return this.#typeOfCall(name, args, depth + 1);
      }
      case 'comprehensionExpr':
      case 'listExpr':
      case 'structExpr':
      case undefined:
      default:
        throw malformed('it has parts that conditions have not');
    }
  }

  #typeOfSignal(name: string): Typed {
    const description = this.#catalogue.get(name);
    if (description === undefined) {
      throw new ConditionFault('CONDITION_SIGNAL', `Cannot read condition: no signal "${name}"`);
    }
    this.names.add(name);
    return { kind: description.type, values: description.values };
  }

  #typeOfCall(name: string, operands: readonly Expression[], depth: number): Typed {
    if (name === MEMBERSHIP) return this.#typeOfMembership(operands, depth);
    const types = operands.map((operand) => this.typeOf(operand, depth));
    const [left, right = left] = types;
    if (left === undefined || right === undefined) throw malformed(`it calls "${name}"`);
    if (LOGIC.has(name)) {
      if (types.some(({ kind }) => kind !== 'bool')) throw wrongType('it joins no questions');
      return { kind: 'bool' };
    }
    if (EQUALITY.has(name)) {
      checkComparable(left, right);
      return { kind: 'bool' };
    }
    if (ORDER.has(name)) {
      if (!isNumber(left) || !isNumber(right)) throw wrongType('it orders what are no numbers');
      return { kind: 'bool' };
    }
    if (ARITHMETIC.has(name)) {
      if (!isNumber(left) || left.kind !== right.kind) {
        throw wrongType(
          'it reckons with different kinds of numbers: write 1.0 beside a measurement',
        );
      }
      return { kind: left.kind };
    }
    throw malformed(`it calls "${name}"`);
  }

  #typeOfMembership(operands: readonly Expression[], depth: number): Typed {
    const [item, list] = operands;
    if (item === undefined || list?.exprKind.case !== 'listExpr') {
      throw malformed('"in" has a list of values behind it');
    }
    const left = this.typeOf(item, depth);
    for (const element of list.exprKind.value.elements) {
      checkComparable(left, this.typeOf(element, depth));
    }
    return { kind: 'bool' };
  }
}

/** A chain of names as one; anything else in it is no signal. */
function nameOf(expression: Expression): string {
  const names: string[] = [];
  let place: Expression | undefined = expression;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    if (place?.exprKind.case === 'identExpr') {
      return [place.exprKind.value.name, ...names].join('.');
    }
    if (place?.exprKind.case !== 'selectExpr' || place.exprKind.value.testOnly) break;
    names.unshift(place.exprKind.value.field);
    place = place.exprKind.value.operand;
  }
  throw malformed('it has parts that conditions have not');
}

function typeOfConstant(constant: Constant): Typed {
  switch (constant.case) {
    case 'boolValue':
      return { kind: 'bool' };
    case 'int64Value':
      return { kind: 'int' };
    case 'doubleValue':
      return { kind: 'double' };
    case 'stringValue':
      return { kind: 'string', literal: constant.value };
    case 'bytesValue':
    case 'durationValue':
    case 'nullValue':
    case 'timestampValue':
    case 'uint64Value':
    case undefined:
    default:
      throw malformed('it has values that no signal has');
  }
}

function checkComparable(left: Typed, right: Typed): void {
  const isAlike = left.kind === right.kind || (isNumber(left) && isNumber(right));
  if (!isAlike) throw wrongType(`it compares ${left.kind} with ${right.kind}`);
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (one.literal !== undefined && other.values?.includes(one.literal) === false) {
      throw wrongType(`"${one.literal}" is none of ${other.values.join(', ')}`);
    }
  }
}

function isNumber({ kind }: Typed): boolean {
  return kind === 'int' || kind === 'double';
}

function malformed(why: string): ConditionFault {
  return new ConditionFault('CONDITION_MALFORMED', `Cannot read condition: ${why}`);
}

function wrongType(why: string): ConditionFault {
  return new ConditionFault('CONDITION_TYPE', `Cannot read condition: ${why}`);
}
