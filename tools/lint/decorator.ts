import type { Rule } from './rule.ts';

/** The compiler lets decorators pass and Node stops at them. */
export const noDecorator: Rule = {
  create: (context) => ({
    Decorator(node): void {
      context.report({ node, message: 'Node cannot strip a decorator' });
    },
  }),
};
