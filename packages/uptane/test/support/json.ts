/** JSON values that are rich in what canonical forms, parsers and names stumble over. */
import * as fc from 'fast-check';
import type { JsonValue } from '@immota/base';

/** Texts that are rich in what the two forms treat apart. */
export const jsonText: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '"',
      '\\',
      '/',
      '\n',
      '\b',
      '\f',
      '\r',
      '\t',
      '\u0000',
      '\u001f',
      '\u007f',
      '\u0080',
      'é',
    ),
    fc.constantFrom('\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}', '🚗', '\u2028'),
    fc.constantFrom('a', 'b', '1', '9', '10'),
  ),
  maxLength: 4,
});
const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    jsonText,
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(fc.oneof(jsonText, fc.constantFrom('__proto__', 'constructor')), tie('tree')),
        {
          maxLength: 5,
        },
      )
      .map((members) => Object.fromEntries(members)),
  ),
}));

/** Any value of signed JSON: whole numbers only. */
export const jsonTree: fc.Arbitrary<JsonValue> = tree;
