import { isMember, type Node, type Rule } from './rule.ts';

const AMBIENT = [
  ['Date', 'now', 'take the time as a parameter or from a Clock'],
  ['Temporal', 'Now', 'take the time as a parameter or from a Clock'],
  ['Math', 'random', 'take chance from an Entropy'],
] as const;

/** Time and chance come in as ports; who reads them elsewhere cannot be replayed from a seed. */
export const noAmbient: Rule = {
  create: (context) => ({
    MemberExpression(node): void {
      const found = AMBIENT.find(([object, property]) => isMember(node, object, property));
      if (found !== undefined) context.report({ node, message: found[2] });
    },
    NewExpression(node): void {
      if (node.callee?.name === 'Date' && node.arguments?.length === 0) {
        context.report({ node, message: AMBIENT[0][2] });
      }
    },
    CallExpression(node: Node): void {
      if (node.callee?.name === 'Date') context.report({ node, message: AMBIENT[0][2] });
    },
  }),
};

/** `JSON.parse` lets a repeated name pass, knows no limit and returns any. */
export const noJsonParse: Rule = {
  create: (context) => ({
    MemberExpression(node): void {
      if (isMember(node, 'JSON', 'parse')) {
        context.report({ node, message: 'read JSON with parseJson of @immota/base' });
      }
    },
  }),
};
