/**
 * A vehicle's network in one process: CAN buses that take their time, ECUs as nodes of their own, and
 * the gateway with its firewall between them and Ethernet. The T-BOX reaches every ECU by DoIP over TLS,
 * as it would in the car; nothing in here hands a message past the carriers.
 */
import { join } from 'node:path';
import {
  type CanBus,
  canBitRate,
  type IsoTpAddress,
  type IsoTpSettings,
  normalAddress,
} from '@immota/bus';
import { findCommonName, parseCertificate } from '@immota/pki';
import type { VehicleIdentifier } from '@immota/uptane';
import type { DiagnosticChannel } from '../diagnostics/channel.ts';
import type { RefusedRequest } from '../diagnostics/serve-uds.ts';
import { createDiagnosticRouter } from '../doip/diagnostic-router.ts';
import type { DoipEntityServer } from '../doip/doip-entity.ts';
import { createLocalTarget } from '../doip/target.ts';
import { createGateway } from '../gateway/create-gateway.ts';
import type { Refusal } from '../gateway/refusal.ts';
import { TBOX_ROLE } from '../gateway/rules.ts';
import { openSecurityEvents, type SecurityEvents } from '../gateway/security-events.ts';
import { TesterRoles } from '../gateway/tester-roles.ts';
import { PRIMARY_NAME } from '../link/link-credentials.ts';
import { type CanHub, createCanHub } from '../network/can-hub.ts';
import { openIsoTpEndpoint, openIsoTpTester } from '../network/isotp-diagnostics.ts';
import type { Surroundings } from '../ports.ts';
import { loadSecondaryBundle, type SecondaryBundle } from '../secondary/secondary-bundle.ts';
import type { SecondaryProgress } from '../secondary/secondary-options.ts';
import type { HealthCheck } from '../slots/folder-slots.ts';
import { filesOfFolder } from '../slots/slot-files.ts';
import { loadEcuKeys } from '../state/ecu-keys.ts';
import { type EcuNode, startEcuNode } from './ecu-node.ts';
import { openEthernetEcu } from './ethernet.ts';
import { gatewayRulesOf } from './gateway-rules.ts';
import { CAN_MESSAGE_MAX_BYTES, ETHERNET_MESSAGE_MAX_BYTES, FUNCTIONAL_ID } from './limits.ts';
import { frameKey, obdIdentifiers, openObdPort } from './obd-port.ts';
import type { BusPlan, EcuPlacement, ObdPlan, VehicleTopology } from './topology.ts';

/** What a network is made of. */
export interface VehicleNetworkOptions {
  readonly topology: VehicleTopology;
  /** Of the vehicle: each ECU's folder is `ecus/ID`, as `saveSecondaryBundle` wrote it. */
  readonly folder: string;
  readonly surroundings: Surroundings;
  /** Where the entities listen; the loopback address when left out. */
  readonly host?: string | undefined;
  /** Free ports when left out, so that several vehicles run on one machine. */
  readonly ports?: 'standard' | 'free' | undefined;
  readonly isFlashPaced?: boolean | undefined;
  /** Tells whether the vehicle is known to be parked; never when left out. */
  readonly isParked?: (() => boolean) | undefined;
  readonly healthCheck?: ((ecu: string) => HealthCheck | undefined) | undefined;
  readonly onProgress?: ((ecu: string, progress: SecondaryProgress) => void) | undefined;
  /** Hears what the firewall refused. */
  readonly onRefusal?: ((refusal: Refusal) => void) | undefined;
  /** Hears what an ECU refused a tester. */
  readonly onRefused?: ((ecu: string, refused: RefusedRequest) => void) | undefined;
  readonly onFailure: (error: unknown) => void;
}

/** Where an entity of DoIP is reached. */
export interface EntityAddress {
  readonly host: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly tlsPort: number;
}

/** See the head of the file. */
export interface VehicleNetwork {
  readonly vehicleIdentifier: VehicleIdentifier;
  /** Of each ECU on Ethernet, and for those behind it the gateway's. */
  readonly entities: ReadonlyMap<string, EntityAddress>;
  /** By name, that of the plug among them: for a tester's own place on a bus. */
  readonly buses: ReadonlyMap<string, CanHub>;
  /** What the gateway has refused, until somebody has taken it. */
  readonly events: SecurityEvents;
  close(): Promise<void>;
}

/** The number of the gateway's manager of events, and of its firewall's sensor. */
const EVENTS_INSTANCE = 1;
const FIREWALL_SENSOR = 1;

/**
 * Starts all ECUs of a vehicle but the T-BOX.
 *
 * @throws VehicleFault BUNDLE_MALFORMED, STATE_CORRUPT, ECU_KEY; FlashFault FILE_MALFORMED.
 */
export async function startVehicleNetwork(options: VehicleNetworkOptions): Promise<VehicleNetwork> {
  const starting = new Starting(options);
  try {
    return await starting.start();
  } catch (error) {
    await starting.close();
    throw error;
  }
}

class Starting {
  readonly #options: VehicleNetworkOptions;
  readonly #hubs = new Map<string, CanHub>();
  #plug: CanHub | undefined;
  readonly #nodes = new Map<string, EcuNode>();
  readonly #bundles = new Map<string, SecondaryBundle>();
  readonly #entities = new Map<string, EntityAddress>();
  /** In the order in which they are closed. */
  readonly #ends: (() => Promise<void> | void)[] = [];

  constructor(options: VehicleNetworkOptions) {
    this.#options = options;
  }

  async start(): Promise<VehicleNetwork> {
    const { topology, surroundings } = this.#options;
    for (const bus of topology.buses) {
      const hub = createCanHub({ timer: surroundings.timer, rate: rateOf(bus) });
      this.#hubs.set(bus.name, hub);
      this.#ends.unshift(() => hub.close());
    }
    for (const placement of topology.ecus) await this.#startNode(placement);
    for (const placement of topology.ecus) {
      // Without a bus there is nothing to stand before.
      const isGateway = placement.ecu === topology.gateway && this.#hubs.size > 0;
      const isAlone = placement.place.kind === 'ethernet' && !isGateway;
      if (isAlone) await this.#openEntity(placement);
    }
    const events = await this.#openEvents();
    if (this.#hubs.size > 0) await this.#openGateway(events);
    for (const { ecu, place } of topology.ecus) {
      const gateway = this.#entities.get(topology.gateway);
      if (place.kind === 'can' && gateway !== undefined) this.#entities.set(ecu, gateway);
    }
    const [first] = this.#bundles.values();
    if (first === undefined) throw new RangeError('a topology has ECUs');
    return {
      vehicleIdentifier: first.factory.vehicleIdentifier,
      entities: this.#entities,
      buses: this.#allHubs(),
      events,
      close: async () => this.close(),
    };
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }

  async #startNode({ ecu, storage, place, rxswin }: EcuPlacement): Promise<void> {
    const { folder, surroundings, healthCheck, onProgress, onRefused } = this.#options;
    const own = join(folder, 'ecus', ecu);
    const bundle = loadSecondaryBundle(own);
    const node = await startEcuNode({
      bundle,
      folder: join(own, 'own'),
      storage,
      rxswin,
      surroundings,
      isFlashPaced: this.#options.isFlashPaced,
      healthCheck: healthCheck?.(ecu),
      onProgress: (progress) => onProgress?.(ecu, progress),
      onRefused: (refused) => onRefused?.(ecu, refused),
      onFailure: this.#options.onFailure,
    });
    this.#ends.unshift(() => node.close());
    this.#nodes.set(ecu, node);
    this.#bundles.set(ecu, bundle);
    if (place.kind === 'ethernet') return;
    const hub = this.#hubOf(place.bus);
    const endpoint = openIsoTpEndpoint({
      bus: hub.connect(),
      timer: hub.timer,
      settings: this.#settingsOf(place.bus),
      testers: [addressOf(place)],
    });
    node.serve(endpoint, hub.timer);
    this.#ends.unshift(() => endpoint.close());
  }

  async #openEntity({ ecu, address }: EcuPlacement): Promise<void> {
    const local = this.#serveLocally(ecu, address);
    await this.#listen(ecu, { address, isGateway: false, route: () => local });
  }

  async #openGateway(events: SecurityEvents): Promise<void> {
    const { topology, surroundings, isParked, onRefusal, onFailure } = this.#options;
    const { timer } = surroundings;
    const own = this.#placementOf(topology.gateway);
    const roles = new TesterRoles(roleOf);
    const report = (refusal: Refusal): void => {
      events.report(refusal);
      onRefusal?.(refusal);
    };
    const { obd } = topology;
    if (obd !== undefined) this.#openPlug(obd);
    const firewall = createGateway({
      buses: new Map([...this.#allHubs()].map(([name, hub]) => [name, this.#transitOf(name, hub)])),
      rules: gatewayRulesOf(topology),
      timer,
      report,
      isParked: isParked ?? (() => false),
      findRole: (tester) => roles.find(tester),
    });
    this.#ends.unshift(() => firewall.close());
    const router = createDiagnosticRouter({
      ecus: this.#openChannels(),
      permit: firewall.permit,
      timer,
      onFailed: (_, error) => onFailure(error),
    });
    this.#ends.unshift(() => router.close());
    const local = this.#serveLocally(own.ecu, own.address);
    const routed = firewall.watch(router.route);
    if (obd !== undefined && this.#plug !== undefined) {
      const { route } = router;
      const where = { address: own.address, target: local };
      const plug = { topology, plan: obd, hub: this.#plug, gateway: firewall, route, own: where };
      const close = openObdPort({ ...plug, report });
      this.#ends.unshift(close);
    }
    await this.#listen(own.ecu, {
      address: own.address,
      isGateway: true,
      route: (address) => (address === own.address ? local : routed(address)),
      onEvent: (event) => roles.note(event),
    });
  }

  async #openEvents(): Promise<SecurityEvents> {
    const { topology, folder, surroundings } = this.#options;
    const { clock, timer, entropy } = surroundings;
    const own = join(folder, 'ecus', topology.gateway, 'own');
    const profile = this.#bundles.get(topology.gateway)?.factory.profile ?? 'classic';
    const { identity } = loadEcuKeys(join(own, 'secondary', 'keys'), { profile, entropy });
    const events = await openSecurityEvents({
      files: filesOfFolder(join(own, 'events')),
      signer: identity,
      clock,
      timer,
      instance: EVENTS_INSTANCE,
      sensor: FIREWALL_SENSOR,
    });
    this.#ends.unshift(() => events.close());
    return events;
  }

  /**
   * What passes by the gateway: the answers to its own requests are for itself, not for another bus. Its
   * requests it does not see here either, and nobody else may send them: another node that does is heard
   * by the ECU as a tester, and gets no rights.
   */
  #transitOf(name: string, hub: CanHub): CanBus {
    const { ecus, obd } = this.#options.topology;
    const own = new Set(obd?.bus === name ? obdIdentifiers(obd) : []);
    for (const { place } of ecus) {
      if (place.kind !== 'can' || place.bus !== name) continue;
      for (const id of [place.requestId, place.responseId]) {
        own.add(frameKey({ id, isExtended: false }));
      }
    }
    const bus = hub.connect();
    return {
      send: async (frame) => bus.send(frame),
      listen: (listener) =>
        bus.listen((frame) => {
          if (!own.has(frameKey(frame))) listener(frame);
        }),
      close: async () => bus.close(),
    };
  }

  #openPlug(plan: ObdPlan): void {
    const { timer } = this.#options.surroundings;
    const hub = createCanHub({ timer, rate: canBitRate(plan.nominalBps, plan.dataBps) });
    this.#plug = hub;
    this.#ends.unshift(() => hub.close());
  }

  #allHubs(): ReadonlyMap<string, CanHub> {
    const { obd } = this.#options.topology;
    return obd === undefined || this.#plug === undefined
      ? this.#hubs
      : new Map([...this.#hubs, [obd.bus, this.#plug]]);
  }

  /** The gateway's own ways to the ECUs on the buses, by their logical addresses. */
  #openChannels(): ReadonlyMap<number, DiagnosticChannel> {
    const testers = new Map(
      [...this.#hubs].map(([name, hub]) => {
        const settings = this.#settingsOf(name);
        const tester = openIsoTpTester({ bus: hub.connect(), timer: hub.timer, settings });
        this.#ends.unshift(() => tester.close());
        return [name, tester] as const;
      }),
    );
    const channels = new Map<number, DiagnosticChannel>();
    for (const { address, place } of this.#options.topology.ecus) {
      if (place.kind === 'ethernet') continue;
      const channel = testers.get(place.bus)?.channelTo(addressOf(place));
      if (channel !== undefined) channels.set(address, channel);
    }
    return channels;
  }

  #serveLocally(ecu: string, address: number): ReturnType<typeof createLocalTarget> {
    const messageMaxBytes = ETHERNET_MESSAGE_MAX_BYTES;
    const local = createLocalTarget({ logicalAddress: address, messageMaxBytes });
    this.#nodes.get(ecu)?.serve(local);
    this.#ends.unshift(() => local.close());
    return local;
  }

  async #listen(
    ecu: string,
    own: Pick<Parameters<typeof openEthernetEcu>[0], 'address' | 'isGateway' | 'route' | 'onEvent'>,
  ): Promise<void> {
    const { surroundings, host = '127.0.0.1', ports = 'free' } = this.#options;
    const bundle = this.#bundles.get(ecu);
    if (bundle === undefined) throw new RangeError(`no node "${ecu}"`);
    const server: DoipEntityServer = await openEthernetEcu({
      ...own,
      vehicleIdentifier: bundle.factory.vehicleIdentifier,
      ecuIdentifier: ecu,
      credential: bundle.credential,
      surroundings,
      host,
      ports,
    });
    this.#ends.unshift(() => server.close());
    const { tcpPort, udpPort, tlsPort = 0 } = server;
    this.#entities.set(ecu, { host, tcpPort, udpPort, tlsPort });
  }

  #placementOf(ecu: string): EcuPlacement {
    const found = this.#options.topology.ecus.find((one) => one.ecu === ecu);
    if (found === undefined) throw new RangeError(`no ECU "${ecu}"`);
    return found;
  }

  #hubOf(bus: string): CanHub {
    const hub = this.#hubs.get(bus);
    if (hub === undefined) throw new RangeError(`no bus "${bus}"`);
    return hub;
  }

  #settingsOf(bus: string): IsoTpSettings {
    const plan = this.#options.topology.buses.find(({ name }) => name === bus);
    return { isFd: plan?.dataBps !== undefined, messageMaxBytes: CAN_MESSAGE_MAX_BYTES };
  }
}

function rateOf({ nominalBps, dataBps }: BusPlan): ReturnType<typeof canBitRate> {
  return canBitRate(nominalBps, dataBps);
}

function addressOf(place: Extract<EcuPlacement['place'], { readonly kind: 'can' }>): IsoTpAddress {
  const { requestId, responseId } = place;
  return normalAddress({ txId: requestId, rxId: responseId, functionalId: FUNCTIONAL_ID });
}

/** The T-BOX by its certificate of the vehicle's own authority; nobody else has one for clients. */
function roleOf(certificate: Uint8Array): string | undefined {
  const name = findCommonName(parseCertificate(certificate).subject);
  return name === PRIMARY_NAME ? TBOX_ROLE : undefined;
}
