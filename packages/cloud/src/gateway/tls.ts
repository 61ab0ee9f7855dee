/** The gateway's TLS: client certificates asked for, sessions that resume in any process. */
import type { ServerOptions } from 'node:https';
import type { Clock } from '@immota/base';
import { type Certificate, encodeCertificatesPem } from '@immota/pki';
import type { DeploymentSecret } from '../seal.ts';
import { HANDSHAKE_TIMEOUT_MS, SESSION_SECONDS, TICKET_PERIOD_HOURS } from './limits.ts';

/** What a server shows of itself. */
export interface ServerIdentity {
  /** Its own first, then the authorities up to the root. */
  readonly certificates: readonly Certificate[];
  /** PKCS#8 in PEM: TLS wants the key in this process. */
  readonly privateKeyPem: string;
}

/** Octets that node:tls takes for its ticket keys. */
const TICKET_KEYS_LENGTH_BYTES = 48;

/**
 * Makes the TLS options of a server.
 *
 * @param anchors - whom clients' certificates must lead to. A client without a good one is still let in as
 * far as a clear refusal: a vehicle after its reboot asks once before it has loaded its key.
 */
export function tlsOptions(
  identity: ServerIdentity,
  anchors: readonly Certificate[],
  tickets: Buffer,
): ServerOptions {
  const root = identity.certificates.at(-1);
  const shown = identity.certificates.length > 1 ? identity.certificates.slice(0, -1) : [root];
  return {
    cert: encodeCertificatesPem(shown.filter((certificate) => certificate !== undefined)),
    key: identity.privateKeyPem,
    ca: anchors.map((anchor) => encodeCertificatesPem([anchor])),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // One context for all processes, or a ticket of one is a stranger's to the next.
    sessionIdContext: 'immota-gateway',
    sessionTimeout: SESSION_SECONDS,
    ticketKeys: tickets,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
}

/**
 * Derives the ticket keys of the present period: the same in every process and after every restart, and new
 * ones each week without anybody's doing.
 */
export function ticketKeys(secret: DeploymentSecret, clock: Clock): Buffer {
  const period = Math.floor(clock.now().epochMilliseconds / (TICKET_PERIOD_HOURS * 3_600_000));
  return Buffer.from(secret.derive(`tls tickets ${period}`, TICKET_KEYS_LENGTH_BYTES));
}
