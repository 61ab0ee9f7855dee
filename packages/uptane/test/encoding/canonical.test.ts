import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type JsonValue, parseJson, utf8 } from '@immota/base';
import { type CanonicalForm, compareCodePoints, encodeCanonical } from '@immota/uptane';
import { jsonText, jsonTree } from '../support/json.ts';
import { codeOf } from '../support/world.ts';

function canonical(value: JsonValue, form: CanonicalForm): string {
  return new TextDecoder().decode(encodeCanonical(value, form));
}

/** The same, as slowly and plainly as it can be said. */
function naive(value: JsonValue, form: CanonicalForm): string {
  if (typeof value === 'string') return naiveText(value, form);
  if (Array.isArray(value)) return `[${value.map((item) => naive(item, form)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value)
    .map(([name, inner]) => ({
      points: Array.from(name, (c) => c.codePointAt(0) ?? 0),
      name,
      inner,
    }))
    .toSorted((left, right) => naiveCompare(left.points, right.points))
    .map(({ name, inner }) => `${naiveText(name, form)}:${naive(inner, form)}`);
  return `{${members.join(',')}}`;
}

function naiveCompare(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; ; index += 1) {
    const [a, b] = [left[index] ?? -1, right[index] ?? -1];
    if (a !== b || a === -1) return a - b;
  }
}

const SHORT: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
};

function naiveText(text: string, form: CanonicalForm): string {
  let written = '';
  for (let index = 0; index < text.length; index += 1) {
    const unit = text[index] ?? '';
    const code = text.charCodeAt(index);
    if (form === 'olpc') written += unit === '"' || unit === '\\' ? `\\${unit}` : unit;
    else if (SHORT[unit] !== undefined) written += SHORT[unit];
    else if (code < 0x20 || code > 0x7f) written += `\\u${code.toString(16).padStart(4, '0')}`;
    else written += unit;
  }
  return `"${written}"`;
}

describe('encodeCanonical()', () => {
  for (const form of ['olpc', 'escaped'] as const) {
    it(`agrees with a plain reference in the form ${form}`, () => {
      fc.assert(
        fc.property(jsonTree, (value) => {
          assert.equal(canonical(value, form), naive(value, form));
        }),
        { numRuns: 500 },
      );
    });

    it(`says the same whatever the order of members in ${form}`, () => {
      fc.assert(
        fc.property(fc.dictionary(jsonText, fc.integer(), { maxKeys: 6 }), (object) => {
          const reversed = Object.fromEntries(Object.entries(object).toReversed());
          assert.equal(canonical(reversed, form), canonical(object, form));
        }),
      );
    });

    it(`refuses fractions and what is beyond 2^53 - 1 in ${form}, wherever it stands`, () => {
      for (const odd of [1.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const value of [odd, [odd], { a: odd }, { b: 1, a: [{ z: 1, y: odd }] }]) {
          assert.equal(
            codeOf(() => encodeCanonical(value, form)),
            'MALFORMED',
          );
        }
      }
      assert.equal(
        canonical([2 ** 53 - 1, -(2 ** 53) + 1, 0, -0], form),
        `[${['9007199254740991', '-9007199254740991', '0', '0'].join(',')}]`,
      );
    });

    it(`needs no stack for depth in ${form}`, () => {
      let deep: JsonValue = { b: 1, a: 'é' };
      for (let level = 0; level < 20_000; level += 1)
        deep = level % 2 === 0 ? [deep] : { b: deep, a: 1 };
      assert.ok(canonical(deep, form).endsWith(']'.repeat(0) + '}'));
    });
  }

  it('reads back as what it was, in the escaped form', () => {
    fc.assert(
      fc.property(jsonTree, (value) => {
        const bytes = encodeCanonical(value, 'escaped');
        assert.deepEqual(encodeCanonical(parseJson(bytes, 1e6), 'escaped'), bytes);
      }),
    );
  });

  it('escapes quote and backslash only in the OLPC form', () => {
    const cases: readonly (readonly [JsonValue, string])[] = [
      [{ b: 1, a: [true, false, null] }, '{"a":[true,false,null],"b":1}'],
      [{}, '{}'],
      [[], '[]'],
      ['', '""'],
      ['a"b\\c', String.raw`"a\"b\\c"`],
      ['\u0000\n\t\b\f\r\u001f\u007f', '"\u0000\n\t\b\f\r\u001f\u007f"'],
      [String.raw`\n\u0041\\`, String.raw`"\\n\\u0041\\\\"`],
      ['/é€🚗\u2028', '"/é€🚗\u2028"'],
      [[[1, 2, []], {}], '[[1,2,[]],{}]'],
      [{ 10: 1, 9: 2 }, '{"10":1,"9":2}'],
      [-0, '0'],
    ];
    for (const [value, expected] of cases) assert.equal(canonical(value, 'olpc'), expected);
  });

  it("writes the vehicle dialect's escapes", () => {
    const cases: readonly (readonly [JsonValue, string])[] = [
      ['"\\/\b\f\n\r\t', String.raw`"\"\\/\b\f\n\r\t"`],
      ['\u0000\u000b\u001f\u007f', '"\\u0000\\u000b\\u001f\u007f"'],
      ['\u0080é€\uffff', String.raw`"\u0080\u00e9\u20ac\uffff"`],
      ['🚗', String.raw`"\ud83d\ude97"`],
      ['-----BEGIN-----\nAB==\n', String.raw`"-----BEGIN-----\nAB==\n"`],
      [{ 日本: '漢', a: 1 }, String.raw`{"a":1,"\u65e5\u672c":"\u6f22"}`],
      [
        { '\u{ffff}': 1, '\u{10000}': 2, Z: 3, a: 4, '': 5 },
        String.raw`{"":5,"Z":3,"a":4,"\uffff":1,"\ud800\udc00":2}`,
      ],
    ];
    for (const [value, expected] of cases) assert.equal(canonical(value, 'escaped'), expected);
  });

  it('sorts by code point and not by UTF-16 unit', () => {
    const object = { '\u{1f697}': 1, '\u{ffff}': 2, '\u{e000}': 3, '\u{d7ff}': 4 };
    assert.equal(
      canonical(object, 'olpc'),
      '{"\u{d7ff}":4,"\u{e000}":3,"\u{ffff}":2,"\u{1f697}":1}',
    );
    const byUnits = { '\u{1f697}': 1, '\u{ffff}': 2 };
    assert.equal(canonical(byUnits, 'olpc'), '{"\u{ffff}":2,"\u{1f697}":1}');
    assert.equal(
      canonical([{ a: [byUnits] }], 'escaped'),
      String.raw`[{"a":[{"\uffff":2,"\ud83d\ude97":1}]}]`,
    );
    const ordered = { '\u{ffff}': 1, '\u{10000}': 2 };
    assert.equal(canonical(ordered, 'olpc'), '{"\u{ffff}":1,"\u{10000}":2}');
  });

  it('takes names that objects have by nature', () => {
    const value = parseJson(utf8('{"constructor":1,"__proto__":{"toString":2}}'), 100);
    assert.equal(canonical(value, 'olpc'), '{"__proto__":{"toString":2},"constructor":1}');
    const ordered = parseJson(utf8('{"__proto__":{"toString":"\\\\"},"constructor":1}'), 100);
    assert.equal(
      canonical(ordered, 'olpc'),
      String.raw`{"__proto__":{"toString":"\\"},"constructor":1}`,
    );
  });
});

describe('compareCodePoints()', () => {
  it('orders as the UTF-8 bytes do', () => {
    fc.assert(
      fc.property(jsonText, jsonText, (left, right) => {
        const expected = Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
        assert.equal(Math.sign(compareCodePoints(left, right)), expected);
      }),
      { numRuns: 500 },
    );
  });

  it('puts the shorter of two first where one begins the other', () => {
    assert.ok(compareCodePoints('a', 'ab') < 0);
    assert.ok(compareCodePoints('ab', 'a') > 0);
    assert.equal(compareCodePoints('ab', 'ab'), 0);
  });

  it('ranks surrogates above every other unit', () => {
    for (const [lower, higher] of [
      ['\ud7ff', '\ud800'],
      ['\ue000', '\ud800'],
      ['\uffff', '\udc00'],
      ['\ud7ff', '\ue000'],
    ] as const) {
      assert.ok(compareCodePoints(lower, higher) < 0, lower);
      assert.ok(compareCodePoints(higher, lower) > 0, higher);
    }
  });
});
