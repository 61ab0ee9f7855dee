import type { Context, Node, Rule } from './rule.ts';

/** A refusal carries a code that callers can tell apart. */
export const noBareError: Rule = {
  create: (context) => {
    const look = (node: Node): void => {
      if (node.callee?.name === 'Error') {
        context.report({ node, message: 'make a Fault of the package, not a bare Error' });
      }
    };
    return { NewExpression: look, CallExpression: look };
  },
};

/** The grammar of messages: `Cannot <verb> <what>: <why>`, with no full stop. */
export const faultMessage: Rule = {
  create: (context) => ({
    NewExpression(node): void {
      const message = node.arguments?.[1];
      if (message === undefined || node.callee?.name?.endsWith('Fault') !== true) return;
      judge(context, message);
    },
  }),
};

function judge(context: Context, message: Node): void {
  const start = textAt(message, 'start');
  if (start !== undefined && !/^Cannot (?:\S|$)/.test(start)) {
    context.report({ node: message, message: 'begin the message with "Cannot <verb> <what>"' });
  }
  if (/[.!]\s*$/.test(textAt(message, 'end') ?? '')) {
    context.report({ node: message, message: 'end the message without a full stop' });
  }
}

/** The literal text at one end of a message, or undefined where a value stands there. */
function textAt(node: Node, end: 'start' | 'end'): string | undefined {
  if (node.type === 'Literal') return String(node.value);
  if (node.type === 'TemplateLiteral') {
    return node.quasis?.at(end === 'start' ? 0 : -1)?.value.cooked ?? '';
  }
  if (node.type !== 'BinaryExpression') return undefined;
  const side = end === 'start' ? node.left : node.right;
  return side === undefined ? undefined : textAt(side, end);
}
