/** Refusals into HTTP: the one table of this border. */
import { problem, type Problem } from '@immota/api';
import { Fault, findFaultCode } from '@immota/base';
import { HTTPException } from 'hono/http-exception';

/** The status of each code that is not a plain "bad request". */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['CSRF', 403],
  ['SIGN_IN_REFUSED', 403],
  ['UPLOAD_FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['UPLOAD_MISSING', 404],
  ['IMAGE_UNKNOWN', 404],
  ['METHOD', 405],
  ['REQUEST_TOO_SLOW', 408],
  ['APPROVAL_MISSING', 409],
  ['CAMPAIGN_STATE', 409],
  ['SELF_APPROVAL', 403],
  ['SIGNATURE_KEY_FOREIGN', 403],
  ['APPROVAL_REJECTED', 409],
  ['APPROVAL_STALE', 409],
  ['DOSSIER_INCOMPLETE', 409],
  ['RELEASE_BLOCKED', 409],
  ['IMAGE_EXISTS', 409],
  ['TOKEN_EXISTS', 409],
  ['USER_EXISTS', 409],
  ['TENANT_EXISTS', 409],
  ['LAST_ADMIN', 409],
  ['VIN_EXISTS', 409],
  ['UPLOAD_MISMATCH', 409],
  ['UPLOAD_BUSY', 409],
  ['REPOSITORY_STATE', 409],
  ['REQUEST_TOO_LONG', 413],
  ['QUERY_TOO_SLOW', 422],
  ['QUOTA', 429],
  ['RATE_LIMIT', 429],
  ['KEY_MISSING', 501],
  ['BATCH_CLOSED', 503],
  ['BATCH_FULL', 503],
  ['CONFLICT', 503],
  ['CONNECTION_LOST', 503],
  ['UNAVAILABLE', 503],
  ['UNREACHABLE', 503],
]);

/** Refusals of our own storage and secrets: the caller did nothing wrong, and learns nothing of them. */
const OWN_FAILURES: ReadonlySet<string> = new Set([
  'BLOB_MISSING',
  'BLOB_STORAGE',
  'DATA_FOLDER',
  'EVENT_CHAIN',
  'REGISTER_CHAIN',
  'SEAL_BROKEN',
  'VALUE_RANGE',
]);

/**
 * Translates what a route threw.
 *
 * @returns the refusal to send; undefined for a bug, of which the caller learns nothing.
 */
export function findProblem(error: unknown): Problem | undefined {
  if (error instanceof HTTPException) {
    const code = error.status === 413 ? 'REQUEST_TOO_LONG' : 'REQUEST_MALFORMED';
    return problem(error.status, code, `Cannot read request: ${error.message}`);
  }
  const code = findFaultCode(error);
  if (code === undefined || !(error instanceof Fault) || OWN_FAILURES.has(code)) return undefined;
  return problem(STATUS.get(code) ?? 400, code, error.message);
}
