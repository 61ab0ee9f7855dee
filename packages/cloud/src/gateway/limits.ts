/** Bounds of the gateway's connections and requests, with their reasons. Bodies: `deviceLimits`. */

/** How long a TLS handshake may take: bad mobile networks need seconds, nobody needs more. */
export const HANDSHAKE_TIMEOUT_MS = 15_000;
/** How long the head of a request may take. */
export const HEADERS_TIMEOUT_MS = 15_000;
/** How long a request may take to arrive whole: a manifest of 2 MiB over a poor network. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How often the two above are looked at. */
export const TIMEOUT_CHECK_MS = 5000;
/** How long an open connection may idle: each costs 70 KB; a vehicle that comes back resumes its session. */
export const KEEP_ALIVE_MS = 30_000;
/** How long a connection may be stuck in the middle of an answer. */
export const SOCKET_IDLE_MS = 120_000;
/** Bytes of a request's head: the vehicles' client sends under 300. */
export const HEADERS_MAX_BYTES = 8192;
/** Open connections of a process: 70 KB each. */
export const CONNECTIONS_MAX = 20_000;
/** How long a TLS session can be resumed; also bounded by the rotation of ticket keys. RFC 8446: at most a week. */
export const SESSION_SECONDS = 604_800;
/** How long ticket keys live: whoever steals them can read the sessions of this time at most. */
export const TICKET_PERIOD_HOURS = 168;
/** Certificates whose chain was checked, remembered by fingerprint: some 30 MB. */
export const PEER_CACHE_ENTRIES = 100_000;
/** Requests a vehicle may make at once, and per second in the long run: a first cycle has some 20, with delegations more. */
export const RATE_BURST = 300;
/** {@link RATE_BURST} */
export const RATE_PER_SECOND = 5;
/** Vehicles whose rate is remembered. */
export const RATE_ENTRIES = 200_000;
/** Requests without or with a bad certificate, from all of the world, per second. */
export const STRANGER_PER_SECOND = 200;
/** Kinds of refusals counted before they are written. */
export const REFUSAL_ENTRIES = 5000;
/** How long refusals of one kind are counted before one event tells of them. */
export const REFUSAL_FLUSH_MS = 1000;
/** How long last contacts are gathered before they are written. */
export const TOUCH_FLUSH_MS = 500;
/** Last contacts in one statement. */
export const TOUCH_ITEMS = 5000;
/** Bytes of a URL's path: a file name of 253 characters, percent-encoded. */
export const PATH_MAX_CHARACTERS = 4096;
/** How long a revocation list or an answer of OCSP is good. */
export const STATUS_HOURS = 24;
/** How long it may last until new certificates are known to OCSP; revocations are at once. */
export const STATUS_CACHE_MS = 60_000;
/** How long requests under way may take to end when the server stops. */
export const CLOSE_PATIENCE_MS = 10_000;
/** Requests for images and metadata from one address, per second: a CDN asks for many vehicles. */
export const REPOSITORY_PER_SECOND = 200;
