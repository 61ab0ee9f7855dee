/** A precondition that vehicles ask of their signals: looked over before it is signed for any of them. */
import { parse } from '@bufbuild/cel';
import { CloudFault } from '../fault.ts';

/** Signals stand under this name in the Vehicle Signal Specification. */
const ROOT = 'Vehicle';
/** Deeper than any condition that people read. */
const DEPTH_MAX = 32;

type Expression = ReturnType<typeof parse>['expr'];

/**
 * Checks a precondition: CEL of signals, values, comparisons and logic. A vehicle checks the names against
 * its own catalogue too, and waits where it does not know one.
 *
 * @param text - empty for none.
 * @throws CloudFault CAMPAIGN_MALFORMED.
 */
export function checkPrecondition(text: string): void {
  if (text === '') return;
  let root: Expression;
  try {
    root = parse(text).expr;
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'it is not CEL', error);
  }
  check(root, 0);
}

function check(expression: Expression, depth: number): void {
  if (depth > DEPTH_MAX) throw malformed('it nests too deep');
  const { exprKind } = expression;
  switch (exprKind.case) {
    case 'constExpr':
      return;
    case 'identExpr':
      throw malformed(`"${exprKind.value.name}" is no signal`);
    case 'selectExpr':
      checkSignal(expression, depth);
      return;
    case 'callExpr':
      if (exprKind.value.target !== undefined)
        throw malformed(`it calls "${exprKind.value.function}"`);
      for (const operand of exprKind.value.args) check(operand, depth + 1);
      return;
    case 'listExpr':
      for (const element of exprKind.value.elements) check(element, depth + 1);
      return;
    case 'comprehensionExpr':
    case 'structExpr':
    case undefined:
    default:
      throw malformed('it has parts that conditions have not');
  }
}

function checkSignal(expression: Expression, depth: number): void {
  let place: Expression | undefined = expression;
  for (let step = depth; step <= DEPTH_MAX && place !== undefined; step += 1) {
    const { exprKind }: Expression = place;
    if (exprKind.case === 'identExpr' && exprKind.value.name === ROOT) return;
    if (exprKind.case !== 'selectExpr' || exprKind.value.testOnly) break;
    place = exprKind.value.operand;
  }
  throw malformed(`every signal begins with "${ROOT}."`);
}

function malformed(why: string, cause?: unknown): CloudFault {
  return new CloudFault('CAMPAIGN_MALFORMED', `Cannot read precondition: ${why}`, { cause });
}
