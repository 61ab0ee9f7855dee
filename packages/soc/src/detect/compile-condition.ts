/** Makes of a rule's condition a function that is quick to ask. */
import { unreachable } from '@immota/base';
import { RE2JS } from 're2js';
import type { EventView } from './event-view.ts';
import { networkTest } from './read-matchers.ts';
import type { FieldValue } from './security-event.ts';
import type {
  Comparison,
  Condition,
  FieldTest,
  Matcher,
  PatternPart,
  Selection,
  TimePart,
} from './sigma-rule.ts';

/** Tells whether an event meets something. */
export type Predicate = (view: EventView) => boolean;
type FieldPredicate = (view: EventView, field: string) => boolean;

/** Compiles a condition over selections. */
export function compileCondition(
  condition: Condition,
  selections: ReadonlyMap<string, Selection>,
): Predicate {
  switch (condition.kind) {
    case 'selection':
      return compileSelection(selections.get(condition.name) ?? []);
    case 'not': {
      const inner = compileCondition(condition.part, selections);
      return (view) => !inner(view);
    }
    case 'and':
      return all(condition.parts.map((part) => compileCondition(part, selections)));
    case 'or':
      return any(condition.parts.map((part) => compileCondition(part, selections)));
    default:
      return unreachable(condition);
  }
}

function compileSelection(selection: Selection): Predicate {
  return any(selection.map((tests) => all(tests.map((test) => compileTest(test)))));
}

function all(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (view) => predicates.every((predicate) => predicate(view));
}

function any(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (view) => predicates.some((predicate) => predicate(view));
}

function compileTest({ field, matchers, needsAll }: FieldTest): Predicate {
  if (field === undefined) return compileAnywhere(matchers, needsAll);
  // Plain words in great number are looked up at once instead of compared one by one.
  const words = needsAll || matchers.length < 4 ? undefined : plainWords(matchers);
  if (words !== undefined) {
    return (view) => {
      const text = view.lowered(field);
      return text !== undefined && words.has(text);
    };
  }
  const compiled = matchers.map((matcher) => compileMatcher(matcher));
  return needsAll
    ? (view) => compiled.every((matches) => matches(view, field))
    : (view) => compiled.some((matches) => matches(view, field));
}

/** A word without a field may stand in any of them. */
function compileAnywhere(matchers: readonly Matcher[], needsAll: boolean): Predicate {
  const compiled = matchers.map((matcher) => compileMatcher(matcher));
  return needsAll
    ? (view) => compiled.every((matches) => isAnywhere(view, matches))
    : (view) => compiled.some((matches) => isAnywhere(view, matches));
}

function isAnywhere(view: EventView, matches: FieldPredicate): boolean {
  for (const field of view.event.fields.keys()) if (matches(view, field)) return true;
  return false;
}

function plainWords(matchers: readonly Matcher[]): ReadonlySet<string> | undefined {
  const words = new Set<string>();
  for (const matcher of matchers) {
    const word = plainWord(matcher);
    if (word === undefined) return undefined;
    words.add(word);
  }
  return words;
}

/** What a matcher asks a field to be, letter by letter in any case; undefined when it asks more or less. */
export function plainWord(matcher: Matcher): string | undefined {
  if (matcher.kind === 'literal') {
    return matcher.value === null ? undefined : String(matcher.value).toLowerCase();
  }
  if (matcher.kind !== 'pattern' || matcher.isCased) return undefined;
  const [only, more] = matcher.parts;
  if (only === undefined) return '';
  return more === undefined && only.kind === 'literal' ? only.text.toLowerCase() : undefined;
}

function compileMatcher(matcher: Matcher): FieldPredicate {
  switch (matcher.kind) {
    case 'pattern':
      return compilePattern(matcher.parts, matcher.isCased);
    case 'regex': {
      const pattern = RE2JS.compile(matcher.source, regexFlags(matcher.flags));
      return (view, field) => {
        const text = view.text(field);
        return text !== undefined && pattern.matcher(text).find();
      };
    }
    case 'number':
      return compileNumber(matcher.comparison, matcher.value);
    case 'time':
      return (view, field) => timePart(view.value(field), matcher.part) === matcher.value;
    case 'literal':
      return compileLiteral(matcher.value);
    case 'exists':
      return (view, field) => (view.value(field) !== undefined) === matcher.isThere;
    case 'cidr': {
      const isInside = networkTest(matcher.network);
      return (view, field) => {
        const text = view.text(field);
        return text !== undefined && isInside(text);
      };
    }
    case 'field':
      return compileReference(matcher);
    default:
      return unreachable(matcher);
  }
}

function regexFlags(flags: string): number {
  let bits = 0;
  if (flags.includes('i')) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('m')) bits |= RE2JS.MULTILINE;
  if (flags.includes('s')) bits |= RE2JS.DOTALL;
  return bits;
}

function compileLiteral(value: FieldValue): FieldPredicate {
  if (value === null) {
    // Sigma's null is a field that is empty or not there.
    return (view, field) => {
      const found = view.value(field);
      return found === undefined || found === null;
    };
  }
  const wanted = String(value).toLowerCase();
  return (view, field) => view.lowered(field) === wanted;
}

function compileNumber(comparison: Comparison, value: number): FieldPredicate {
  return (view, field) => {
    const found = view.value(field);
    if (found === undefined || found === null || found === '' || typeof found === 'boolean') {
      return false;
    }
    const number = typeof found === 'number' ? found : Number(found);
    return !Number.isNaN(number) && compare(number, comparison, value);
  };
}

/** Compares two numbers. */
export function compare(left: number, comparison: Comparison, right: number): boolean {
  switch (comparison) {
    case 'lt':
      return left < right;
    case 'lte':
      return left <= right;
    case 'gt':
      return left > right;
    case 'gte':
      return left >= right;
    case 'eq':
      return left === right;
    case 'neq':
      return left !== right;
    default:
      return unreachable(comparison);
  }
}

function timePart(value: FieldValue | undefined, part: TimePart): number | undefined {
  if (typeof value !== 'string') return undefined;
  const milliseconds = Date.parse(value);
  if (Number.isNaN(milliseconds)) return undefined;
  const at = Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO('UTC');
  return part === 'week' ? at.weekOfYear : at[part];
}

function compileReference({
  field: other,
  how,
  isCased,
}: Extract<Matcher, { readonly kind: 'field' }>): FieldPredicate {
  const read = (view: EventView, field: string): string | undefined =>
    isCased ? view.text(field) : view.lowered(field);
  return (view, field) => {
    const left = read(view, field);
    const right = read(view, other);
    if (left === undefined || right === undefined) return false;
    switch (how) {
      case 'equals':
        return left === right;
      case 'contains':
        return left.includes(right);
      case 'startswith':
        return left.startsWith(right);
      case 'endswith':
        return left.endsWith(right);
      default:
        return unreachable(how);
    }
  };
}

function compilePattern(parts: readonly PatternPart[], isCased: boolean): FieldPredicate {
  const matches = compileText(
    isCased
      ? parts
      : parts.map((part) =>
          part.kind === 'literal' ? { ...part, text: part.text.toLowerCase() } : part,
        ),
  );
  return (view, field) => {
    const text = isCased ? view.text(field) : view.lowered(field);
    return text !== undefined && matches(text);
  };
}

/** Nearly all patterns are one text with a star before it, behind it, both or none. */
function compileText(parts: readonly PatternPart[]): (text: string) => boolean {
  const shape = parts.map(({ kind }) => kind).join(' ');
  const found = parts.find((part) => part.kind === 'literal');
  const literal = found?.text ?? '';
  switch (shape) {
    case '':
      return (text) => text === '';
    case 'many':
      return () => true;
    case 'literal':
      return (text) => text === literal;
    case 'many literal many':
      return (text) => text.includes(literal);
    case 'literal many':
      return (text) => text.startsWith(literal);
    case 'many literal':
      return (text) => text.endsWith(literal);
    default:
      return (text) => matchesParts(text, parts);
  }
}

/** Goes back to the last star alone, so that time grows with text times pattern at most. */
function matchesParts(text: string, parts: readonly PatternPart[]): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length || index < parts.length) {
    const part = parts[index];
    if (part?.kind === 'many') {
      star = index;
      starAt = at;
      index += 1;
    } else if (part?.kind === 'one' && at < text.length) {
      at += 1;
      index += 1;
    } else if (part?.kind === 'literal' && text.startsWith(part.text, at)) {
      at += part.text.length;
      index += 1;
    } else if (star !== -1 && starAt < text.length) {
      starAt += 1;
      at = starAt;
      index = star + 1;
    } else {
      return false;
    }
  }
  return true;
}
