/** ECUs on the vehicle's Ethernet: entities of DoIP with the certificates of the vehicle's own link. */
import { createHash } from 'node:crypto';
import type { DiagnosticRoute } from '../doip/target.ts';
import { type DoipEntityServer, openDoipEntity } from '../doip/doip-entity.ts';
import type { DoipEntityEvent } from '../doip/entity-options.ts';
import type { LinkCredential } from '../link/link-credentials.ts';
import type { Surroundings } from '../ports.ts';
import { ETHERNET_PAYLOAD_MAX_BYTES } from './limits.ts';

/** How an ECU is an entity. */
export interface EthernetOptions {
  /** 17 characters, or any other identifier of a vehicle. */
  readonly vehicleIdentifier: string;
  readonly ecuIdentifier: string;
  readonly address: number;
  readonly isGateway: boolean;
  readonly credential: LinkCredential;
  readonly route: DiagnosticRoute;
  readonly surroundings: Surroundings;
  readonly host: string;
  /** Those of ISO 13400-2 or any free ones. */
  readonly ports: 'standard' | 'free';
  readonly onEvent?: ((event: DoipEntityEvent) => void) | undefined;
}

const ID_BYTES = 6;
const VIN_LENGTH = 17;

/** Opens an entity: plain TCP for testers that read, TLS 1.3 for the T-BOX. */
export async function openEthernetEcu(options: EthernetOptions): Promise<DoipEntityServer> {
  const { vehicleIdentifier, ecuIdentifier, address, credential, surroundings, host } = options;
  const isFree = options.ports === 'free';
  const free = isFree ? 0 : undefined;
  return await openDoipEntity({
    identity: {
      vin: vehicleIdentifier.length === VIN_LENGTH ? vehicleIdentifier : undefined,
      logicalAddress: address,
      eid: shortId(ecuIdentifier),
      gid: shortId(vehicleIdentifier),
    },
    isGateway: options.isGateway,
    host,
    tcpPort: free,
    udpPort: free,
    // Where several vehicles share a machine, nobody shouts.
    announceTo: isFree ? { address: '127.0.0.1', port: 9 } : undefined,
    tls: {
      cert: credential.certificatePem,
      key: credential.privateKeyPem,
      ca: credential.authorityPem,
      port: free,
      clientCertificate: 'required',
    },
    timer: surroundings.timer,
    entropy: surroundings.entropy,
    route: options.route,
    dataMaxBytes: ETHERNET_PAYLOAD_MAX_BYTES,
    onEvent: options.onEvent,
  });
}

/** Six bytes that stand for a longer name: simulated ECUs have no address of a network card. */
function shortId(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(name).digest().subarray(0, ID_BYTES));
}
