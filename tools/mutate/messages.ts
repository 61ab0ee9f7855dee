/** A plugin of Stryker: leaves the words for people alone, since tests assert codes and no messages. */

interface Path {
  readonly node: unknown;
  readonly parent: {
    readonly type: string;
    readonly callee?: { readonly name?: string };
    readonly arguments?: readonly unknown[];
  } | null;
}

/**
 * Tells whether a piece of code is the message of a Fault or the statement of an assertion.
 *
 * @param path - where the mutation would be made.
 * @returns why it is left out, or undefined.
 */
function shouldIgnore({ node, parent }: Path): string | undefined {
  if (parent === null || parent.arguments?.[1] !== node) return undefined;
  const name = parent.callee?.name ?? '';
  const isFault = parent.type === 'NewExpression' && name.endsWith('Fault');
  const isAssert = parent.type === 'CallExpression' && name === 'assert';
  return isFault || isAssert ? 'words for people are not asserted' : undefined;
}

/** What Stryker looks for in a plugin. */
export const strykerPlugins: readonly unknown[] = [
  { kind: 'Ignore', name: 'messages', value: { shouldIgnore } },
];
