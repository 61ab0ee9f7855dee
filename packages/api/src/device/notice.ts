/**
 * What the people of a vehicle are told before an update, as it stands signed in a release and in the
 * Director's Targets {R156 7.2.2.2}: purpose, changes, time, what does not work, what to do. A text is
 * written once for a group of vehicles, by language tag.
 */
import { z } from '@hono/zod-openapi';

/** BCP 47 asks for no more in practice. */
const TAG_MAX_CHARACTERS = 35;
/** Languages of one text; the EU has 24. */
const LANGUAGES_MAX = 64;
/** An owner reads a few sentences; what is longer is no notice. */
const TEXT_MAX_CHARACTERS = 4000;
const SENTENCE_MAX_CHARACTERS = 400;
const TITLE_MAX_CHARACTERS = 120;
const SENTENCES_MAX = 32;
const MANUAL_MAX = 16;
const POSTPONEMENTS_MAX = 100;

/** One thing by language. */
function byLanguage<Value extends z.ZodType>(value: Value): z.ZodRecord<z.ZodString, Value> {
  return z
    .record(z.string().min(2).max(TAG_MAX_CHARACTERS), value)
    .refine((record) => Object.keys(record).length <= LANGUAGES_MAX);
}

const texts = byLanguage(z.string().min(1).max(TEXT_MAX_CHARACTERS));
const sentences = byLanguage(
  z.array(z.string().min(1).max(SENTENCE_MAX_CHARACTERS)).max(SENTENCES_MAX),
);

/** The members that a notice may have; each may be absent. */
export const noticeSchema = z.object({
  /** A name that people can say: "Winter brakes". */
  title: byLanguage(z.string().min(1).max(TITLE_MAX_CHARACTERS)).optional(),
  description: texts.optional(),
  /** {R156 7.2.2.2} (a): why, and how much it matters. */
  purpose: z
    .object({
      kind: z.enum(['recall', 'safety', 'security', 'improvement']),
      text: texts.optional(),
    })
    .optional(),
  /** (b): what is different afterwards. */
  changes: sentences.optional(),
  /** (c): while the vehicle cannot be used. */
  unusableSeconds: z.int().min(0).max(86_400).optional(),
  /** (d): what does not work meanwhile. */
  unavailable: z.array(z.string().max(100)).max(SENTENCES_MAX).optional(),
  /** The same by language; it goes before `unavailable`. */
  unavailableTexts: sentences.optional(),
  /** (e): what to do, and what keeps working. */
  instructions: sentences.optional(),
  /** {R156 7.2.2.4} (b): what to read again in the manual. */
  manual: byLanguage(
    z
      .array(
        z.object({
          title: z.string().min(1).max(TITLE_MAX_CHARACTERS),
          where: z.string().max(TITLE_MAX_CHARACTERS).optional(),
        }),
      )
      .max(MANUAL_MAX),
  ).optional(),
  security: z.boolean().optional(),
  /** It has to be installed in the end; that it has to, and from when on, is told beforehand. */
  mandatory: z.boolean().optional(),
  /** How often, and until when, people may wait; and what follows. */
  postpone: z
    .object({
      times: z.int().min(0).max(POSTPONEMENTS_MAX),
      until: z.iso.datetime().optional(),
      /** `install` counts for a mandatory update alone. */
      after: z.enum(['ask', 'install']).optional(),
    })
    .optional(),
});
/** What the people of a vehicle are told, as it was written. */
export type WrittenNotice = z.infer<typeof noticeSchema>;
