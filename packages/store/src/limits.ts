/** Connections of one process to its server. Past a few per core they only queue inside the server. */
export const POOL_CONNECTIONS_MAX = 10;
/** Connections the embedded server admits: several processes of 10 each. */
export const EMBEDDED_CONNECTIONS_MAX = 100;
/** Connections the tests' server admits: a test file on each core of a large machine, 10 each. */
export const TEST_CONNECTIONS_MAX = 600;
/** How long a statement may run. Longer is a missing index or an attack; migrations are exempt. */
export const STATEMENT_TIMEOUT_MS = 30_000;
/** How long an open transaction may idle: its locks and snapshot hold everybody else up. */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
/** How long to wait for a connection from the pool, or for a server that is just restarting. */
export const CONNECT_PATIENCE_MS = 10_000;
/** Pause between two tries of connecting. */
export const CONNECT_RETRY_MS = 50;
/** How long an embedded server may take to become ready: crash recovery replays its log. */
export const EMBEDDED_START_MS = 120_000;
/** How long an embedded server may take to stop: it writes a checkpoint. */
export const EMBEDDED_STOP_MS = 60_000;
/** How long one process may hold another up with starting or stopping the server they share. */
export const EMBEDDED_LOCK_MS: number = EMBEDDED_START_MS + EMBEDDED_STOP_MS;
/** Pause between two looks at a server that starts or stops. */
export const EMBEDDED_POLL_MS = 15;
/** How long a probe of the server's binaries may take: slower than any machine, since failing is final. */
export const EMBEDDED_PROBE_MS = 60_000;
/** How long making a new cluster may take, on a slow and cold disk. */
export const EMBEDDED_INITDB_MS = 120_000;
/** Times that the keeper restarts a server that died within a minute of its last start. */
export const EMBEDDED_RESTARTS_MAX = 10;
/** The server's log is moved aside at a start when it is longer. One older file is kept. */
export const EMBEDDED_LOG_MAX_BYTES = 1_048_576;
/** Of the server's last words, how much goes into a fault. */
export const EMBEDDED_LOG_TAIL_BYTES = 2_048;
/** A package's own description, and its list of links: a few kilobytes. */
export const PACKAGE_JSON_MAX_BYTES = 1_048_576;
/** A unix socket's path, with its file name and final NUL, must fit `sun_path` (104 on BSD). */
export const SOCKET_PATH_MAX_BYTES = 103;
/** PostgreSQL releases before 14 are out of support. */
export const SERVER_VERSION_MIN = 140_000;
/** Times that a transaction is tried. With random pauses between, more means a design fault. */
export const TRANSACTION_ATTEMPTS_MAX = 10;
/** The first pause between two tries of a transaction; it doubles, with chance, up to the last. */
export const TRANSACTION_PAUSE_FIRST_MS = 2;
/** The longest pause between two tries of a transaction. */
export const TRANSACTION_PAUSE_LAST_MS = 200;
/** PostgreSQL cuts identifiers after this many bytes, and two long ones could become one. */
export const IDENTIFIER_MAX_BYTES = 63;
/** Blobs are read in blocks of this length: measured best for TLS and for hashing. */
export const BLOB_READ_BLOCK_BYTES = 1_048_576;
/** An upload is made durable at least this often, so that a power cut costs no more than this. */
export const UPLOAD_SYNC_BYTES = 8_388_608;
/** How long the tests' server outlives its last user: the pause between two test files, and no orphan. */
export const TEST_SERVER_GRACE_SECONDS = 5;
/** Templates of test schemas that are kept; each is 8 MB, and each change of a schema leaves one. */
export const TEST_TEMPLATES_MAX = 16;
