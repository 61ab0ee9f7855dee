/** The RXSWINs that an ECU's signed report names {R156 7.1.1.4} {R156 7.2.1.2.2}. */
import type { JsonObject } from '@immota/base';
import { z } from 'zod';
import { storableText } from '../storable.ts';

/** Regulations that one ECU serves; a report that names more is cut. */
const RXSWINS_MAX = 32;

const reportedSchema = z.object({
  regulation: z.string().min(1).max(20),
  rxswin: z.string().min(1).max(100),
});

/** What an ECU says it is approved as. */
export type ReportedRxswin = z.infer<typeof reportedSchema>;

/**
 * Reads them. What is of another shape counts as not said: a report must not fail for it.
 *
 * @returns each once, in one order, so that the same again is found to be the same.
 */
export function parseRxswins(custom: JsonObject): readonly ReportedRxswin[] {
  const { rxswins } = custom;
  if (!Array.isArray(rxswins)) return [];
  const read = new Map<string, ReportedRxswin>();
  for (const value of rxswins.slice(0, RXSWINS_MAX)) {
    const parsed = reportedSchema.safeParse(value);
    if (!parsed.success) continue;
    const regulation = storableText(parsed.data.regulation);
    const rxswin = storableText(parsed.data.rxswin);
    read.set(`${regulation}\n${rxswin}`, { regulation, rxswin });
  }
  return [...read].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
}
