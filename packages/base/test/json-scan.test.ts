import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type JsonValue, readJson, utf8 } from '@immota/base';

/** The outermost members' texts as the bytes have them; undefined where the text is not canonical. */
function membersOf(text: string): Record<string, string> | undefined {
  const bytes = utf8(text);
  const { members } = readJson(bytes, 10_000);
  if (members === undefined) return undefined;
  return Object.fromEntries(
    [...members].map(([name, { start, end }]) => [
      name,
      Buffer.from(bytes.subarray(start, end)).toString('latin1'),
    ]),
  );
}

describe('readJson()', () => {
  it('finds the values of the outermost object where the text is canonical', () => {
    assert.deepEqual(
      membersOf('{"a":[{"x":1},{"w":2}],"b":{"c":{},"d":"e:f"},"signed":-0}'),
      undefined,
    );
    assert.deepEqual(membersOf('{"a":[{"x":1},{"w":2}],"b":{"c":{},"d":"e:f"},"signed":0}'), {
      a: '[{"x":1},{"w":2}]',
      b: '{"c":{},"d":"e:f"}',
      signed: '0',
    });
    assert.deepEqual(membersOf('{}'), {});
    assert.deepEqual(membersOf('{"":1,"a":null,"aa":true,"b":"]"}'), {
      '': '1',
      a: 'null',
      aa: 'true',
      b: '"]"',
    });
  });

  it('takes 15 digits and no more, and names that ascend strictly', () => {
    assert.notEqual(membersOf('{"a":123456789012345}'), undefined);
    assert.equal(membersOf('{"a":1234567890123456}'), undefined);
    assert.notEqual(membersOf('{"a":1,"a!":2}'), undefined);
    assert.equal(membersOf('{"a!":1,"a":2}'), undefined);
    assert.equal(membersOf('{"b":1,"a":2}'), undefined);
    assert.equal(membersOf('{"x":{"b":1,"a":2}}'), undefined);
  });

  it('finds none where anything would be written otherwise', () => {
    for (const text of [
      '{"a": 1}',
      '{ "a":1}',
      '{"a":1} ',
      '{"a":1.5}',
      '{"a":1e5}',
      '{"a":1E5}',
      '{"a":-1}',
      '{"a":"é"}',
      '{"é":1}',
      String.raw`{"a":"\n"}`,
      String.raw`{"\u0061":1}`,
    ]) {
      assert.equal(membersOf(text), undefined, text);
    }
  });

  it('finds in any canonical text what a serializer writes for each member', () => {
    const sorted = fc
      .jsonValue({ maxDepth: 5 })
      .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
      .map(withSortedNames);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), sorted), (object) => {
        const members = membersOf(JSON.stringify(withSortedNames(object)));
        for (const [name, text] of Object.entries(members ?? {})) {
          assert.equal(text, JSON.stringify(object[name]));
        }
      }),
    );
  });
});

function withSortedNames(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(withSortedNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, withSortedNames(inner)]),
  );
}
