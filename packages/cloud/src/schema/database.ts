import type { Database, Transaction } from '@immota/store';
import type { CloudSchema } from './tables.ts';

/** The cloud's database. */
export type CloudDatabase = Database<CloudSchema>;
/** A transaction on it. */
export type CloudTransaction = Transaction<CloudSchema>;
