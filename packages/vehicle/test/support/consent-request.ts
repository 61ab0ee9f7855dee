/** Requests for consent, right until a test breaks one part. */
import type { JsonObject } from '@immota/base';
import type { ConsentRequest } from '@immota/vehicle';
import { readNotice } from '../../src/consent/notice.ts';
import { postponeTerms, type PostponeRecord } from '../../src/consent/postpone.ts';
import { renderQuestion } from '../../src/consent/question.ts';
import { CORRELATION } from './world.ts';
import { NOW } from './surroundings.ts';

export interface RequestOptions {
  readonly step?: ConsentRequest['step'];
  readonly record?: PostponeRecord;
  readonly locale?: string;
}

/** Asks about a notice as the Director would have signed it. */
export function requestFor(
  custom: JsonObject,
  { step = 'install', record, locale = 'en' }: RequestOptions = {},
): ConsentRequest {
  const notice = readNotice(custom);
  const seen = record ?? { postponements: 0, firstAskedAt: undefined };
  const unusableMs = notice.unusableSeconds * 1000;
  const parts = {
    step,
    notice,
    terms: postponeTerms(notice, seen, NOW),
    prepare: { low: 120_000, likely: 150_000, high: 200_000 },
    unusable: { low: unusableMs / 2, likely: unusableMs, high: unusableMs },
    downloadBytes: 12_345_678,
    timeZone: 'Europe/Berlin',
  };
  return { correlationId: CORRELATION, ...parts, question: renderQuestion(parts, locale) };
}
