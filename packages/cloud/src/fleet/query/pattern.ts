/**
 * Regular expressions of fleet queries. CEL speaks RE2 and PostgreSQL its own language: what both read
 * alike is let pass, written anew for the database, and the rest is refused. Without back references and
 * repetitions within repetitions no pattern takes long.
 */
import { malformed } from './malformed.ts';

const PATTERN_MAX_LENGTH = 200;
/** PostgreSQL counts no further. */
const REPEAT_MAX = 255;
const CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  s: String.raw`\t\n\f\r `,
};
const PUNCTUATION = /^[!-/:-@[-`{-~]$/;

/**
 * Writes a pattern as PostgreSQL reads it.
 *
 * @param text - RE2.
 * @throws CloudFault QUERY_MALFORMED.
 */
export function patternFor(text: string): string {
  if (text.length > PATTERN_MAX_LENGTH) {
    throw malformed(`a pattern has at most ${PATTERN_MAX_LENGTH} characters`);
  }
  const reader = new PatternReader(Array.from(text));
  return reader.read();
}

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;
  #repeats = 0;

  constructor(characters: readonly string[]) {
    this.#characters = characters;
  }

  read(): string {
    const pattern = this.#alternatives();
    if (this.#at < this.#characters.length) throw refused(this.#rest());
    return pattern;
  }

  #alternatives(): string {
    const branches = [this.#branch()];
    while (this.#take('|')) branches.push(this.#branch());
    return branches.join('|');
  }

  #branch(): string {
    let branch = '';
    let next = this.#characters[this.#at];
    while (next !== undefined && next !== '|' && next !== ')') {
      if (next === '^' || next === '$') {
        this.#at += 1;
        branch += next;
      } else {
        branch += this.#repeated();
      }
      next = this.#characters[this.#at];
    }
    if (branch === '') throw refused('an empty branch');
    return branch;
  }

  #repeated(): string {
    const before = this.#repeats;
    const atom = this.#atom();
    const repeat = this.#repeat();
    if (repeat === '') return atom;
    if (this.#repeats > before) throw refused('a repetition within a repetition');
    this.#repeats += 1;
    return atom + repeat;
  }

  #repeat(): string {
    const next = this.#characters[this.#at] ?? '';
    let repeat = '';
    if ('*+?'.includes(next) && next !== '') {
      this.#at += 1;
      repeat = next;
    } else if (next === '{') {
      const [whole = '', least = '', , most = ''] =
        /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.#rest()) ?? [];
      const isRising = most === '' || Number(least) <= Number(most);
      if (whole === '' || Number(least) > REPEAT_MAX || Number(most) > REPEAT_MAX || !isRising) {
        throw refused(this.#rest());
      }
      this.#at += whole.length;
      repeat = whole;
    }
    const after = this.#characters[this.#at] ?? '';
    if (repeat !== '' && after !== '' && '*+?{'.includes(after)) throw refused(repeat + after);
    return repeat;
  }

  #atom(): string {
    const next = this.#characters[this.#at] ?? '';
    this.#at += 1;
    switch (next) {
      case '.':
        return String.raw`[^\n]`;
      case '[':
        return this.#class();
      case '(': {
        if (this.#take('?') && !this.#take(':')) throw refused('(?');
        const inner = this.#alternatives();
        if (!this.#take(')')) throw refused('a parenthesis that stays open');
        return `(?:${inner})`;
      }
      case '\\':
        return this.#escape();
      default:
        if ('*+?{}])'.includes(next)) throw refused(next);
        return literal(next);
    }
  }

  #escape(): string {
    const next = this.#characters[this.#at] ?? '';
    this.#at += 1;
    const inner = CLASSES[next];
    if (inner !== undefined) return `[${inner}]`;
    if (!PUNCTUATION.test(next)) throw refused(`\\${next}`);
    return literal(next);
  }

  #class(): string {
    const isNegated = this.#take('^');
    let members = '';
    while (!this.#take(']')) {
      const first = this.#member();
      if (this.#characters[this.#at] === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at += 1;
        const last = this.#member();
        if (first.length > 1 || last.length > 1 || first > last) throw refused('a range');
        members += `${literal(first)}-${literal(last)}`;
      } else {
        members += first.length > 1 ? first : literal(first);
      }
    }
    if (members === '') throw refused('an empty class');
    return `[${isNegated ? '^' : ''}${members}]`;
  }

  /** One character, or the members of an escaped class. */
  #member(): string {
    const next = this.#characters[this.#at] ?? '';
    this.#at += 1;
    if (next !== '\\') {
      if (next === '' || next === '[' || !isPlain(next)) throw refused(`[${next}`);
      return next;
    }
    const escaped = this.#characters[this.#at] ?? '';
    this.#at += 1;
    const inner = CLASSES[escaped];
    if (inner !== undefined) return inner;
    if (!PUNCTUATION.test(escaped)) throw refused(`\\${escaped}`);
    return escaped;
  }

  #take(character: string): boolean {
    const isNext = this.#characters[this.#at] === character;
    if (isNext) this.#at += 1;
    return isNext;
  }

  #rest(): string {
    return this.#characters.slice(this.#at).join('');
  }
}

function literal(character: string): string {
  return PUNCTUATION.test(character) ? `\\${character}` : character;
}

/** One UTF-16 unit: beyond that ranges are read in two ways. */
function isPlain(character: string): boolean {
  return character.length === 1;
}

function refused(part: string): ReturnType<typeof malformed> {
  return malformed(`a pattern cannot have "${part.slice(0, 20)}"`);
}
