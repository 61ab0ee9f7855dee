import { CloudFault } from '../../fault.ts';

/** The refusal of a fleet query. */
export function malformed(why: string, cause?: unknown): CloudFault {
  return new CloudFault('QUERY_MALFORMED', `Cannot read query: ${why}`, { cause });
}
