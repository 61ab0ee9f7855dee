import { Fault } from '@immota/base';

/** Why the store refused. */
export type StoreFaultCode =
  /** The database URL is no URL of a PostgreSQL server, or names an unknown way of TLS. */
  | 'URL_MALFORMED'
  /** No connection in time: the server is down, starting, full, or refuses the credentials. */
  | 'UNREACHABLE'
  /** The connection broke. While committing, it is unknown whether the commit happened; else it did not. */
  | 'CONNECTION_LOST'
  /** The server answers, and is too old, not UTF-8, or only a standby. */
  | 'SERVER_UNSUITABLE'
  /** Another process is starting or using what only one may use. */
  | 'DATA_FOLDER_BUSY'
  /** The data folder holds a database that cannot be opened here; starting an empty one would hide it. */
  | 'DATA_FOLDER_UNUSABLE'
  /** The embedded server did not start or did not stop. */
  | 'EMBEDDED_FAILED'
  /** A stored value does not fit the type it is read into without loss. */
  | 'VALUE_RANGE'
  /** The given migrations are not numbered 1, 2, 3 … or one is empty. */
  | 'MIGRATION_LIST'
  /** A migration that this database has applied is now another text: its history would be a lie. */
  | 'MIGRATION_CHANGED'
  /** The database has migrations this code does not know: an older program met newer data. */
  | 'MIGRATION_AHEAD'
  /** A migration failed and was rolled back, or it ended its own transaction. */
  | 'MIGRATION_FAILED'
  /** Other transactions came in between each time, up to the bound. Nothing was written. */
  | 'CONFLICT'
  /** A batcher has as many items waiting as it may: try again later. Nothing was written. */
  | 'BATCH_FULL'
  /** A batcher is closed. Nothing was written. */
  | 'BATCH_CLOSED'
  /** Not 64 lower-case hexadecimal digits. */
  | 'BLOB_HASH_MALFORMED'
  /** The bytes have another SHA-256 than announced: they are not kept. */
  | 'BLOB_MISMATCH'
  /** More bytes than the caller allowed: they are not kept. */
  | 'BLOB_TOO_LONG'
  /** No blob of that hash is stored. */
  | 'BLOB_MISSING'
  /** A range that is empty, backward, or reaches past the blob's end. */
  | 'BLOB_RANGE'
  /** The storage beneath failed: full, read-only, or broken. What was stored before stays. */
  | 'BLOB_STORAGE'
  /** Not 32 lower-case hexadecimal digits. */
  | 'UPLOAD_ID_MALFORMED'
  /** No such upload: never begun, finished, abandoned or swept. */
  | 'UPLOAD_MISSING'
  /** Somebody is appending to this upload, or finishing it, at this moment. */
  | 'UPLOAD_BUSY'
  /** The bytes do not continue where the upload durably ends. */
  | 'UPLOAD_OFFSET';

/** Thrown by the store. */
export class StoreFault extends Fault<StoreFaultCode> {
  override readonly name = 'StoreFault';
}
