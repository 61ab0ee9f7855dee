/** What nearly every part of the cloud needs. */
import type { Clock, Entropy } from '@immota/base';
import { transaction } from '@immota/store';
import type { EventSink } from './event-log/event-sink.ts';
import type { CloudDatabase, CloudTransaction } from './schema/database.ts';

/** See the head of the file. */
export interface CloudContext {
  readonly database: CloudDatabase;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Runs work whose reads come behind its locks: what appends events does. */
export function committed<Result>(
  database: CloudDatabase,
  work: (tx: CloudTransaction) => Promise<Result>,
): Promise<Result> {
  return transaction(database, work, { isolation: 'read committed' });
}
