import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as holds,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  tuple,
  uint8Array,
} from 'fast-check';
import { canFrame } from '@immota/bus';
import { createGateway, GatewayFault, parseGatewayRules, type Refusal } from '@immota/vehicle';
import { GatewayWorld, RULES } from '../support/gateway-world.ts';
import { LocalBus } from '../support/local-bus.ts';

const READING = new Set([0x10, 0x19, 0x22, 0x29, 0x31, 0x3e]);
const services = [...READING, 0x27, 0x2e, 0x34, 0x36, 0x85];
const tail = uint8Array({ maxLength: 6 });
const fill = (head: readonly number[], rest: Uint8Array): Uint8Array =>
  Uint8Array.from([...head, ...rest]).subarray(0, 8);
const service = constantFrom(...services);

/** Frames as an attacker makes them: each kind, with any length, whole or cut. */
const frame = oneof(
  tuple(integer({ min: 0, max: 15 }), service, tail).map(([n, sid, rest]) => fill([n, sid], rest)),
  tuple(integer({ min: 0, max: 80 }), service, tail).map(([n, sid, rest]) =>
    fill([0x10, n, sid], rest),
  ),
  tuple(integer({ min: 0, max: 3 }), tail).map(([n, rest]) => fill([0x20 | n], rest)),
  tuple(service, integer({ min: 0, max: 5000 })).map(([sid, n]) =>
    fill([0x10, 0, 0, 0, n >>> 8, n & 0xff, sid, 1], new Uint8Array()),
  ),
  tail.map((rest) => fill([0x30], rest)),
  uint8Array({ maxLength: 8 }),
);

describe('createGateway(), against any frames of a tester', () => {
  it('lets no ECU, strict or careless, put a message together that is not allowed', async () => {
    const step = record({ data: frame, pauseMs: constantFrom(0, 1, 900, 11_000) });
    await holds(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const world = new GatewayWorld({ ...RULES, frames: [] });
        const ecus = [true, false].map((isStrict) => new Ecu(isStrict));
        for (const { data, pauseMs } of steps) {
          world.atMs += pauseMs;
          await world.send('obd', 0x7e0, Buffer.from(data).toString('hex'));
          for (const hex of world.heard('chassis')) {
            for (const ecu of ecus) ecu.take(Uint8Array.from(Buffer.from(hex, 'hex')));
          }
        }
        for (const { messages } of ecus) {
          for (const message of messages) {
            const [sid = -1, sub = -1] = message;
            assert.ok(READING.has(sid), Buffer.from(message).toString('hex'));
            if (sid === 0x10) assert.ok([1, 3].includes(sub & 0x7f));
            if (sid === 0x31) assert.deepEqual([...message.subarray(2, 4)], [2, 3]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reports whatever it does not forward, and holds nothing of it', () => {
    const rules = parseGatewayRules({ ...RULES, frames: RULES.frames.slice(0, 1) });
    const segment = new LocalBus();
    const refusals: Refusal[] = [];
    const node = segment.node();
    let atMs = 0;
    const gateway = createGateway({
      buses: new Map(rules.buses.map((name) => [name, name === 'obd' ? segment.node() : silent()])),
      rules,
      timer: { elapsedMs: () => atMs, schedule: () => () => undefined },
      report: (refusal) => refusals.push(refusal),
      isParked: () => true,
    });
    const any = record({
      id: integer({ min: 0, max: 0x7ff }),
      isExtended: boolean(),
      data: uint8Array({ maxLength: 8 }),
    });
    let sent = 0;
    holds(
      property(any, (parts) => {
        atMs += 1;
        sent += 1;
        void node.send(canFrame(parts));
        const { forwarded, refused } = gateway.counts();
        assert.equal(forwarded + refused, sent);
        assert.equal(refused, refusals.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads any rules, or refuses them with a code', () => {
    const value = oneof(
      integer(),
      record({
        buses: array(constantFrom('a', 'b', 'doip'), { maxLength: 3 }),
        frames: array(
          record({
            name: constantFrom('x', 'y'),
            from: constantFrom('a', 'b'),
            to: array(constantFrom('a', 'b'), { maxLength: 2 }),
            ids: record({ first: integer({ max: 9 }), last: integer({ max: 9 }) }),
            lengthBytes: record({ first: integer({ max: 9 }), last: integer({ max: 9 }) }),
            rate: record({ burst: integer({ max: 9 }), perSecond: integer({ max: 9 }) }),
          }),
          { maxLength: 3 },
        ),
      }),
    );
    holds(
      property(value, (rules) => {
        try {
          parseGatewayRules(rules);
        } catch (error) {
          assert.ok(error instanceof GatewayFault);
        }
      }),
    );
  });
});

/** Puts frames together as a receiver does; a careless one checks neither sequence nor length. */
class Ecu {
  readonly messages: Uint8Array[] = [];
  readonly #isStrict: boolean;
  #bytes: number[] = [];
  #lengthBytes = 0;
  #sequence = 0;

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  take(data: Uint8Array): void {
    const [first = 0, second = 0] = data;
    if (first >>> 4 === 0) {
      const isEscape = first === 0;
      if (isEscape && this.#isStrict) return;
      const start = isEscape ? 2 : 1;
      this.#begin(isEscape ? second : first, data.subarray(start));
    } else if (first >>> 4 === 1) {
      const short = ((first & 0xf) << 8) | second;
      if (this.#isStrict && short > 0 && short < 8) return;
      const length = short === 0 ? ((data[4] ?? 0) << 8) | (data[5] ?? 0) : short;
      this.#begin(length, data.subarray(short === 0 ? 6 : 2));
      this.#sequence = 1;
    } else if (first >>> 4 === 2 && this.#lengthBytes > 0) {
      if (this.#isStrict && (first & 0xf) !== this.#sequence) return;
      this.#sequence = (this.#sequence + 1) & 0xf;
      this.#add(data.subarray(1));
    }
  }

  #begin(lengthBytes: number, data: Uint8Array): void {
    this.#bytes = [];
    this.#lengthBytes = lengthBytes;
    this.#add(data);
  }

  #add(data: Uint8Array): void {
    this.#bytes.push(...data);
    if (this.#lengthBytes === 0 || this.#bytes.length < this.#lengthBytes) return;
    this.messages.push(Uint8Array.from(this.#bytes.slice(0, this.#lengthBytes)));
    this.#lengthBytes = 0;
  }
}

function silent(): ReturnType<LocalBus['node']> {
  return new LocalBus().node();
}
