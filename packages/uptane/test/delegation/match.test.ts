import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  AKTUALIZR,
  type Delegation,
  delegationCovers,
  type Dialect,
  globMatches,
  parseHardwareIdentifier,
  parseTargetName,
  TUF,
} from '@immota/uptane';

/** The same, by trying every way: slow and plain. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return text.length === 0;
  if (head === '*') {
    return text.some((_, index) => naive(rest, text.slice(index))) || naive(rest, []);
  }
  const [first, ...others] = text;
  if (first === undefined) return false;
  if (head === '?') return naive(rest, others);
  const set = head === '[' ? readSet(rest) : undefined;
  if (set === undefined) return head === first && naive(rest, others);
  return set.holds(first) && naive(rest.slice(set.length), others);
}

interface CharacterSet {
  readonly length: number;
  readonly holds: (character: string) => boolean;
}

function readSet(rest: readonly string[]): CharacterSet | undefined {
  const inverted = rest[0] === '!';
  const start = inverted ? 1 : 0;
  const end = rest.findIndex((character, index) => index > start && character === ']');
  if (end < 0) return undefined;
  const members = rest.slice(start, end);
  const points = new Set<number>();
  for (let index = 0; index < members.length; index += 1) {
    const low = members[index]?.codePointAt(0) ?? 0;
    const isRange = members[index + 1] === '-' && members[index + 2] !== undefined;
    const high = isRange ? (members[index + 2]?.codePointAt(0) ?? 0) : low;
    for (let point = low; point <= high; point += 1) points.add(point);
    if (isRange) index += 2;
  }
  return {
    length: end + 1,
    holds: (character) => points.has(character.codePointAt(0) ?? 0) !== inverted,
  };
}

const unit = fc.constantFrom('a', 'b', 'c', '-', '*', '?', '[', ']', '!', '/', '🚗', '\uffff');
const text = fc.string({ unit, maxLength: 8 });

describe('globMatches()', () => {
  it('agrees with trying every way', () => {
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        assert.equal(globMatches(pattern, name), naive(Array.from(pattern), Array.from(name)));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees with trying every way where stars and sets abound', () => {
    const part = fc.constantFrom(
      '*',
      '?',
      '[ab]',
      '[!a]',
      '[a-c]',
      '[c-a]',
      '[]a]',
      '[!]]',
      'a',
      'b',
    );
    const pattern = fc.array(part, { maxLength: 7 }).map((parts) => parts.join(''));
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ']'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, name, (glob, candidate) => {
        assert.equal(globMatches(glob, candidate), naive(Array.from(glob), Array.from(candidate)));
      }),
      { numRuns: 3000 },
    );
  });

  it('knows stars, questions and sets', () => {
    const matches = [
      ['', ''],
      ['*', ''],
      ['***', 'abc'],
      ['a*', 'a'],
      ['*a', 'a'],
      ['a*c', 'abbc'],
      ['a?c', 'abc'],
      ['?', '🚗'],
      ['[🚗-🚙]', '🚘'],
      ['[a-c]x', 'bx'],
      ['[!a-c]x', 'dx'],
      ['[]]', ']'],
      ['[!]]', 'a'],
      ['[a-]', '-'],
      ['[-a]', '-'],
      ['[', '['],
      ['[a', '[a'],
      ['[]', '[]'],
      ['[!]', '[!]'],
      ['a]', 'a]'],
      ['[*]', '*'],
      ['sup1/*', 'sup1/deep/er/fw.bin'],
      ['*.*', 'a.b.c'],
    ] as const;
    const misses = [
      ['', 'a'],
      ['a', ''],
      ['?', ''],
      ['a*c', 'abb'],
      ['a?c', 'ac'],
      ['?', '🚗🚗'],
      ['??', '🚗'],
      ['[🚗-🚙]', '🚚'],
      ['[a-c]', 'd'],
      ['[!a-c]', 'b'],
      ['[!a]', ''],
      ['[c-a]', 'b'],
      ['[*]', 'a'],
      ['a*b*c', 'acb'],
      ['A', 'a'],
      [String.raw`\*`, '*'],
    ] as const;
    for (const [pattern, name] of matches)
      assert.ok(globMatches(pattern, name), `${pattern} ${name}`);
    for (const [pattern, name] of misses)
      assert.ok(!globMatches(pattern, name), `${pattern} ${name}`);
  });

  it('looks at each place of pattern and text a bounded number of times', () => {
    // With nested retries each of these would take longer than the machine will last.
    for (const pattern of ['*a'.repeat(500), '*[!b]'.repeat(200), '*?'.repeat(500)]) {
      const name = `${'a'.repeat(1000)}b`;
      assert.equal(globMatches(`${pattern}c`, name), false);
      assert.equal(globMatches(`${pattern}*b`, name), true);
    }
  });
});

function covers(dialect: Dialect, delegation: Partial<Delegation>, name: string): boolean {
  const whole: Delegation = {
    names: { kind: 'paths', patterns: ['*'] },
    hardwareIdentifiers: undefined,
    terminating: false,
    roles: [],
    agreeing: 1,
    ...delegation,
  };
  return delegationCovers(dialect, whole, {
    name: parseTargetName(name),
    hardwareIdentifiers: HARDWARE,
  });
}

const HARDWARE = [parseHardwareIdentifier('h1'), parseHardwareIdentifier('h2')];

function withPrefixes(...prefixes: readonly string[]): boolean {
  return covers(TUF, { names: { kind: 'hash-prefixes', prefixes } }, 'a');
}

describe('delegationCovers()', () => {
  it('lets a star cross a slash in the vehicle dialect and not in TUF', () => {
    for (const [pattern, name, vehicle, tuf] of [
      ['sup/*', 'sup/a.bin', true, true],
      ['sup/*', 'sup/deep/a.bin', true, false],
      ['*', 'a/b', true, false],
      ['*', 'a', true, true],
      ['*/*', 'a/b', true, true],
      ['a/b', 'a/b', true, true],
      ['a', 'a/b', false, false],
      ['a/?', 'a/b', true, true],
      ['a?b', 'a/b', true, false],
      ['a/*', 'a', false, false],
    ] as const) {
      const names = { kind: 'paths', patterns: ['nothing', pattern] } as const;
      assert.equal(covers(AKTUALIZR, { names }, name), vehicle, `${pattern} ${name}`);
      assert.equal(covers(TUF, { names }, name), tuf, `${pattern} ${name}`);
    }
    assert.ok(!covers(TUF, { names: { kind: 'paths', patterns: [] } }, 'a'));
  });

  it('needs every hardware that is asked for to be included {uptane L11}', () => {
    const [h1, h2] = HARDWARE;
    assert.ok(h1 && h2);
    const other = parseHardwareIdentifier('h3');
    assert.ok(covers(TUF, { hardwareIdentifiers: undefined }, 'a'));
    assert.ok(covers(TUF, { hardwareIdentifiers: new Set([h1, h2, other]) }, 'a'));
    assert.ok(!covers(TUF, { hardwareIdentifiers: new Set([h1, other]) }, 'a'));
    assert.ok(!covers(TUF, { hardwareIdentifiers: new Set() }, 'a'));
  });

  it('finds a name by the prefix of its hash', () => {
    const digest = createHash('sha256').update('a').digest('hex');
    assert.ok(withPrefixes(digest.slice(0, 2)));
    assert.ok(withPrefixes('zz', digest));
    assert.ok(!withPrefixes('zz', digest.slice(1, 3)));
    assert.ok(!withPrefixes());
  });

  it('covers every name by succinct roles', () => {
    assert.ok(covers(TUF, { names: { kind: 'succinct', bitLength: 4, namePrefix: 'b' } }, 'a'));
  });
});
