/**
 * One ECU by itself, for testers that are not ours: reached by DoIP, or by ISO-TP on a CAN bus at whose
 * other end whoever likes may be. It is the same node as in its vehicle, and believes nobody more.
 */
import { type CanBus, DOIP_NACK, type IsoTpSettings, normalAddress } from '@immota/bus';
import { createLocalTarget } from '../doip/target.ts';
import { openIsoTpEndpoint } from '../network/isotp-diagnostics.ts';
import { type EcuNode, type EcuNodeOptions, startEcuNode } from './ecu-node.ts';
import { openEthernetEcu } from './ethernet.ts';
import { CAN_MESSAGE_MAX_BYTES, ETHERNET_MESSAGE_MAX_BYTES, FUNCTIONAL_ID } from './limits.ts';
import type { EntityAddress } from './vehicle-network.ts';

/** How testers reach it. */
export type LoneCarrier =
  | {
      readonly kind: 'doip';
      readonly host: string;
      /** Those of ISO 13400-2, or any free ones. */
      readonly ports: 'standard' | 'free';
      /** The ECU's logical address. */
      readonly address: number;
    }
  | {
      readonly kind: 'can';
      /** Open; it is closed with the ECU. */
      readonly bus: CanBus;
      readonly isFd: boolean;
      readonly requestId: number;
      readonly responseId: number;
    };

/** See the head of the file. */
export interface LoneEcu {
  /** Undefined on a CAN bus. */
  readonly entity: EntityAddress | undefined;
  close(): Promise<void>;
}

/** Starts an ECU. @throws as `startEcuNode` and the carrier. */
export async function startLoneEcu(
  options: EcuNodeOptions,
  carrier: LoneCarrier,
): Promise<LoneEcu> {
  const node = await startEcuNode(options);
  try {
    const carried =
      carrier.kind === 'can'
        ? joinBus(options, carrier, node)
        : await openEntity(options, carrier, node);
    return {
      entity: carried.entity,
      close: async () => {
        await carried.close();
        await node.close();
      },
    };
  } catch (error) {
    await node.close();
    throw error;
  }
}

function joinBus(
  { surroundings }: EcuNodeOptions,
  { bus, isFd, requestId, responseId }: Extract<LoneCarrier, { readonly kind: 'can' }>,
  node: EcuNode,
): LoneEcu {
  const settings: IsoTpSettings = { isFd, messageMaxBytes: CAN_MESSAGE_MAX_BYTES };
  const tester = normalAddress({
    txId: requestId,
    rxId: responseId,
    functionalId: FUNCTIONAL_ID,
  });
  const { timer } = surroundings;
  const endpoint = openIsoTpEndpoint({ bus, timer, settings, testers: [tester] });
  node.serve(endpoint);
  return {
    entity: undefined,
    close: async () => {
      await endpoint.close();
      await bus.close();
    },
  };
}

async function openEntity(
  { bundle, surroundings }: EcuNodeOptions,
  { host, ports, address }: Extract<LoneCarrier, { readonly kind: 'doip' }>,
  node: EcuNode,
): Promise<LoneEcu> {
  const messageMaxBytes = ETHERNET_MESSAGE_MAX_BYTES;
  const local = createLocalTarget({ logicalAddress: address, messageMaxBytes });
  node.serve(local);
  const { factory, credential } = bundle;
  const server = await openEthernetEcu({
    vehicleIdentifier: factory.vehicleIdentifier,
    ecuIdentifier: factory.ecuIdentifier,
    address,
    isGateway: false,
    credential,
    route: (target) => (target === address ? local : DOIP_NACK.unknownTarget),
    surroundings,
    host,
    ports,
  });
  const { tcpPort, udpPort, tlsPort = 0 } = server;
  return {
    entity: { host, tcpPort, udpPort, tlsPort },
    close: async () => {
      await server.close();
      await local.close();
    },
  };
}
