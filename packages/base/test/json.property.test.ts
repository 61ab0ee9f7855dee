import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findFaultCode, type JsonObject, type JsonValue, parseJson, utf8 } from '@immota/base';

/** A document as it is written, with what a reader must make of it. */
interface Written {
  readonly text: string;
  readonly value: JsonValue;
  readonly repeats: boolean;
  readonly levels: number;
}

/** Names, some of which are written in more ways than one. */
const NAMES: readonly (readonly [spelling: string, name: string])[] = [
  ['"a"', 'a'],
  ['"b"', 'b'],
  [String.raw`"\u0061"`, 'a'],
  [String.raw`"\u0062"`, 'b'],
  ['"__proto__"', '__proto__'],
  ['"a:"', 'a:'],
  ['""', ''],
  [String.raw`"\""`, '"'],
  [String.raw`"\\"`, '\\'],
  [String.raw`"\\u"`, String.raw`\u`],
  ['"{"', '{'],
  ['"é"', 'é'],
  [String.raw`"\u00e9"`, 'é'],
  [String.raw`"\n"`, '\n'],
  [String.raw`"\\n"`, String.raw`\n`],
];
const SCALARS: readonly (readonly [spelling: string, value: JsonValue])[] = [
  ['1', 1],
  ['-0.5e3', -500],
  ['true', true],
  ['null', null],
  ['""', ''],
  ['":"', ':'],
  ['"[{"', '[{'],
  [String.raw`"\\\""`, String.raw`\"`],
  [String.raw`"\": 1"`, '": 1'],
];
const name = fc.constantFrom(...NAMES);
const space = fc.constantFrom('', ' ', '\n', '\t\r ');
const scalar: fc.Arbitrary<Written> = fc
  .constantFrom(...SCALARS)
  .map(([text, value]) => ({ text, value, repeats: false, levels: 0 }));

type Member = readonly [(typeof NAMES)[number], Written];

function writtenArray(items: readonly Written[], gap: string): Written {
  return {
    text: `[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]`,
    value: items.map(({ value }) => value),
    repeats: items.some(({ repeats }) => repeats),
    levels: 1 + Math.max(0, ...items.map(({ levels }) => levels)),
  };
}

function writtenObject(members: readonly Member[], gap: string): Written {
  const texts = members.map(([[spelling], { text }]) => `${gap}${spelling}${gap}:${gap}${text}`);
  const object: JsonObject = Object.fromEntries(
    members.map(([[, each], { value }]) => [each, value]),
  );
  const names = new Set(members.map(([[, each]]) => each));
  return {
    text: `{${texts.join(',')}${gap}}`,
    value: object,
    repeats: names.size !== members.length || members.some(([, { repeats }]) => repeats),
    levels: 1 + Math.max(0, ...members.map(([, { levels }]) => levels)),
  };
}

const { written } = fc.letrec<{ written: Written }>((tie) => {
  const items = fc.array(tie('written'), { maxLength: 4 });
  const members = fc.array(fc.tuple(name, tie('written')), { maxLength: 4 });
  return {
    written: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.tuple(items, space).map(([each, gap]) => writtenArray(each, gap)),
      fc.tuple(members, space).map(([each, gap]) => writtenObject(each, gap)),
    ),
  };
});

function codeFor(text: string, expected?: JsonValue): string | undefined {
  try {
    const value = parseJson(utf8(text), text.length * 4);
    if (expected !== undefined) assert.deepEqual(value, expected);
    return undefined;
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

describe('parseJson()', () => {
  it('reads any document as it was written, unless a name repeats', () => {
    fc.assert(
      fc.property(written, ({ text, value, repeats }) => {
        assert.equal(codeFor(text, value), repeats ? 'JSON_MALFORMED' : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses exactly the documents that are too deep', () => {
    fc.assert(
      fc.property(written, fc.integer({ min: 26, max: 33 }), ({ text, repeats, levels }, more) => {
        const deep = `${'['.repeat(more)}${text}${']'.repeat(more)}`;
        const expected = repeats ? 'JSON_MALFORMED' : undefined;
        assert.equal(codeFor(deep), levels + more > 32 ? 'JSON_LIMIT' : expected);
      }),
    );
  });

  it('reads no document that the platform refuses', () => {
    const piece = fc.constantFrom('', ',', '"', '}', '\\', ':', '\u0000');
    fc.assert(
      fc.property(written, fc.nat(), piece, ({ text }, at, other) => {
        const index = at % (text.length + 1);
        const damaged = `${text.slice(0, index)}${other}${text.slice(index + 1)}`;
        let malformed = false;
        try {
          JSON.parse(damaged);
        } catch {
          malformed = true;
        }
        if (malformed) assert.equal(codeFor(damaged), 'JSON_MALFORMED');
      }),
      { numRuns: 500 },
    );
  });

  it('reads a name in the same way whatever was read before it', () => {
    const documents = [
      [String.raw`{"a":{},"\u0062":1}`, { a: {}, b: 1 }],
      [String.raw`{"a":1,"\nb":1}`, { a: 1, '\nb': 1 }],
      [
        String.raw`{"a":[1, -2.5e-1 ,true,"\\:"] , "\u00e9" : {} }`,
        { a: [1, -0.25, true, '\\:'], é: {} },
      ],
      [
        String.raw`{"__proto__":{},"\u0061":1}`,
        Object.fromEntries([
          ['__proto__', {}],
          ['a', 1],
        ]),
      ],
      [String.raw`[{"a":[],"\u0062":[[]]},{}]`, [{ a: [], b: [[]] }, {}]],
    ] as const;
    const primers = [
      String.raw`{"a":{},"\\":1}`,
      String.raw`{"a":1,"\\n":1}`,
      String.raw`{"a":{},"\\":{}}`,
      String.raw`{"__proto__":{},"\\":1}`,
      String.raw`{"a":[],"\\":[]}`,
    ];
    for (const primer of primers) codeFor(primer);
    for (const [text, value] of documents)
      assert.equal(codeFor(text, value as JsonValue), undefined);
    assert.equal(codeFor(String.raw`{"a":{},"\u0061":1}`), 'JSON_MALFORMED');
  });

  it('takes no longer over one shape than over another', () => {
    // With a search from the start for each text, any of these would outlast the test run.
    const texts = 200_000;
    for (const document of [
      `[${'"a",'.repeat(texts)}${String.raw`"\n"`}]`,
      `[${String.raw`"\n",`.repeat(texts)}1]`,
      `["${String.raw`\n`.repeat(texts)}"]`,
      `["${String.raw`\"`.repeat(texts)}"]`,
      `{"${String.raw`\"`.repeat(texts)}":1}`,
      `[${String.raw`{"\n":1},`.repeat(texts)}1]`,
      `[${' '.repeat(texts)}${String.raw`{"\n":1}`}${' '.repeat(texts)}]`,
    ]) {
      assert.equal(codeFor(document), undefined, document.slice(0, 20));
    }
  });
});
