/** Texts that people and programs send. */
import { z } from '@hono/zod-openapi';

/** No NUL and no half of a character: no database holds them, and nobody means them. */
const WHOLE = /^[^\0\p{Cs}]*$/u;

/**
 * Describes a text.
 *
 * @param lengthMax - in UTF-16 units.
 * @param lengthMin - 0 when left out.
 */
export function text(lengthMax: number, lengthMin = 0): z.ZodString {
  return z.string().min(lengthMin).max(lengthMax).regex(WHOLE, 'holds what is no character');
}
