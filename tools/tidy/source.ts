/** Reads what one source file imports, calls and says. By a parser: a regular expression would lie. */
import { parseSync, Visitor } from 'oxc-parser';

/** A file as the fences see it. */
export interface Source {
  /** Each specifier once, from imports, re-exports, `import()`, `require()` and `resolve()`. */
  readonly specifiers: readonly string[];
  readonly comments: readonly Place[];
  /** String literals and the fixed parts of templates. */
  readonly strings: readonly Place[];
  /** Calls such as `it.only`: the tests they leave out look as if they had passed. */
  readonly narrowed: readonly Place[];
}

/** A piece of text and the line it starts on, counted from 1. */
export interface Place {
  readonly text: string;
  readonly line: number;
}

const TEST_WORDS: ReadonlySet<string> = new Set(['it', 'test', 'describe', 'suite']);
const NARROWING: ReadonlySet<string> = new Set(['only', 'skip', 'todo']);

/**
 * Reads a TypeScript file.
 *
 * @param file - its name, for the parser to know the dialect by.
 * @param text - its content.
 */
export function readSource(file: string, text: string): Source {
  const { module, program, comments } = parseSync(file, text);
  const lineOf = lineFinder(text);
  const strings: Place[] = [];
  const narrowed: Place[] = [];
  const specifiers = new Set([
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports
      .map(({ moduleRequest: { start, end } }) => text.slice(start, end))
      .filter((request) => /^(['"`])[^$]*\1$/.test(request))
      .map((request) => request.slice(1, -1)),
  ]);
  new Visitor({
    Literal(node) {
      if (typeof node.value === 'string') {
        strings.push({ text: node.value, line: lineOf(node.start) });
      }
    },
    TemplateElement(node) {
      strings.push({ text: node.value.cooked ?? node.value.raw, line: lineOf(node.start) });
    },
    CallExpression({ callee, arguments: [first], start }) {
      const called = text.slice(callee.start, callee.end);
      if (/^(?:require|require\.resolve|import\.meta\.resolve)$/.test(called)) {
        if (first?.type === 'Literal' && typeof first.value === 'string') {
          specifiers.add(first.value);
        }
      }
      if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return;
      if (!TEST_WORDS.has(callee.object.name) || callee.property.type !== 'Identifier') return;
      if (NARROWING.has(callee.property.name)) narrowed.push({ text: called, line: lineOf(start) });
    },
  }).visit(program);
  return {
    specifiers: [...specifiers],
    comments: comments.map(({ value, start }) => ({ text: value, line: lineOf(start) })),
    strings,
    narrowed,
  };
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (const { index } of text.matchAll(/\n/g)) starts.push(index + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
