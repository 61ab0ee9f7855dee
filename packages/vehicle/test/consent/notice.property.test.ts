import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { readableNoticeSchema, readNotice } from '../../src/consent/notice.ts';
import { renderQuestion } from '../../src/consent/question.ts';
import { requestFor } from '../support/consent-request.ts';

const texts = fc.dictionary(fc.constantFrom('en', 'de', 'zh', 'fr-CA', 'x'), fc.string());
const lists = fc.dictionary(fc.constantFrom('en', 'de', 'zh', 'it'), fc.array(fc.string()));
const members = fc.record(
  {
    title: fc.oneof(texts, fc.jsonValue()),
    description: fc.oneof(
      fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue()),
      texts,
      fc.jsonValue(),
    ),
    purpose: fc.oneof(fc.record({ kind: fc.constantFrom('recall', 'odd') }), fc.jsonValue()),
    changes: fc.oneof(lists, fc.jsonValue()),
    instructions: fc.oneof(lists, fc.jsonValue()),
    unusableSeconds: fc.oneof(fc.double(), fc.integer(), fc.jsonValue()),
    unavailable: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    unavailableTexts: fc.oneof(lists, fc.jsonValue()),
    manual: fc.jsonValue(),
    security: fc.jsonValue(),
    mandatory: fc.jsonValue(),
    postpone: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

function objectOf(custom: unknown): JsonObject {
  const value = custom as JsonValue;
  return isJsonObject(value) ? value : {};
}

describe('readNotice()', () => {
  it('has bounded words and figures, whatever the custom part holds, and reads its own writing', () => {
    fc.assert(
      fc.property(members, (custom) => {
        const notice = readNotice(objectOf(custom));
        assert.ok(notice.unusableSeconds >= 0 && notice.unusableSeconds <= 86_400);
        assert.ok(Number.isInteger(notice.unusableSeconds));
        assert.ok(notice.unavailable.length <= 32);
        const written = JSON.stringify(notice);
        const read = readableNoticeSchema.parse(JSON.parse(written));
        assert.equal(JSON.stringify(read), written);
      }),
    );
  });
});

describe('renderQuestion()', () => {
  it('says all five facts in every language, and names exactly what it says {R156 7.2.2.2}', () => {
    const locales = fc.oneof(fc.constantFrom('en', 'de-AT', 'zh', 'fr'), fc.string());
    fc.assert(
      fc.property(members, locales, (custom, locale) => {
        const question = renderQuestion(requestFor(objectOf(custom)), locale);
        assert.deepEqual(
          question.sections.map(({ id }) => id),
          ['purpose', 'changes', 'time', 'unavailable', 'instructions', 'terms'],
        );
        assert.ok(
          question.sections.every(({ heading, lines }) => heading !== '' && lines.length > 0),
        );
        const shown = [
          question.title,
          ...question.sections.flatMap(({ heading, lines }) => [heading, ...lines]),
          question.ask,
        ].join('\n');
        assert.equal(question.text, shown);
        assert.equal(question.sha256, createHash('sha256').update(shown).digest('hex'));
      }),
    );
  });
});
