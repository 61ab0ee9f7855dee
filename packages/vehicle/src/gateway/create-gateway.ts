/**
 * The gateway: it stands between the buses of a vehicle and forwards what its rules allow, frame by
 * frame, and judges whole diagnostic messages for the router between Ethernet and CAN. Everything it
 * refuses it tells.
 */
import {
  type CanBus,
  type CanFrame,
  DOIP_NACK,
  SecocFault,
  type SecocReceiver,
  type TripSlave,
} from '@immota/bus';
import type { DiagnosticPermission } from '../doip/diagnostic-router.ts';
import type { DiagnosticRoute as DoipRoute } from '../doip/target.ts';
import type { Timer } from '../ports.ts';
import { DiagnosticFirewall } from './diagnostic-firewall.ts';
import { DiagnosticRoute } from './diagnostic-route.ts';
import { FrameFirewall } from './frame-firewall.ts';
import { GatewayFault } from './gateway-fault.ts';
import { OUTSTANDING_MAX } from './limits.ts';
import type { Refusal } from './refusal.ts';
import { DOIP_SOURCE, type GatewayRules } from './rules.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  /** By the names that the rules use; each of them is there. */
  readonly buses: ReadonlyMap<string, CanBus>;
  readonly rules: GatewayRules;
  readonly timer: Timer;
  /** Takes each refusal; returns at once. */
  readonly report: (refusal: Refusal) => void;
  /** Tells whether the vehicle is known to be parked; false when nothing is known. */
  readonly isParked: () => boolean;
  /** The receivers of secured streams, by the names that the rules use. */
  readonly secured?: ReadonlyMap<string, SecocReceiver> | undefined;
  /** Messages of masters of freshness, and the slaves that the receivers of JASPAR's profile ask. */
  readonly synchronisations?: readonly GatewaySynchronisation[] | undefined;
  /** The role in the certificate of a tester over Ethernet; undefined for one without. */
  readonly findRole?: ((tester: number) => string | undefined) | undefined;
}

/** Where a master's messages are heard. One that is refused goes nowhere, whatever the rules say. */
export interface GatewaySynchronisation {
  readonly bus: string;
  readonly id: number;
  readonly slave: TripSlave;
}

/** What passed, and what did not. */
export interface GatewayCounts {
  readonly forwarded: number;
  readonly refused: number;
}

/** See the head of the file. */
export interface Gateway {
  /**
   * Judges a whole request of a tester, and takes note of one that may pass. It is made for the router of
   * DoIP, and for buses whose messages the gateway takes whole.
   *
   * @param tester - its logical address, as activated on its own connection.
   * @param from - the bus where it is; DoIP when left out.
   */
  permit(
    this: void,
    tester: number,
    target: number,
    message: Uint8Array,
    from?: string,
  ): DiagnosticPermission;
  /** Hears the answers on a route: by them an ECU tells whom it has authenticated. @param from - as above. */
  watch(this: void, route: DoipRoute, from?: string): DoipRoute;
  counts(this: void): GatewayCounts;
  /** Forwards nothing more; the buses stay open. */
  close(this: void): void;
}

/** Makes a gateway and begins. @throws GatewayFault RULES_UNKNOWN_NAME. */
export function createGateway(options: GatewayOptions): Gateway {
  const gateway = new RunningGateway(options);
  return {
    permit: (tester, target, message, from) => gateway.permit(tester, target, message, from),
    watch: (route, from) => gateway.watch(route, from),
    counts: () => gateway.counts(),
    close: () => gateway.close(),
  };
}

class RunningGateway {
  readonly #options: GatewayOptions;
  readonly #frames: FrameFirewall;
  readonly #diagnostics: DiagnosticFirewall;
  readonly #route: DiagnosticRoute;
  readonly #outstanding = new Map<string, number>();
  readonly #ends: (() => void)[] = [];
  #forwarded = 0;
  #refused = 0;
  #isClosed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { rules, buses, secured = new Map<string, SecocReceiver>() } = options;
    const missing = rules.buses.find((name) => !buses.has(name));
    if (missing !== undefined) {
      throw new GatewayFault('RULES_UNKNOWN_NAME', `Cannot make gateway: no bus "${missing}"`);
    }
    this.#frames = new FrameFirewall({ rules, secured });
    this.#diagnostics = new DiagnosticFirewall(options);
    this.#route = new DiagnosticRoute(rules, this.#diagnostics);
    for (const name of rules.buses) {
      const end = buses.get(name)?.listen((frame) => this.#take(name, frame));
      if (end !== undefined) this.#ends.push(end);
    }
  }

  // The port of the router.
  // oxlint-disable-next-line max-params
  permit(
    tester: number,
    target: number,
    message: Uint8Array,
    from = DOIP_SOURCE,
  ): DiagnosticPermission {
    const refusal = this.#diagnostics.judge(
      {
        from,
        tester,
        target,
        // Certificates are those of connections over Ethernet: a wire shows none.
        role: from === DOIP_SOURCE ? this.#options.findRole?.(tester) : undefined,
        head: message,
        isComplete: true,
        members: this.#options.rules.groups.find(({ address }) => address === target)?.members,
      },
      this.#options.timer.elapsedMs(),
    );
    if (refusal === undefined) {
      this.#forwarded += 1;
      return 'permit';
    }
    this.#refuse({ ...refusal, lengthBytes: message.length });
    // As if it could not be reached: a firewall does not say what it keeps.
    return { nackCode: DOIP_NACK.targetUnreachable };
  }

  watch(route: DoipRoute, from = DOIP_SOURCE): DoipRoute {
    return (address) => {
      const target = route(address);
      if (typeof target === 'number') return target;
      const { messageMaxBytes } = target;
      const deliver: typeof target.deliver = (request) =>
        target.deliver({
          ...request,
          respondAs: async (source, message) => {
            const key = { from, tester: request.tester, target: source };
            this.#diagnostics.noteResponse(key, message, this.#options.timer.elapsedMs());
            await request.respondAs(source, message);
          },
        });
      return { messageMaxBytes, deliver };
    };
  }

  counts(): GatewayCounts {
    return { forwarded: this.#forwarded, refused: this.#refused };
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends.splice(0)) end();
  }

  #take(from: string, frame: CanFrame): void {
    const atMs = this.#options.timer.elapsedMs();
    if (!this.#synchronise(from, frame, atMs)) return;
    const verdict = this.#route.judge(from, frame, atMs) ?? this.#frames.judge(from, frame, atMs);
    if (verdict.kind === 'refuse') {
      this.#refuse(verdict.refusal);
      return;
    }
    if (verdict.kind === 'stay') return;
    this.#forwarded += 1;
    for (const to of verdict.to) this.#forward(from, to, frame);
  }

  /** Lets slaves follow their master; false when the message is none of the master's. */
  #synchronise(from: string, frame: CanFrame, atMs: number): boolean {
    for (const { bus, id, slave } of this.#options.synchronisations ?? []) {
      if (bus !== from || id !== frame.id || frame.isExtended) continue;
      try {
        slave.accept(frame.data, atMs);
      } catch (error) {
        const code = error instanceof SecocFault ? error.code : undefined;
        const { isExtended, data } = frame;
        const about = { from, id, isExtended, lengthBytes: data.length };
        this.#refuse({ reason: 'frame-authenticator', ...about, code });
        return false;
      }
    }
    return true;
  }

  /** A bus that is not read must not fill the memory of the gateway. */
  #forward(from: string, to: string, frame: CanFrame): void {
    const waiting = this.#outstanding.get(to) ?? 0;
    const { id, isExtended, data } = frame;
    const refusal = {
      reason: 'congestion',
      from,
      id,
      isExtended,
      lengthBytes: data.length,
    } as const;
    if (waiting >= OUTSTANDING_MAX) {
      this.#refuse(refusal);
      return;
    }
    this.#outstanding.set(to, waiting + 1);
    const settle = (): void => {
      this.#outstanding.set(to, (this.#outstanding.get(to) ?? 1) - 1);
    };
    // A bus that is full, or broken, loses the frame; whoever waits for it finds out, and so do we.
    this.#options.buses
      .get(to)
      ?.send(frame)
      .then(settle, () => {
        settle();
        if (!this.#isClosed) this.#refuse(refusal);
      });
  }

  #refuse(refusal: Refusal): void {
    this.#refused += 1;
    this.#options.report(refusal);
  }
}
