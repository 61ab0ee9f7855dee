/** Reads a condition: names of selections, `and`, `or`, `not`, parentheses, `1 of NAME*`, `all of them`. */
import { SocFault } from '../soc-fault.ts';
import { CONDITION_DEPTH_MAX, CONDITION_TOKENS_MAX } from './limits.ts';
import type { Condition } from './sigma-rule.ts';

const TOKEN = /\s*([()|]|[^\s()|]+)/gy;

/**
 * Reads a condition.
 *
 * @param text - as the rule has it.
 * @param names - of the selections that there are.
 * @throws SocFault RULE_MALFORMED, RULE_UNSUPPORTED for aggregations of old rules, RULE_LIMIT.
 */
export function parseCondition(text: string, names: readonly string[]): Condition {
  const tokens = [...text.matchAll(TOKEN)].map((match) => match[1] ?? '');
  if (tokens.length > CONDITION_TOKENS_MAX) {
    throw new SocFault('RULE_LIMIT', 'Cannot read condition: it is too long');
  }
  if (tokens.includes('|')) {
    throw new SocFault(
      'RULE_UNSUPPORTED',
      'Cannot read condition: aggregations behind a bar are gone since Sigma 2, use a correlation',
    );
  }
  const reader = new ConditionReader(tokens, names);
  const condition = reader.readOr(0);
  reader.checkEnd();
  return condition;
}

/** Finds the selections that a pattern with stars means; `them` means all that are not hidden. */
function namesOf(pattern: string, names: readonly string[]): readonly string[] {
  if (pattern === 'them') return names.filter((name) => !name.startsWith('_'));
  const parts = pattern.split('*');
  if (parts.length === 1) return names.filter((name) => name === pattern);
  const [head = '', ...rest] = parts;
  const tail = rest.at(-1) ?? '';
  return names.filter((name) => {
    if (!name.startsWith(head) || !name.endsWith(tail)) return false;
    let at = head.length;
    for (const part of rest.slice(0, -1)) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= name.length - tail.length;
  });
}

class ConditionReader {
  readonly #tokens: readonly string[];
  readonly #names: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[], names: readonly string[]) {
    this.#tokens = tokens;
    this.#names = names;
  }

  checkEnd(): void {
    const token = this.#tokens[this.#at];
    if (token !== undefined) throw malformed(`"${token}" is one too many`);
  }

  readOr(depth: number): Condition {
    return this.#readChain('or', depth, () => this.#readAnd(depth));
  }

  #readAnd(depth: number): Condition {
    return this.#readChain('and', depth, () => this.#readNot(depth));
  }

  #readChain(word: 'and' | 'or', depth: number, read: () => Condition): Condition {
    if (depth > CONDITION_DEPTH_MAX) {
      throw new SocFault('RULE_LIMIT', 'Cannot read condition: it nests too deep');
    }
    const parts = [read()];
    while (this.#peek() === word) {
      this.#at += 1;
      parts.push(read());
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: word, parts };
  }

  #readNot(depth: number): Condition {
    if (this.#peek() !== 'not') return this.#readPrimary(depth);
    this.#at += 1;
    return { kind: 'not', part: this.#readNot(depth + 1) };
  }

  #readPrimary(depth: number): Condition {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw malformed('it ends too early');
    this.#at += 1;
    if (token === '(') {
      const inner = this.readOr(depth + 1);
      if (this.#tokens[this.#at] !== ')') throw malformed('a parenthesis is not closed');
      this.#at += 1;
      return inner;
    }
    if (this.#peek() === 'of') {
      this.#at += 1;
      return this.#readQuantity(token.toLowerCase());
    }
    if (!this.#names.includes(token)) throw malformed(`there is no selection "${token}"`);
    return { kind: 'selection', name: token };
  }

  #readQuantity(quantity: string): Condition {
    const pattern = this.#tokens[this.#at];
    if (pattern === undefined) throw malformed('it ends too early');
    this.#at += 1;
    const names = namesOf(pattern, this.#names);
    if (names.length === 0) throw malformed(`"${pattern}" means no selection`);
    const parts = names.map((name): Condition => ({ kind: 'selection', name }));
    if (quantity === 'all') return { kind: 'and', parts };
    if (quantity === '1' || quantity === 'any') return { kind: 'or', parts };
    const count = Number(quantity);
    if (!Number.isSafeInteger(count) || count < 1) throw malformed(`"${quantity} of" is no number`);
    return atLeast(count, parts);
  }

  /** Words are read whatever their case. */
  #peek(): string | undefined {
    return this.#tokens[this.#at]?.toLowerCase();
  }
}

/** Ways to choose from many grow without bound: so many of so few is what people write. */
const CHOICES_MAX = 500;

/** At least so many of these: one of the ways to choose them. */
function atLeast(count: number, parts: readonly Condition[]): Condition {
  if (count > parts.length) throw malformed(`there are not ${count} of them`);
  let ways: (readonly Condition[])[] = [[]];
  for (let taken = 0; taken < count; taken += 1) {
    ways = ways.flatMap((way) => {
      const last = way.at(-1);
      const from = last === undefined ? 0 : parts.indexOf(last) + 1;
      return parts.slice(from).map((part) => [...way, part]);
    });
    if (ways.length > CHOICES_MAX) {
      throw new SocFault('RULE_LIMIT', 'Cannot read condition: too many ways to choose');
    }
  }
  return { kind: 'or', parts: ways.map((way): Condition => ({ kind: 'and', parts: way })) };
}

function malformed(why: string): SocFault {
  return new SocFault('RULE_MALFORMED', `Cannot read condition: ${why}`);
}
