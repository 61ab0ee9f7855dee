/**
 * What people are told, as signed Director Targets say it: the words and figures that a person decides
 * by are no less worth forging than an image.
 */
import { noticeSchema } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { z } from 'zod';

const { shape } = noticeSchema;

/**
 * A member that is none of its kind counts as absent: a badly written text must not stop a repair. It
 * reads what it has written as well, so that a notice can be kept.
 */
export const readableNoticeSchema = z.object({
  title: shape.title.catch({}).default({}),
  description: shape.description.catch({}).default({}),
  purpose: shape.purpose.catch(undefined),
  changes: shape.changes.catch({}).default({}),
  unusableSeconds: shape.unusableSeconds.catch(0).default(0),
  unavailable: shape.unavailable.catch([]).default([]),
  unavailableTexts: shape.unavailableTexts.catch({}).default({}),
  instructions: shape.instructions.catch({}).default({}),
  manual: shape.manual.catch({}).default({}),
  security: shape.security.catch(false).default(false),
  mandatory: shape.mandatory.catch(false).default(false),
  postpone: shape.postpone.catch(undefined),
});

/** What people are told. Plain JSON, by language; every member is there or has a default. */
export type Notice = Readonly<z.infer<typeof readableNoticeSchema>>;

/** Why an update is made: what repairs a vulnerability is a matter of security, whatever else is said. */
export type PurposeKind = NonNullable<Notice['purpose']>['kind'];

/** Something found in the language asked for, or in the nearest. */
export interface Found<Value> {
  readonly value: Value;
  /** The language tag that it stood under. */
  readonly locale: string;
}

/** Reads the notice of verified Director Targets. */
export function readNotice(custom: JsonObject): Notice {
  return readableNoticeSchema.parse(custom);
}

/** Says why an update is made. */
export function purposeOf({ purpose, security }: Notice): PurposeKind {
  return purpose?.kind ?? (security ? 'security' : 'improvement');
}

/**
 * Finds what was written in a language, else in one of its family, else in English, else in any.
 *
 * @param written - by language tag, from outside.
 * @param locale - BCP 47: what the reader reads.
 */
export function findWritten<Value>(
  written: Readonly<Record<string, Value>>,
  locale: string,
): Found<Value> | undefined {
  const texts = new Map(Object.entries(written));
  const [language = ''] = locale.split('-');
  for (const tag of [locale, language, 'en', ...texts.keys()]) {
    const value = texts.get(tag);
    if (value !== undefined) return { value, locale: tag };
  }
  return undefined;
}

/** Tells whether two tags are of one language: somebody who reads `de` reads `de-AT`. */
export function isSameLanguage(left: string, right: string): boolean {
  return left.split('-')[0]?.toLowerCase() === right.split('-')[0]?.toLowerCase();
}
