/** Refusals into HTTP: the one table of this border. */
import { problem, type Problem } from '@immota/api';
import { Fault, findFaultCode } from '@immota/base';

/** The status of each code that is not a plain "bad request". */
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  UPLOAD_FORBIDDEN: 403,
  NOT_FOUND: 404,
  UPLOAD_MISSING: 404,
  IMAGE_UNKNOWN: 404,
  METHOD: 405,
  REQUEST_TOO_SLOW: 408,
  CAMPAIGN_STATE: 409,
  IMAGE_EXISTS: 409,
  TOKEN_EXISTS: 409,
  UPLOAD_MISMATCH: 409,
  REQUEST_TOO_LONG: 413,
  RATE_LIMIT: 429,
  KEY_MISSING: 501,
  UNAVAILABLE: 503,
  UNREACHABLE: 503,
};

/**
 * Translates what a route threw.
 *
 * @returns the refusal to send; undefined for a bug, of which the caller learns nothing.
 */
export function findProblem(error: unknown): Problem | undefined {
  const code = findFaultCode(error);
  if (code === undefined || !(error instanceof Fault)) return undefined;
  return problem(STATUS[code] ?? 400, code, error.message);
}
