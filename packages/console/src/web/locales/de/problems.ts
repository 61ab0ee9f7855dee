import type { problems as EN } from '../en/problems.ts';
import type { Shape } from '../shape.ts';

/** Refusals in words, by their code. */
export const problems: Shape<typeof EN> = {
  REFUSED: 'Die Cloud hat das abgelehnt',
  OFFLINE: 'Die Cloud ist nicht erreichbar',
  UNEXPECTED_ANSWER: 'Die Cloud hat etwas geantwortet, das diese Konsole nicht versteht',
  CONSOLE_FAULT: 'Die Konsole selbst hat versagt',
  QUERY_MALFORMED: 'Die Abfrage ist nicht lesbar',
  NOT_FOUND: 'Es ist nicht da, oder Sie dürfen es nicht sehen',
  FORBIDDEN: 'Ihre Rolle erlaubt das nicht',
  UNAUTHENTICATED: 'Ihre Sitzung ist vorbei: Melden Sie sich neu an',
};
