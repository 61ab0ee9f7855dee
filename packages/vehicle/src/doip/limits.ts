/** What the carrier of DoIP may cost, each figure with its reason. */

/** The port of ISO 13400-2, of both carriers. */
export const DOIP_PORT = 13_400;
/** That of TLS. */
export const DOIP_TLS_PORT = 3496;
/** A connection inside a vehicle is there in milliseconds; a workshop's network may need a while. */
export const CONNECT_TIMEOUT_MS = 5000;
/** A handshake takes an ECU tens of milliseconds; who waits longer gives way. */
export const HANDSHAKE_TIMEOUT_MS = 5000;
/** Handshakes under way at one time; the oldest gives way to a new one. */
export const HANDSHAKES_MAX = 16;
/** A refusal has to reach the peer before its connection is cut. */
export const LINGER_MS = 1000;
/** Connections that linger at one time; the oldest is cut. */
export const LINGERING_MAX = 16;
/** Bytes that wait for a peer who does not read: some of the longest messages, then it is cut. */
export const UNSENT_MAX_BYTES = 8_388_608;
/** How long a search for entities listens: all waited their half second, and some were busy. */
export const DISCOVERY_MS = 2000;

/** Requests that wait for one ECU: a tester sends one and waits, so this is some testers at once. */
export const QUEUE_MAX = 16;
/** Bytes of requests that wait for all ECUs: blocks of flash for every one of them. */
export const QUEUE_MAX_BYTES = 16_777_216;
/** P2*: an ECU that says neither an answer nor "pending" for this long says nothing more. */
export const RESPONSE_MAX_MS = 5000;
/** P2 and what a bus adds: after a request that wants no answer the ECU is free again. */
export const QUIET_MS = 100;
/** After a failure of its bus an ECU's requests are refused at once for so long, not left to wait. */
export const UNREACHABLE_MS = 1000;
