/** A gateway between three buses, and whatever a test does to them. */
import { type CanBus, type CanFrame, canFrame, type SecocReceiver } from '@immota/bus';
import {
  createGateway,
  type Gateway,
  type GatewaySynchronisation,
  parseGatewayRules,
  type Refusal,
} from '@immota/vehicle';
import { LocalBus } from './local-bus.ts';

const RATE = { burst: 1000, perSecond: 1000 };
const ALL = { first: 0, last: 0xffff };
const READING = [
  { service: 0x10, subFunctions: [1, 3] },
  { service: 0x19 },
  { service: 0x22, identifiers: [{ first: 0xf180, last: 0xf19f }] },
  { service: 0x29 },
  { service: 0x3e },
  { service: 0x31, subFunctions: [1], identifiers: [{ first: 0x203, last: 0x203 }] },
];
const PROGRAMMING = [0x10, 0x11, 0x27, 0x28, 0x2e, 0x31, 0x34, 0x36, 0x37, 0x38, 0x85].map(
  (service) => ({ service }),
);

/** The rules of the tests, before they are read. */
export const RULES = {
  buses: ['obd', 'chassis', 'body'],
  frames: [
    {
      name: 'speed',
      from: 'chassis',
      to: ['body', 'obd'],
      ids: { first: 0x100, last: 0x10f },
      lengthBytes: { first: 4, last: 8 },
      rate: { burst: 10, perSecond: 100 },
    },
    {
      name: 'doors',
      from: 'body',
      to: ['chassis'],
      ids: { first: 0x300, last: 0x300 },
      lengthBytes: { first: 8, last: 8 },
      rate: RATE,
      secured: 'doors',
    },
  ],
  pairs: [
    {
      name: 'brakes',
      from: 'obd',
      to: 'chassis',
      requestId: 0x7e0,
      responseId: 0x7e8,
      tester: 0xe00,
      target: 0x10,
      rate: RATE,
    },
    {
      name: 'all',
      from: 'obd',
      to: 'chassis',
      requestId: 0x7df,
      tester: 0xe00,
      target: 0xe000,
      rate: RATE,
    },
    {
      name: 'seat',
      from: 'obd',
      to: 'body',
      requestId: 0x6f1,
      responseId: 0x640,
      targetByte: 0x40,
      tester: 0xe00,
      target: 0x40,
      rate: RATE,
    },
  ],
  diagnostics: [
    {
      name: 'reading',
      from: ['obd', 'doip'],
      testers: { first: 0xe00, last: 0xe7f },
      targets: ALL,
      allow: READING,
      rate: RATE,
    },
    {
      name: 'programming',
      from: ['obd', 'doip'],
      testers: { first: 0xe00, last: 0xe7f },
      targets: { first: 0, last: 0xdfff },
      allow: PROGRAMMING,
      requires: ['authenticated', 'parked'],
      rate: RATE,
    },
    {
      name: 'workshop',
      from: ['doip'],
      testers: { first: 0xe00, last: 0xe7f },
      targets: { first: 0, last: 0xdfff },
      roles: ['workshop'],
      allow: PROGRAMMING,
      requires: ['parked'],
      rate: RATE,
    },
    {
      name: 'tbox',
      from: ['doip'],
      testers: { first: 0xe80, last: 0xe80 },
      targets: ALL,
      roles: ['tbox'],
      allow: [...READING, ...PROGRAMMING],
      rate: RATE,
    },
  ],
  groups: [{ address: 0xe400, members: [0x10, 0x40] }],
} as const;

/** See the head of the file. */
export class GatewayWorld {
  atMs = 0;
  isParked = false;
  role: string | undefined;
  readonly refusals: Refusal[] = [];
  readonly segments: ReadonlyMap<string, LocalBus>;
  readonly gateway: Gateway;
  readonly #nodes = new Map<string, CanBus>();
  readonly #heard = new Map<string, CanFrame[]>();

  /** @param rules - instead of those above. */
  constructor(
    rules: unknown = RULES,
    secured: ReadonlyMap<string, SecocReceiver> = new Map(),
    synchronisations: readonly GatewaySynchronisation[] = [],
  ) {
    this.segments = new Map(['obd', 'chassis', 'body'].map((name) => [name, new LocalBus()]));
    const buses = new Map([...this.segments].map(([name, segment]) => [name, segment.node()]));
    this.gateway = createGateway({
      buses,
      rules: parseGatewayRules(rules),
      timer: { elapsedMs: () => this.atMs, schedule: () => () => undefined },
      report: (refusal) => this.refusals.push(refusal),
      isParked: () => this.isParked,
      secured,
      synchronisations,
      findRole: () => this.role,
    });
    for (const [name, segment] of this.segments) {
      const node = segment.node();
      const heard: CanFrame[] = [];
      node.listen((frame) => heard.push(frame));
      this.#nodes.set(name, node);
      this.#heard.set(name, heard);
    }
  }

  /** Sends a frame from a node of a bus, and lets it arrive. */
  async send(
    bus: string,
    id: number,
    hex: string,
    parts: { isFd?: boolean; isExtended?: boolean } = {},
  ): Promise<void> {
    const data = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    await this.#nodes.get(bus)?.send(canFrame({ id, data, ...parts }));
    await new Promise(setImmediate);
  }

  /** What the nodes of a bus have heard since the last time, as hex. */
  heard(bus: string): readonly string[] {
    const frames = this.#heard.get(bus)?.splice(0) ?? [];
    return frames.map(({ data }) => Buffer.from(data).toString('hex'));
  }

  /** The reasons of what was refused since the last time. */
  reasons(): readonly string[] {
    return this.refusals.splice(0).map(({ reason }) => reason);
  }
}
