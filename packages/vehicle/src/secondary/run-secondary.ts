/**
 * Runs a Secondary as a node of the vehicle's network, in this process or as one of its own: the ECU,
 * and the port at which its Primary finds it.
 */
import { RATE_FLOOR_BYTES_PER_S, RATE_WINDOW_MS } from '../download/limits.ts';
import type { RateFloor } from '../download/rate-guard.ts';
import type { LinkCredential } from '../link/link-credentials.ts';
import { type SecondaryServer, serveSecondary } from '../link/tcp-server.ts';
import { openSecondary } from './secondary-ecu.ts';
import type { SecondaryOptions } from './secondary-options.ts';

/**
 * What a process of its own for a Secondary is started with: V8 then collects what TLS has read after
 * each megabyte instead of after tens, which costs no time and keeps an image of any size within 20 MB.
 */
export const SECONDARY_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1'];

/** How to run a node. */
export interface RunSecondaryOptions extends SecondaryOptions {
  /** This ECU's, from `createVehicleLinkCredentials`. */
  readonly credential: LinkCredential;
  /** The loopback address when left out. */
  readonly host?: string | undefined;
  /** Any free one when left out. */
  readonly port?: number | undefined;
  /** Below this a transfer is an attack {uptane I9}; as for downloads when left out. */
  readonly rateFloor?: RateFloor | undefined;
}

/**
 * Starts a node; fulfils when its Primary can reach it.
 *
 * @throws VehicleFault as `openSecondary`.
 */
export async function runSecondary(options: RunSecondaryOptions): Promise<SecondaryServer> {
  const ecu = await openSecondary(options);
  try {
    const server = await serveSecondary({
      ecu,
      credential: options.credential,
      host: options.host,
      port: options.port,
      timer: options.surroundings.timer,
      rateFloor: options.rateFloor ?? {
        bytesPerSecond: RATE_FLOOR_BYTES_PER_S,
        windowMs: RATE_WINDOW_MS,
      },
      onBreach: (fault) => ecu.noteBreach(fault),
    });
    return {
      host: server.host,
      port: server.port,
      close: async () => {
        await server.close();
        await ecu.close();
      },
    };
  } catch (error) {
    await ecu.close();
    throw error;
  }
}
