/** What the benchmarks of the gateway share: clients, servers, and what a vehicle says. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CredentialFiles } from '@immota/pki';
import { type BenchVehicle, nextManifest } from '../cloud/fleet.ts';
import type { ServerProcess } from './server-process.ts';

/** A vehicle with its TLS credential. */
export interface Client {
  readonly vehicle: BenchVehicle;
  readonly credential: CredentialFiles;
}

/** Everything that a benchmark of the gateway needs. */
export interface GatewayBench {
  readonly gateway: ServerProcess;
  /** Another process on the same data. */
  readonly second: ServerProcess;
  readonly bare: ServerProcess;
  /** With one ECU each. */
  readonly small: readonly Client[];
  /** With four. */
  readonly large: readonly Client[];
}

/** Longer than the gateway gathers last contacts before it writes them. */
const SETTLE_MS = 700;

/** Waits until what was gathered is written. */
export async function settle(): Promise<void> {
  await delay(SETTLE_MS);
}

/** The question of a vehicle that holds the first version of its metadata. */
export const NOTHING_NEW: Uint8Array = Buffer.from(
  'GET /director/timestamp.json HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: "1"\r\n\r\n',
);

/** Asks whether there is news. */
export function askForNews(): Promise<Uint8Array> {
  return Promise.resolve(NOTHING_NEW);
}

/** A vehicle's next manifest as a request. */
export async function manifestRequest({ vehicle }: Client): Promise<Uint8Array> {
  const body = await nextManifest(vehicle);
  const head = `PUT /director/manifest HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
