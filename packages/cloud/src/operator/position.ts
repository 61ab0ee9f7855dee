/** Where a page of a list by time ended: what its `next` says and the next page's `after` repeats. */
import { CloudFault } from '../fault.ts';

/** An instant, and an id to tell apart what happened at once. */
export interface Position {
  readonly createdAt: Temporal.Instant;
  readonly id: string;
}

/** Instants that the database can hold, and an id of ours. */
const FORM = /^(\d{4}-[\d:.T-]{1,30}Z)~([\w-]{1,64})$/;

/** Writes a position. */
export function encodePosition({ createdAt, id }: Position): string {
  return `${createdAt.toString()}~${id}`;
}

/** Reads a position. @throws CloudFault REQUEST_MALFORMED. */
export function parsePosition(text: string): Position {
  const [, instant = '', id = ''] = FORM.exec(text) ?? [];
  try {
    return { createdAt: Temporal.Instant.from(instant), id };
  } catch (error) {
    throw new CloudFault('REQUEST_MALFORMED', 'Cannot read request: "after" is no position', {
      cause: error,
    });
  }
}
