/**
 * Wake-ups over MQTT beside polling: a hint that there may be something, and nothing more. What a
 * message says is not even read; it leads to a check-in, which verifies as always.
 */
import { wakeTopic } from '@immota/api';
import { connect } from 'mqtt';
import type { TlsCredential } from '../download/https-fetcher.ts';

/** Whom to listen to. */
export interface WakeUpOptions {
  /** `mqtts://host:port`. */
  readonly url: string;
  readonly vehicleIdentifier: string;
  readonly rootsPem: string;
  readonly credential: TlsCredential;
  readonly onWake: () => void;
  /** Called when the broker cannot be reached or trusted; it is tried again. */
  readonly onRefused?: (() => void) | undefined;
}

/** Between two attempts to reach the broker. */
const RECONNECT_MS = 30_000;

/**
 * Listens until it is closed, reconnecting as often as it has to. A broker that cannot be reached or
 * trusted is no fault: polling goes on.
 *
 * @returns what ends it.
 */
export function listenForWakeUps(options: WakeUpOptions): () => Promise<void> {
  const { url, vehicleIdentifier, rootsPem, credential, onWake, onRefused = ignore } = options;
  const client = connect(url, {
    ca: rootsPem,
    cert: credential.certificatePem,
    key: credential.privateKeyPem,
    rejectUnauthorized: true,
    clientId: vehicleIdentifier,
    clean: true,
    reconnectPeriod: RECONNECT_MS,
  });
  client.on('connect', () => {
    client.subscribe(wakeTopic(vehicleIdentifier), { qos: 1 });
  });
  client.on('message', onWake);
  client.on('error', onRefused);
  return async () => {
    await client.endAsync(true);
  };
}

/** The client reconnects by itself; without a listener Node would end the process. */
function ignore(): void {
  // See above.
}
