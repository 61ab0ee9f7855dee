import { isMember, type Node, type Rule } from './rule.ts';

/** Titles state what is: "refuses a repeated name", not what should be. */
export const testTitle: Rule = {
  create: (context) => ({
    CallExpression(node): void {
      const title = node.arguments?.[0];
      if (!['it', 'test', 'describe'].includes(node.callee?.name ?? '')) return;
      const text = title?.quasis?.[0]?.value.cooked ?? title?.value;
      if (typeof text === 'string' && /^should\b/i.test(text)) {
        context.report({ node, message: 'title the test in the present tense, without "should"' });
      }
    },
  }),
};

/** A code is API and a message is not; an expectation without either accepts any mistake. */
export const assertCode: Rule = {
  create: (context) => ({
    CallExpression(node): void {
      const { callee } = node;
      if (!isMember(callee, 'assert', 'throws') && !isMember(callee, 'assert', 'rejects')) return;
      const expected = node.arguments?.[1];
      if (expected === undefined || expected.type === 'Literal') {
        context.report({ node, message: "expect a code: { code: '…' }" });
      }
    },
  }),
};

/** A test that waits for the clock on the wall is slow today and red tomorrow. */
export const noSleep: Rule = {
  create: (context) => ({
    NewExpression(node): void {
      const executor = node.arguments?.[0];
      if (node.callee?.name !== 'Promise' || executor === undefined) return;
      if (isSleep(executor)) context.report({ node, message: 'advance a clock, do not sleep' });
    },
    ImportDeclaration(node): void {
      const { source } = node as { readonly source?: Node };
      if (source?.value === 'node:timers/promises') {
        context.report({ node, message: 'advance a clock, do not sleep' });
      }
    },
  }),
};

/** An executor that only hands its `resolve` to a timer. */
function isSleep({ params, body }: Node): boolean {
  const block = Array.isArray(body) ? undefined : (body as Node | undefined);
  const statements = Array.isArray(block?.body) ? (block.body as readonly Node[]) : [];
  const calls = [block, ...statements.map(({ expression }) => expression)];
  return calls.some(
    (call) =>
      call?.callee?.name === 'setTimeout' &&
      call.arguments?.[0]?.name !== undefined &&
      call.arguments[0].name === params?.[0]?.name,
  );
}
