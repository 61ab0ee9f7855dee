/**
 * What the owner is told, as signed Director Targets say it: the words and figures that a person
 * decides by are no less worth forging than an image.
 */
import type { JsonObject } from '@immota/base';
import { z } from 'zod';

/** An owner reads a few sentences; what is longer is no notice. */
const TEXT_MAX_CHARACTERS = 4000;
const UNAVAILABLE_MAX = 32;

/** Beside `correlationId` in the custom part of the Director's Targets; every member may be absent. */
const noticeSchema = z.object({
  /** By language tag. */
  description: z.record(z.string().max(35), z.string().max(TEXT_MAX_CHARACTERS)).default({}),
  unusableSeconds: z.int().min(0).max(86_400).default(0),
  unavailable: z.array(z.string().max(100)).max(UNAVAILABLE_MAX).default([]),
  security: z.boolean().default(false),
});

/** What the owner is told. */
export interface Notice {
  readonly text: string;
  readonly locale: string;
  readonly unusableSeconds: number;
  readonly unavailable: readonly string[];
  readonly isSecurity: boolean;
}

/** Said when the maker wrote nothing. */
const NO_DESCRIPTION = 'A software update for your vehicle is available.';

/**
 * Reads the notice in the owner's language, or the nearest.
 *
 * @param custom - of verified Director Targets. What in it is no notice counts as absent: a badly
 * written text must not stop a repair.
 * @param locale - what the owner reads.
 */
export function readNotice(custom: JsonObject, locale: string): Notice {
  const result = noticeSchema.safeParse(custom);
  const { description, unusableSeconds, unavailable, security } = result.success
    ? result.data
    : noticeSchema.parse({});
  const texts = new Map(Object.entries(description));
  const [language] = locale.split('-');
  const found = [locale, language ?? '', 'en', ...texts.keys()].find((tag) => texts.has(tag));
  return {
    text: (found === undefined ? undefined : texts.get(found)) ?? NO_DESCRIPTION,
    locale: found ?? 'en',
    unusableSeconds,
    unavailable,
    isSecurity: security,
  };
}
