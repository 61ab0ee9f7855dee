/** The little of ESLint's shapes that the house rules use. */

/** A node of the syntax tree; every rule narrows by `type` before it reads on. */
export interface Node {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly callee?: Node;
  readonly object?: Node;
  readonly property?: Node;
  readonly arguments?: readonly Node[];
  readonly argument?: Node | null;
  readonly quasis?: readonly { readonly value: { readonly cooked: string | null } }[];
  readonly left?: Node;
  readonly right?: Node;
  readonly params?: readonly Node[];
  readonly body?: Node | readonly Node[];
  readonly expression?: Node;
  readonly declaration?: Node | null;
  readonly typeAnnotation?: Node;
  readonly typeName?: Node;
  readonly parent?: Node;
}

/** What oxlint hands to a rule. */
export interface Context {
  readonly sourceCode: {
    getCommentsBefore(node: Node): readonly { readonly type: string; readonly value: string }[];
  };
  report(finding: { readonly node: Node; readonly message: string }): void;
}

/** One rule: callbacks by the kind of node. */
export interface Rule {
  create(context: Context): Record<string, (node: Node) => void>;
}

/**
 * Tells whether a node reads `object.property`, written with a dot.
 *
 * @param node - any node.
 * @param object - the name on the left.
 * @param property - the name on the right.
 */
export function isMember(node: Node | undefined, object: string, property: string): boolean {
  return (
    node?.type === 'MemberExpression' &&
    node.object?.name === object &&
    node.property?.name === property
  );
}
