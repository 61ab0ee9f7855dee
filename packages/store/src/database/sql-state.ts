import { DatabaseError } from 'pg';
import { StoreFault, type StoreFaultCode } from '../fault.ts';

/** What connecting meets while a server is down, starting, stopping, or has no room left. */
const UNREACHABLE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
  '53300',
]);

/** The server's last word before it closes the connection itself. */
const CUT_OFF_CODES: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '57P05', '25P03']);

/** Faults that say nothing about the content of what was to be written. */
const FOREIGN_FAULTS: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'UNREACHABLE',
  'CONFLICT',
] satisfies readonly StoreFaultCode[]);

/**
 * Finds the SQLSTATE of an error, whichever engine raised it.
 *
 * @param error - anything that was caught; its causes are looked at too.
 * @returns five characters, or undefined when no server said this.
 */
export function findSqlState(error: unknown): string | undefined {
  const code = findCode(error);
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) return code;
  return error instanceof Error && error.cause !== undefined
    ? findSqlState(error.cause)
    : undefined;
}

/**
 * Finds which constraint a statement broke, to tell a duplicate from a missing parent.
 *
 * @param error - anything that was caught.
 * @returns the constraint's name, or undefined when the error is of another kind.
 */
export function findConstraint(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.constraint;
  return typeof error === 'object' &&
    error !== null &&
    'constraint' in error &&
    typeof error.constraint === 'string'
    ? error.constraint
    : undefined;
}

/**
 * Tells whether a failure to connect may pass by itself.
 *
 * @param error - what connecting threw.
 */
export function isUnreachable(error: unknown): boolean {
  const code = findCode(error);
  if (code !== undefined) return UNREACHABLE_CODES.has(code);
  return error instanceof Error && error.message === 'Connection terminated unexpectedly';
}

/**
 * Tells whether the server said that a transaction was rolled back because of others, not of itself.
 *
 * @param error - what the transaction threw.
 */
export function isConflict(error: unknown): boolean {
  const state = findSqlState(error);
  return state === '40001' || state === '40P01';
}

/**
 * Tells whether the server ended the connection with this error.
 *
 * @param error - what a query threw.
 */
export function isCutOff(error: unknown): boolean {
  return CUT_OFF_CODES.has(findSqlState(error) ?? '');
}

/**
 * Tells whether a failed unit of work left nothing behind for a reason that lies in its content: then
 * a part of it may still succeed.
 *
 * @param error - what the unit of work threw.
 */
export function isRefusalOfContent(error: unknown): boolean {
  if (error instanceof StoreFault) return !FOREIGN_FAULTS.has(error.code);
  const state = findSqlState(error);
  if (state === undefined) return !isUnreachable(error);
  // 08 connection · 40 rolled back or unknown · 53 resources · 57 operator · 58 system · XX internal
  return !/^(?:08|40|53|57|58|XX)/.test(state);
}

function findCode(error: unknown): string | undefined {
  return typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}
