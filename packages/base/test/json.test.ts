import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isJsonObject, type JsonObject, member, parseJson, utf8 } from '@immota/base';

const LENGTH_MAX_BYTES = 10_000;

function parse(text: string): unknown {
  return parseJson(utf8(text), LENGTH_MAX_BYTES);
}

describe('parseJson()', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
    );
  });

  it('gives a value or a coded refusal for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
        try {
          parseJson(bytes, 150);
        } catch (error) {
          assert.equal((error as Error).name, 'InputFault');
        }
      }),
    );
  });

  it('refuses a repeated member wherever it stands, and however it is spelled', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"b":2,"a":3}',
      '[{"x":{"a":1,"a":2}}]',
      String.raw`{"a":1,"\u0061":2}`,
      '{"__proto__":1,"__proto__":2}',
    ]) {
      assert.throws(() => parse(text), { code: 'JSON_MALFORMED' }, text);
    }
  });

  it('counts no colon, quote or bracket inside a string', () => {
    for (const text of [
      '{"a:b":":::"}',
      String.raw`{"a\":{\\":"]}:\\"}`,
      String.raw`["\\",{"a":"\\\""}]`,
      `["${'['.repeat(100)}"]`,
    ]) {
      assert.deepEqual(parse(text), JSON.parse(text));
    }
  });

  it('keeps equal names apart that belong to different objects', () => {
    assert.deepEqual(parse('[{"a":1},{"a":2}]'), [{ a: 1 }, { a: 2 }]);
  });

  it('takes exactly the allowed length and not a byte more', () => {
    assert.equal(parseJson(utf8('123'), 3), 123);
    assert.throws(() => parseJson(utf8('1234'), 3), { code: 'JSON_LIMIT' });
  });

  it('takes 32 levels and not one more, of either bracket', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nest = (levels: number): string =>
        `${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}`;
      assert.doesNotThrow(() => parse(nest(32)));
      assert.throws(() => parse(nest(33)), { code: 'JSON_LIMIT' });
    }
  });

  it('counts levels across whatever stands between them', () => {
    assert.throws(() => parse(`${'[1, '.repeat(33)}1${']'.repeat(33)}`), { code: 'JSON_LIMIT' });
  });

  it('takes any number of objects beside each other', () => {
    assert.doesNotThrow(() => parse(`[${'{},'.repeat(100)}[]]`));
  });

  it('refuses what is no JSON, no UTF-8, or begins with a byte order mark', () => {
    for (const bytes of [
      utf8(''),
      utf8('{'),
      utf8('"a'),
      utf8('"a\\'),
      utf8("{'a':1}"),
      utf8('{"a":1}x'),
      utf8('"\u{FEFF}').subarray(1),
      utf8('\u{FEFF}1'),
      Uint8Array.of(0x22, 0xff, 0x22),
    ]) {
      assert.throws(() => parseJson(bytes, LENGTH_MAX_BYTES), { code: 'JSON_MALFORMED' });
    }
  });

  it('keeps what the platform said of a malformed document', () => {
    assert.throws(
      () => parse('{'),
      ({ cause }: Error) => cause instanceof SyntaxError,
    );
  });

  it('refuses a lone surrogate in a name or a text, at any depth', () => {
    for (const text of [
      String.raw`"\ud800"`,
      String.raw`{"\ud800":1}`,
      String.raw`{"a":"\udc00"}`,
      String.raw`[["\ud800x"]]`,
    ]) {
      assert.throws(() => parse(text), { code: 'JSON_MALFORMED' }, text);
    }
    assert.equal(parse(String.raw`"\ud83d\ude97"`), '🚗');
  });
});

describe('member()', () => {
  it('finds only what the object has of its own', () => {
    const object = parse('{"__proto__":1,"a":null}') as JsonObject;
    assert.equal(member(object, '__proto__'), 1);
    assert.equal(member(object, 'a'), null);
    assert.equal(member(object, 'constructor'), undefined);
  });
});

describe('isJsonObject()', () => {
  it('tells objects from everything else', () => {
    assert.ok(isJsonObject({}));
    for (const value of [null, [], 'x', 1, true, undefined]) assert.ok(!isJsonObject(value));
  });
});
