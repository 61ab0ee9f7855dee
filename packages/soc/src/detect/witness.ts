/**
 * What must be in an event for a rule to match it at all. Rules are filed under it, so that an event meets
 * the few that it could match, and not the thousand that it cannot.
 */
import { plainWord } from './compile-condition.ts';
import type { Condition, FieldTest, Matcher, Selection } from './sigma-rule.ts';

/** Characters of a piece of text that is looked for. */
export const GRAM_LENGTH = 4;

/** One thing that may be in an event. Texts are in lower case. */
export type Witness =
  | { readonly kind: 'word'; readonly field: string; readonly text: string }
  | { readonly kind: 'piece'; readonly field: string; readonly text: string }
  | { readonly kind: 'field'; readonly field: string };

/** At least one of them is in every event that matches; undefined when nothing can be said. */
export type Witnesses = readonly Witness[] | undefined;

/** Finds what must be in an event that meets a condition. */
export function witnessesOf(
  condition: Condition,
  selections: ReadonlyMap<string, Selection>,
): Witnesses {
  switch (condition.kind) {
    case 'selection':
      return union((selections.get(condition.name) ?? []).map((tests) => best(tests.map(ofTest))));
    case 'and':
      return best(condition.parts.map((part) => witnessesOf(part, selections)));
    case 'or':
      return union(condition.parts.map((part) => witnessesOf(part, selections)));
    case 'not':
    default:
      return undefined;
  }
}

function ofTest({ field, matchers, needsAll }: FieldTest): Witnesses {
  if (field === undefined) return undefined;
  const each = matchers.map((matcher) => ofMatcher(field, matcher));
  return needsAll ? best(each) : union(each);
}

function ofMatcher(field: string, matcher: Matcher): Witnesses {
  const word = plainWord(matcher);
  if (word !== undefined) return [{ kind: 'word', field, text: word }];
  switch (matcher.kind) {
    case 'pattern': {
      const longest = matcher.parts
        .flatMap((part) => (part.kind === 'literal' ? [part.text.toLowerCase()] : []))
        .reduce((longer, text) => (text.length > longer.length ? text : longer), '');
      return longest.length < GRAM_LENGTH
        ? [{ kind: 'field', field }]
        : [{ kind: 'piece', field, text: longest }];
    }
    case 'regex':
    case 'number':
    case 'time':
    case 'cidr':
    case 'field':
      return [{ kind: 'field', field }];
    case 'exists':
      return matcher.isThere ? [{ kind: 'field', field }] : undefined;
    case 'literal':
    default:
      return undefined;
  }
}

/** Every alternative must say something. */
function union(each: readonly Witnesses[]): Witnesses {
  const all: Witness[] = [];
  for (const witnesses of each) {
    if (witnesses === undefined) return undefined;
    all.push(...witnesses);
  }
  return all;
}

/** Of several that must all be there the one that is found least often. */
function best(each: readonly Witnesses[]): Witnesses {
  let found: Witnesses;
  let least = Infinity;
  for (const witnesses of each) {
    if (witnesses !== undefined) {
      const cost = witnesses.reduce((sum, witness) => sum + costOf(witness), 0);
      if (cost < least) {
        least = cost;
        found = witnesses;
      }
    }
  }
  return found;
}

/** How often it is met by chance: a word of few letters more often than a long piece. */
function costOf(witness: Witness): number {
  switch (witness.kind) {
    case 'word':
      return witness.text.length > 3 ? 1 : 4;
    case 'piece':
      return 2 + 8 / witness.text.length;
    case 'field':
    default:
      return 100;
  }
}
