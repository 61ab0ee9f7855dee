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
  description: z.record(z.string().max(35), z.string().min(1).max(TEXT_MAX_CHARACTERS)).catch({}),
  unusableSeconds: z.int().min(0).max(86_400).catch(0),
  unavailable: z.array(z.string().max(100)).max(UNAVAILABLE_MAX).catch([]),
  security: z.boolean().catch(false),
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
 * @param custom - of verified Director Targets. A member that is none of its kind counts as absent: a
 * badly written text must not stop a repair.
 * @param locale - what the owner reads.
 */
export function readNotice(custom: JsonObject, locale: string): Notice {
  const { description, unusableSeconds, unavailable, security } = noticeSchema.parse(custom);
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
