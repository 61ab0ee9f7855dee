/**
 * The plug under the dashboard {15765-4:2021}: a CAN bus on which there are the gateway and whoever plugs
 * something in. The gateway takes whole messages there, judges each as it does those that come by DoIP,
 * and asks the ECU itself: nothing that a stranger has sent as a frame reaches a bus of the vehicle.
 */
import { DOIP_NACK, type IsoTpAddress, normalAddress, normalFixedAddress } from '@immota/bus';
import type { DiagnosticRequest } from '../diagnostics/channel.ts';
import type { DiagnosticPermission } from '../doip/diagnostic-router.ts';
import type { DiagnosticRoute, LocalTarget, RoutedRequest } from '../doip/target.ts';
import type { Gateway } from '../gateway/create-gateway.ts';
import type { Refusal } from '../gateway/refusal.ts';
import type { CanHub } from '../network/can-hub.ts';
import { openIsoTpEndpoint } from '../network/isotp-diagnostics.ts';
import {
  CAN_MESSAGE_MAX_BYTES,
  FUNCTIONAL_ID,
  OBD_GROUP,
  OBD_TESTER,
  OBD_TESTER_BYTE,
} from './limits.ts';
import type { ObdPlan, VehicleTopology } from './topology.ts';

/** What a port stands on. */
export interface ObdPortOptions {
  readonly topology: VehicleTopology;
  readonly plan: ObdPlan;
  readonly hub: CanHub;
  readonly gateway: Pick<Gateway, 'permit' | 'watch'>;
  /** To the ECUs on the vehicle's buses. */
  readonly route: DiagnosticRoute;
  /** The gateway's own diagnostics. */
  readonly own: { readonly address: number; readonly target: LocalTarget };
  /** Takes what was refused before it was a message. */
  readonly report: (refusal: Refusal) => void;
}

/** `7F service 21`: the ECU has too much to do, ask again {14229-1:2020 A.1}. */
const NEGATIVE = 0x7f;
const BUSY = 0x21;

/** Opens the port. @returns what closes it; the hub stays open. */
export function openObdPort(options: ObdPortOptions): () => Promise<void> {
  const { plan, hub, gateway, own, topology, report } = options;
  let isOpen = true;
  const guarded = guard(options);
  const route = gateway.watch(
    (address) => (address === own.address ? guarded : options.route(address)),
    plan.bus,
  );
  const endpoints = plan.ecus.map(({ ecu, requestId, responseId }) => {
    const address = topology.ecus.find((one) => one.ecu === ecu)?.address;
    if (address === undefined) throw new RangeError(`no ECU "${ecu}"`);
    const endpoint = openIsoTpEndpoint({
      bus: hub.connect(),
      timer: hub.timer,
      settings: { isFd: plan.dataBps !== undefined, messageMaxBytes: CAN_MESSAGE_MAX_BYTES },
      testers: [obdAddress({ requestId, responseId })],
      onLost: () => {
        report({
          reason: 'diagnostic-framing',
          from: plan.bus,
          tester: OBD_TESTER,
          target: address,
          id: requestId,
        });
      },
    });
    endpoint.serve((request) => {
      take(route, { request, bus: plan.bus, address, isGone: () => !isOpen });
    });
    return endpoint;
  });
  return async () => {
    isOpen = false;
    for (const endpoint of endpoints) await endpoint.close();
  };
}

/** The identifiers with which a tester asks one ECU, and all of them {15765-4:2021 tables 5 and 6}. */
function obdAddress({
  requestId,
  responseId,
}: Pick<ObdPlan['ecus'][number], 'requestId' | 'responseId'>): IsoTpAddress {
  if (requestId <= 0x7ff) {
    return normalAddress({ txId: requestId, rxId: responseId, functionalId: FUNCTIONAL_ID });
  }
  const target = (requestId >>> 8) & 0xff;
  return normalFixedAddress({ source: OBD_TESTER_BYTE, target, functionalTarget: OBD_GROUP });
}

/** Lists what is said on the plug by testers and by the gateway: no filter of frames looks at it again. */
export function obdIdentifiers({ ecus }: ObdPlan): ReadonlySet<number> {
  const all = ecus.map((one) => obdAddress(one));
  return new Set(
    all.flatMap(({ isExtended, tx, rx, functionalTx }) =>
      [tx, rx, functionalTx].flatMap((end) =>
        end === undefined ? [] : [frameKey({ id: end.id, isExtended })],
      ),
    ),
  );
}

/** Identifiers of 29 bits are told apart from those of 11 by a bit above both. */
const EXTENDED = 0x2000_0000;

/** Tells identifiers of both lengths apart: a number, since every frame of every bus is looked up. */
export function frameKey(frame: { readonly id: number; readonly isExtended: boolean }): number {
  return frame.isExtended ? frame.id + EXTENDED : frame.id;
}

/** The gateway is an ECU behind its own firewall for whoever comes by the plug. */
function guard({ gateway, own, plan }: ObdPortOptions): LocalTarget {
  const { target } = own;
  return {
    ...target,
    deliver: (request) => {
      const { tester, bytes } = request;
      const permission: DiagnosticPermission = gateway.permit(
        tester,
        request.target,
        bytes,
        plan.bus,
      );
      return permission === 'permit' ? target.deliver(request) : permission.nackCode;
    },
  };
}

function take(
  route: DiagnosticRoute,
  asked: {
    readonly request: DiagnosticRequest;
    readonly bus: string;
    readonly address: number;
    readonly isGone: () => boolean;
  },
): void {
  const { request, bus, address, isGone } = asked;
  const { bytes, isFunctional } = request;
  const target = route(address);
  // What comes here is known and short enough; a firewall does not say what it keeps.
  if (typeof target === 'number' || bytes.length > target.messageMaxBytes) return;
  const routed: RoutedRequest = {
    tester: OBD_TESTER,
    from: bus,
    target: address,
    isFunctional,
    bytes,
    respond: async (message) => request.respond(message),
    respondAs: async (_, message) => {
      // A tester that was unplugged hears nothing; that is nobody's fault.
      if (!isGone()) await request.respond(message).catch(ignore);
    },
    isGone,
  };
  const refused = target.deliver(routed);
  if (refused !== DOIP_NACK.outOfMemory || isFunctional) return;
  request.respond(Uint8Array.of(NEGATIVE, bytes[0] ?? 0, BUSY)).catch(ignore);
}

function ignore(): void {
  // See where it is used.
}
