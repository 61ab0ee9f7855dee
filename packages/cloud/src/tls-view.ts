/** What this deployment's servers show in TLS, kept good while they run: certificate, key and ticket keys. */
import type { ServerOptions } from 'node:https';
import { type Clock, type Entropy, equalBytes } from '@immota/base';
import type { Scheduled, Timer } from '@immota/store';
import { type Authorities, ensureServerIdentity, type ServerNames } from './authorities.ts';
import type { DataFolder } from './data-folder.ts';
import { type ServerIdentity, ticketKeys, tlsOptions } from './gateway/tls.ts';
import type { DeploymentSecret } from './seal.ts';

/** How often it is looked whether something ends: a certificate has weeks left, ticket keys change at the hour. */
const CHECK_MS = 3_600_000;

/** What it is made of. */
export interface TlsViewOptions {
  readonly folder: DataFolder;
  readonly authorities: Authorities;
  readonly secret: DeploymentSecret;
  readonly names: ServerNames;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly timer: Timer;
  /** Told when it cannot be renewed; what was there is shown on, and the next hour tries again. */
  readonly failed: (error: unknown) => void;
}

/** See the head of the file. */
export interface TlsView {
  /** What new connections are to see. */
  options(): ServerOptions;
  /** Calls back when that is another. @returns what ends it. */
  onChange(listener: (options: ServerOptions) => void): () => void;
  close(): Promise<void>;
}

/**
 * Opens the view: makes a certificate when there is none, and a new one when it ends soon. Of several
 * processes on one folder one makes it, and the others find it.
 *
 * @throws CloudFault DATA_FOLDER; PkiFault.
 */
export async function openTlsView(view: TlsViewOptions): Promise<TlsView> {
  const { folder, authorities, secret, clock, timer, failed } = view;
  const listeners = new Set<(options: ServerOptions) => void>();
  let identity = await ensureServerIdentity(folder, authorities, view);
  let tickets = ticketKeys(secret, clock);
  let running: Promise<void> = Promise.resolve();
  let scheduled: Scheduled;
  const options = (): ServerOptions => tlsOptions(identity, [authorities.root], tickets);
  const check = async (): Promise<void> => {
    const [nextIdentity, nextTickets] = [
      await ensureServerIdentity(folder, authorities, view),
      ticketKeys(secret, clock),
    ];
    if (isSame(identity, nextIdentity) && equalBytes(tickets, nextTickets)) return;
    [identity, tickets] = [nextIdentity, nextTickets];
    for (const listener of listeners) listener(options());
  };
  const schedule = (): void => {
    scheduled = timer.schedule(CHECK_MS, () => {
      running = check().catch(failed).then(schedule);
    });
  };
  schedule();
  return {
    options,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
      scheduled.cancel();
      await running;
      scheduled.cancel();
    },
  };
}

function isSame(left: ServerIdentity, right: ServerIdentity): boolean {
  const [one, other] = [left.certificates[0], right.certificates[0]];
  return one !== undefined && other !== undefined && one.serial === other.serial;
}
