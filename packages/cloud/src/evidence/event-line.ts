/** An event as a line says it: with what it is chained to, so that it can be checked by itself. */
import { equalBytes, type JsonObject } from '@immota/base';
import { linkHash } from '../event-log/chain.ts';
import { CloudFault } from '../fault.ts';

/** An event with the hash before it, as it is read. */
export interface ChainedRow {
  readonly stream: string;
  readonly sequence: number;
  readonly at: Temporal.Instant;
  readonly kind: string;
  readonly body: JsonObject;
  readonly hash: Uint8Array;
  readonly previous_hash: Uint8Array | null;
}

/** What the first event of a stream is chained to. */
const GENESIS_HASH = new Uint8Array(32);

/**
 * Describes an event.
 *
 * @throws CloudFault EVENT_CHAIN when it is not what was appended.
 */
export function eventLine(row: ChainedRow): JsonObject {
  const previous = row.sequence === 1 ? GENESIS_HASH : row.previous_hash;
  if (previous === null || !equalBytes(linkHash(previous, row), row.hash)) {
    throw new CloudFault(
      'EVENT_CHAIN',
      `Cannot export event ${row.sequence} of "${row.stream}": it is not what was appended`,
    );
  }
  const { stream, sequence, at, kind, body } = row;
  return {
    stream,
    sequence,
    at: at.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' }),
    kind,
    body,
    previousHash: Buffer.from(previous).toString('hex'),
    hash: Buffer.from(row.hash).toString('hex'),
  };
}
