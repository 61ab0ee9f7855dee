/** The T-BOX's ways to the ECUs: a connection of DoIP over TLS to each entity, opened when it is needed. */
import { utf8 } from '@immota/base';
import type { DiagnosticChannel } from '../diagnostics/channel.ts';
import { openUdsClient } from '../diagnostics/uds-client.ts';
import { openUdsSecondaryLink } from '../diagnostics/uds-secondary-link.ts';
import { connectDoip, type DoipConnection } from '../doip/doip-client.ts';
import { type LinkCredential, linkNameOf } from '../link/link-credentials.ts';
import type { SecondaryLink } from '../link/secondary-link.ts';
import type { Surroundings } from '../ports.ts';
import {
  CAN_MESSAGE_MAX_BYTES,
  ETHERNET_MESSAGE_MAX_BYTES,
  ETHERNET_PAYLOAD_MAX_BYTES,
} from './limits.ts';
import type { EcuPlacement, VehicleTopology } from './topology.ts';
import type { EntityAddress } from './vehicle-network.ts';

/** What the ways need. */
export interface TboxLinksOptions {
  readonly topology: VehicleTopology;
  readonly vehicleIdentifier: string;
  /** The Primary's, from `createVehicleLinkCredentials`. */
  readonly credential: LinkCredential;
  /** By ECU: its own entity, or that of the gateway before it. */
  readonly entities: ReadonlyMap<string, EntityAddress>;
  readonly surroundings: Surroundings;
}

/** The links, and what carries them. */
export interface TboxLinks {
  readonly links: readonly SecondaryLink[];
  close(): Promise<void>;
}

/** Workshop code that says who programs {14229-1:2020 C.1}: here the vehicle itself, over the air. */
const FINGERPRINT = utf8('OTA');

/** Makes the links. Nothing is connected before one of them is used. */
export function openTboxLinks(options: TboxLinksOptions): TboxLinks {
  const { topology, surroundings, credential, vehicleIdentifier } = options;
  const connections = new Connections(options);
  const { timer, entropy, clock } = surroundings;
  const links = topology.ecus.map((placement) =>
    openUdsSecondaryLink({
      ecuIdentifier: placement.ecu,
      vehicleIdentifier,
      connect: async () =>
        openUdsClient({ channel: await connections.channelTo(placement), timer }),
      credential,
      entropy,
      timer,
      now: () => clock.now(),
      transfer: placement.storage.kind === 'file-system' ? 'file' : 'memory',
      flavour: placement.storage.kind === 'one-bank' ? 'programming' : 'silent',
      fingerprint: FINGERPRINT,
    }),
  );
  return {
    links,
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
      await connections.close();
    },
  };
}

/** One connection to each entity, however many ECUs are behind it. */
class Connections {
  readonly #options: TboxLinksOptions;
  readonly #open = new Map<string, Promise<DoipConnection>>();

  constructor(options: TboxLinksOptions) {
    this.#options = options;
  }

  async channelTo({ ecu, address, place }: EcuPlacement): Promise<DiagnosticChannel> {
    const isAlone = place.kind === 'ethernet';
    const entity = isAlone ? ecu : this.#options.topology.gateway;
    const connection = await this.#connect(entity);
    const messageMaxBytes = isAlone ? ETHERNET_MESSAGE_MAX_BYTES : CAN_MESSAGE_MAX_BYTES;
    return connection.openChannel(address, { messageMaxBytes });
  }

  async close(): Promise<void> {
    const all = await Promise.allSettled(this.#open.values());
    for (const one of all) if (one.status === 'fulfilled') await one.value.close();
  }

  async #connect(entity: EcuPlacement['ecu']): Promise<DoipConnection> {
    const known = this.#open.get(entity);
    if (known !== undefined) return await known;
    const connecting = this.#dial(entity);
    this.#open.set(entity, connecting);
    const forget = (): void => {
      if (this.#open.get(entity) === connecting) this.#open.delete(entity);
    };
    try {
      const connection = await connecting;
      connection.closed.then(forget, forget);
      return connection;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #dial(entity: EcuPlacement['ecu']): Promise<DoipConnection> {
    const { credential, entities, surroundings, topology } = this.#options;
    const place = entities.get(entity);
    if (place === undefined) throw new RangeError(`no entity "${entity}"`);
    return await connectDoip({
      host: place.host,
      port: place.tcpPort,
      tls: {
        port: place.tlsPort,
        ca: credential.authorityPem,
        credential: { cert: credential.certificatePem, key: credential.privateKeyPem },
        servername: linkNameOf(entity),
        use: 'always',
      },
      timer: surroundings.timer,
      source: topology.tester,
      dataMaxBytes: ETHERNET_PAYLOAD_MAX_BYTES,
    });
  }
}
