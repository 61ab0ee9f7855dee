/**
 * A gateway's way from DoIP to the ECUs on its buses: to each address its channel, past the firewall.
 * Different ECUs are served at the same time, each of them by one request at a time.
 */
import { DOIP_NACK, type DoipNackCode } from '@immota/bus';
import type { DiagnosticChannel } from '../diagnostics/channel.ts';
import type { Timer } from '../ports.ts';
import { EcuLane } from './ecu-lane.ts';
import { QUEUE_MAX_BYTES } from './limits.ts';
import type { DiagnosticRoute, DiagnosticTarget, RoutedRequest } from './target.ts';

/** What a firewall says: by `nackCode` a message is refused, and the tester told so. */
export type DiagnosticPermission = 'permit' | { readonly nackCode: DoipNackCode };

/** See the head of the file. */
export interface DiagnosticRouterOptions {
  /** By logical address. The router closes them. */
  readonly ecus: ReadonlyMap<number, DiagnosticChannel>;
  /** By functional address: logical addresses of its members. */
  readonly groups?: ReadonlyMap<number, readonly number[]> | undefined;
  /** Asked for each whole message, and for each member when a group is asked; `from` as in the request. */
  readonly permit: (
    tester: number,
    target: number,
    message: Uint8Array,
    from?: string,
  ) => DiagnosticPermission;
  readonly timer: Timer;
  /** Requests that wait for one ECU. */
  readonly queueMax?: number | undefined;
  /** Bytes of requests that wait for all ECUs. */
  readonly queueMaxBytes?: number | undefined;
  /** How long an ECU may say nothing while it has a request. */
  readonly responseMaxMs?: number | undefined;
  readonly onFailed?: ((target: number, error: unknown) => void) | undefined;
}

/** A router. */
export interface DiagnosticRouter {
  /** To be given to an entity; 03 for an address that nobody has. */
  readonly route: DiagnosticRoute;
  close(): Promise<void>;
}

/** Makes a router. */
export function createDiagnosticRouter(options: DiagnosticRouterOptions): DiagnosticRouter {
  const { ecus, groups = new Map<number, readonly number[]>() } = options;
  const budget = createBudget(options.queueMaxBytes ?? QUEUE_MAX_BYTES);
  const lanes = new Map<number, EcuLane>();
  for (const [address, channel] of ecus) {
    const { timer, queueMax, responseMaxMs, onFailed } = options;
    const limits = { queueMax, responseMaxMs };
    lanes.set(address, new EcuLane({ address, channel, timer, onFailed, ...limits, ...budget }));
  }
  const targets = new Map<number, DiagnosticTarget>();
  for (const [address, lane] of lanes) targets.set(address, physicalTarget(lane, options));
  for (const [address, members] of groups) {
    targets.set(address, groupTarget(pick(lanes, members), options));
  }
  return {
    route: (address) => targets.get(address) ?? DOIP_NACK.unknownTarget,
    close: async () => {
      await Promise.all(lanes.values().map((lane) => lane.close()));
    },
  };
}

type Firewall = Pick<DiagnosticRouterOptions, 'permit'>;

function physicalTarget(lane: EcuLane, { permit }: Firewall): DiagnosticTarget {
  return {
    messageMaxBytes: lane.messageMaxBytes,
    deliver: (request) => {
      const { tester, target, bytes, from } = request;
      const permission = permit(tester, target, bytes, from);
      return permission === 'permit' ? lane.enqueue(request) : permission.nackCode;
    },
  };
}

function groupTarget(
  members: ReadonlyMap<number, EcuLane>,
  { permit }: Firewall,
): DiagnosticTarget {
  const lengths = members.values().map(({ messageMaxBytes }) => messageMaxBytes);
  return {
    messageMaxBytes: Math.max(0, ...lengths),
    deliver: (request) => {
      const { tester, target, bytes, from } = request;
      const permission = permit(tester, target, bytes, from);
      if (permission !== 'permit') return permission.nackCode;
      // A group without a member is a network that is not there.
      let refusal: DoipNackCode | undefined = DOIP_NACK.unknownNetwork;
      let isTaken = false;
      for (const [address, lane] of members) {
        const forMember = permit(tester, address, bytes, from);
        const code =
          forMember === 'permit' ? lane.enqueue(functional(request)) : forMember.nackCode;
        if (code === undefined) isTaken = true;
        else refusal = code;
      }
      return isTaken ? undefined : refusal;
    },
  };
}

function functional(request: RoutedRequest): RoutedRequest {
  return { ...request, isFunctional: true };
}

function pick(
  lanes: ReadonlyMap<number, EcuLane>,
  members: readonly number[],
): ReadonlyMap<number, EcuLane> {
  return new Map([...lanes].filter(([address]) => members.includes(address)));
}

/** Memory that all lanes share. */
function createBudget(
  maxBytes: number,
): Pick<ConstructorParameters<typeof EcuLane>[0], 'reserve' | 'release'> {
  let takenBytes = 0;
  return {
    reserve: (lengthBytes) => {
      if (takenBytes + lengthBytes > maxBytes) return false;
      takenBytes += lengthBytes;
      return true;
    },
    release: (lengthBytes) => {
      takenBytes -= lengthBytes;
    },
  };
}
