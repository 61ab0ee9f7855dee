/** Refusals as they cross the air: RFC 9457 problem details with a stable code. */
import { z } from '@hono/zod-openapi';

/** The media type of a refusal. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * A refusal. `code` is stable and names the rule or the attack; `detail` is for people and says the
 * next step where there is one; no secret and no payload stands in it.
 */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.string(),
    detail: z.string().optional(),
    /** Of the event that records the refusal. */
    instance: z.string().optional(),
  })
  .openapi('Problem');

/** A refusal, as it is sent. */
export type Problem = z.infer<typeof problemSchema>;

/**
 * Builds a refusal.
 *
 * @param status - the HTTP status.
 * @param code - a fault code of any package, or one of the border's own.
 * @param detail - in words.
 */
export function problem(status: number, code: string, detail: string): Problem {
  return { type: `urn:immota:problem:${code.toLowerCase()}`, title: code, status, code, detail };
}
