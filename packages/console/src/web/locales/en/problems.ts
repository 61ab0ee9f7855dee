/** Refusals in words, by their code; the cloud's own sentence stands below. */
export const problems = {
  REFUSED: 'The cloud refused this',
  OFFLINE: 'The cloud cannot be reached',
  UNEXPECTED_ANSWER: 'The cloud answered in a way this console does not understand',
  CONSOLE_FAULT: 'The console itself failed',
  QUERY_MALFORMED: 'The query cannot be read',
  NOT_FOUND: 'It is not there, or not for you to see',
  FORBIDDEN: 'Your role does not let you do this',
  UNAUTHENTICATED: 'Your session is over: sign in again',
} as const;
