/** The one place where faults become answers of the gateway. */
import { findFaultCode } from '@immota/base';
import type { RefusalAnswer } from './exchange.ts';

/** What is not here is the sender's mistake: 400. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['CERTIFICATE_MISSING', 403],
  ['WRONG_CREDENTIALS', 403],
  ['QUARANTINED', 403],
  ['REVOKED', 403],
  ['CHAIN_UNTRUSTED', 403],
  ['CHAIN_SIGNATURE', 403],
  ['CHAIN_EXPIRED', 403],
  ['CHAIN_NOT_YET_VALID', 403],
  ['CHAIN_NOT_AUTHORITY', 403],
  ['CHAIN_PATH_LENGTH', 403],
  ['CHAIN_PURPOSE', 403],
  ['CHAIN_NAME', 403],
  ['VEHICLE_MISMATCH', 403],
  ['REPORT_SIGNATURE', 403],
  ['ECU_UNKNOWN', 403],
  ['ECU_KEY', 403],
  ['DEVICE_UNLISTED', 403],
  ['UPLOAD_FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['NOT_REGISTERED', 404],
  ['METHOD', 405],
  ['REQUEST_TOO_SLOW', 408],
  ['REPORT_REPLAY', 409],
  ['MANIFEST_CONFLICT', 409],
  ['ECU_REUSE', 409],
  ['ECU_REPLACEMENT', 409],
  ['DEVICE_ALREADY_REGISTERED', 409],
  ['REQUEST_TOO_LONG', 413],
  ['LIMIT', 413],
  ['JSON_LIMIT', 413],
  ['RATE_LIMIT', 429],
  ['UNAVAILABLE', 503],
  ['BATCH_FULL', 503],
  ['BATCH_CLOSED', 503],
  ['CONFLICT', 503],
  ['UNREACHABLE', 503],
  ['CONNECTION_LOST', 503],
  ['REPOSITORY_STATE', 503],
  ['KEY_MISSING', 500],
  ['SEAL_BROKEN', 500],
  ['BLOB_MISSING', 500],
  ['BLOB_STORAGE', 500],
]);

/** Codes as the vehicles' client knows them: it reads them in answers to two of its requests. */
const CLIENT_CODES: ReadonlyMap<string, string> = new Map([
  ['ECU_REPLACEMENT', 'ecu_replacement_disabled'],
  ['ECU_REUSE', 'ecu_reuse_not_allowed'],
  ['DEVICE_ALREADY_REGISTERED', 'device_already_registered'],
]);

/**
 * Translates an error into an answer.
 *
 * @returns 500 without any detail for what is no fault: a bug, or a library's own error.
 */
export function refusalOf(error: unknown): RefusalAnswer {
  const code = findFaultCode(error);
  if (code === undefined || !(error instanceof Error)) {
    return { status: 500, code: 'INTERNAL', detail: 'The server failed; it has been recorded' };
  }
  const status = STATUS.get(code) ?? 400;
  // What failed on our side is for our own eyes.
  const detail = status >= 500 ? 'The server cannot answer now; try again later' : error.message;
  return { status, code: CLIENT_CODES.get(code) ?? code, detail };
}
