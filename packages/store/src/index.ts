/** The store: a PostgreSQL database, group commit, and blobs by hash. It knows no domain. */
export { StoreFault, type StoreFaultCode } from './fault.ts';
export {
  type Database,
  type DatabaseKind,
  type Subscription,
  type StoreNotice,
  type StoreNoticeCode,
} from './database/database.ts';
export { type DatabaseOptions, openDatabase } from './database/open.ts';
export { migrate, type Migration, type MigrationReport } from './database/migrate.ts';
export { transaction, type TransactionOptions } from './database/transaction.ts';
export { findConstraint, findSqlState } from './database/sql-state.ts';
export { type Generated, type Kysely, sql, type Transaction } from 'kysely';
export { type Batcher, type BatcherOptions, createBatcher } from './batch/batcher.ts';
export { type Scheduled, systemTimer, type Timer } from './batch/timer.ts';
export {
  type BlobBody,
  type BlobHash,
  type BlobRange,
  type BlobStore,
  parseBlobHash,
  parseUploadId,
  type UploadId,
} from './blob/blob-store.ts';
export { type FolderBlobStoreOptions, openFolderBlobStore } from './blob/folder.ts';
