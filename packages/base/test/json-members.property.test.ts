import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findFaultCode, isJsonObject, type JsonValue, readJson, utf8 } from '@immota/base';

/** JSON with sorted names, as slowly and plainly as it can be said. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).toSorted((left, right) => (left < right ? -1 : 1));
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(',')}}`;
}

const text = fc.string({
  unit: fc.constantFrom(...Array.from('ab! #~\u007f{}[]:,0')),
  maxLength: 3,
});
const { plain } = fc.letrec<{ plain: JsonValue }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.nat({ max: 999_999_999_999_999 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('plain'), { maxLength: 3 }),
    fc
      .array(fc.tuple(text, tie('plain')), { maxLength: 4 })
      .map((each) => Object.fromEntries(each)),
  ),
}));
const object = fc
  .array(fc.tuple(text, plain), { maxLength: 4 })
  .map((members): JsonValue => Object.fromEntries(members));

function checkMembers(document: string): boolean {
  const bytes = utf8(document);
  const { value, members } = readJson(bytes, 10_000);
  if (members === undefined) return false;
  assert.equal(document, canonical(value));
  const names = isJsonObject(value) ? Object.keys(value) : [];
  assert.deepEqual([...members.keys()].toSorted(), names.toSorted());
  for (const [name, { start, end }] of members) {
    const part = new TextDecoder().decode(bytes.subarray(start, end));
    assert.ok(isJsonObject(value));
    assert.equal(part, canonical(value[name] ?? null));
  }
  return true;
}

describe('readJson()', () => {
  it('tells where the members of a canonical document stand', () => {
    fc.assert(
      fc.property(object, (value) => {
        assert.ok(checkMembers(canonical(value)));
      }),
      { numRuns: 500 },
    );
  });

  it('tells it of no document that is not canonical', () => {
    const piece = fc.constantFrom(
      '',
      ' ',
      '\n',
      'é',
      String.raw`\u0061`,
      '-',
      '.5',
      'e5',
      '0',
      'b',
      ',',
      '"',
    );
    fc.assert(
      fc.property(object, fc.nat(), piece, (value, at, other) => {
        const right = canonical(value);
        const index = at % (right.length + 1);
        const odd = `${right.slice(0, index)}${other}${right.slice(index)}`;
        try {
          checkMembers(odd);
        } catch (error) {
          // No longer well-formed, or a name repeats now.
          assert.equal(findFaultCode(error), 'JSON_MALFORMED', odd);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('knows what is canonical in every form from what is not', () => {
    for (const document of [
      '{}',
      '[]',
      '1',
      '{"":1,"a":2}',
      '{"a":1,"ab":2}',
      '{"a":999999999999999}',
    ]) {
      assert.ok(checkMembers(document), document);
    }
    for (const document of [
      '{"b":1,"a":2}',
      '{"ab":1,"a":2}',
      '{"x":[{"b":1,"a":2}]}',
      '{"a":1000000000000000}',
      '{"a":-1}',
      '{"a":1.0}',
      '{"a":1e0}',
      '{"a":1E0}',
      '{"a": 1}',
      '{"a":1} ',
      '{"a":"é"}',
      String.raw`{"a":"\n"}`,
      String.raw`{"\u0061":1}`,
    ]) {
      assert.ok(!checkMembers(document), document);
    }
  });

  it('refuses a repeated name in a document that is canonical otherwise', () => {
    for (const document of ['{"a":1,"a":2}', '{"":1,"":2}', '{"x":[{"a":1,"a":1}]}']) {
      assert.throws(() => readJson(utf8(document), 100), { code: 'JSON_MALFORMED' });
    }
  });
});
