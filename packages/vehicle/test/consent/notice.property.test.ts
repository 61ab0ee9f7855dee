import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isJsonObject, type JsonValue } from '@immota/base';
import { readNotice } from '../../src/consent/notice.ts';

const members = fc.record(
  {
    description: fc.oneof(
      fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue()),
      fc.jsonValue(),
    ),
    unusableSeconds: fc.oneof(fc.double(), fc.integer(), fc.jsonValue()),
    unavailable: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    security: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

describe('readNotice()', () => {
  it('has words and bounded figures for the owner, whatever the custom part holds', () => {
    fc.assert(
      fc.property(members, fc.string({ maxLength: 10 }), (custom, locale) => {
        const value = custom as JsonValue;
        const notice = readNotice(isJsonObject(value) ? value : {}, locale);
        assert.ok(notice.text.length <= 4000);
        assert.ok(notice.unusableSeconds >= 0 && notice.unusableSeconds <= 86_400);
        assert.ok(Number.isInteger(notice.unusableSeconds));
        assert.ok(notice.unavailable.length <= 32);
      }),
    );
  });
});
