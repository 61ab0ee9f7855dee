import type { Context, Node, Rule } from './rule.ts';

/** Every export says what it is for, and every brand what holding it tells. */
export const documentedExport: Rule = {
  create: (context) => ({
    ExportNamedDeclaration(node): void {
      const { declaration } = node;
      if (declaration === undefined || declaration === null) return;
      const doc = docOf(context, node);
      if (doc === undefined) {
        context.report({ node, message: 'say in a doc comment what this export is for' });
      } else if (isBrand(declaration) && !/Holding an? /.test(doc)) {
        context.report({ node, message: 'say what "Holding a …" of this brand tells' });
      }
    },
  }),
};

function docOf(context: Context, node: Node): string | undefined {
  return context.sourceCode
    .getCommentsBefore(node)
    .findLast(({ type, value }) => type === 'Block' && value.startsWith('*'))?.value;
}

function isBrand(declaration: Node): boolean {
  const { type, typeAnnotation } = declaration;
  return type === 'TSTypeAliasDeclaration' && typeAnnotation?.typeName?.name === 'Brand';
}
