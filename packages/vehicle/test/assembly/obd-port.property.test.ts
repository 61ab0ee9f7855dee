/** Whoever is at the plug may send what they like: no law of the firewall gives way, and nothing grows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canBitRate, type CanFrame, canFrame, DOIP_NACK } from '@immota/bus';
import {
  createCanHub,
  createGateway,
  createLocalTarget,
  type DiagnosticTarget,
  parseTopology,
  type Refusal,
  type RoutedRequest,
} from '@immota/vehicle';
import { gatewayRulesOf } from '../../src/assembly/gateway-rules.ts';
import { frameKey, obdIdentifiers, openObdPort } from '../../src/assembly/obd-port.ts';
import { jumpingTimer } from '../support/jumping-timer.ts';

const TOPOLOGY = parseTopology(
  Buffer.from(
    JSON.stringify({
      tester: 0x0e80,
      gateway: 'GATEWAY',
      buses: [{ name: 'body', nominalBps: 500_000 }],
      ecus: [
        {
          ecu: 'GATEWAY',
          address: 0x1001,
          storage: { kind: 'file-system' },
          place: { kind: 'ethernet' },
        },
        {
          ecu: 'DOOR',
          address: 0x1002,
          storage: { kind: 'file-system' },
          place: { kind: 'can', bus: 'body', requestId: 0x700, responseId: 0x780 },
        },
      ],
      obd: {
        bus: 'obd',
        nominalBps: 500_000,
        ecus: [
          { ecu: 'GATEWAY', requestId: 0x7e0, responseId: 0x7e8 },
          { ecu: 'DOOR', requestId: 0x18da10f1, responseId: 0x18daf110 },
        ],
      },
    }),
  ),
);
/** Services that read, or keep a session: all that a stranger may ask. */
const HARMLESS = new Set([0x10, 0x19, 0x22, 0x29, 0x3e]);

const ids = fc.oneof(
  fc.constantFrom(
    { id: 0x7e0, isExtended: false },
    { id: 0x7df, isExtended: false },
    { id: 0x7e8, isExtended: false },
    { id: 0x18da10f1, isExtended: true },
    { id: 0x18db33f1, isExtended: true },
  ),
  fc.record({ id: fc.integer({ min: 0, max: 0x7ff }), isExtended: fc.constant(false) }),
);
const services = fc.constantFrom(0x10, 0x11, 0x22, 0x27, 0x28, 0x29, 0x31, 0x34, 0x36, 0x3e, 0x85);
const single = fc
  .tuple(services, fc.uint8Array({ maxLength: 6 }))
  .map(([service, rest]) => Uint8Array.of(1 + rest.length, service, ...rest));
const first = fc
  .tuple(services, fc.integer({ min: 8, max: 60 }), fc.uint8Array({ minLength: 5, maxLength: 5 }))
  .map(([service, length, rest]) => Uint8Array.of(0x10, length, service, ...rest));
const next = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.uint8Array({ minLength: 7, maxLength: 7 }))
  .map(([sequence, rest]) => Uint8Array.of(0x20 + sequence, ...rest));
const data = fc.oneof(single, first, next, fc.uint8Array({ maxLength: 8 }));

describe('openObdPort()', () => {
  it('hands on nothing that alters an ECU, whatever frames come, and answers to nobody else', async () => {
    const frames = fc.array(fc.tuple(ids, data), { minLength: 20, maxLength: 60 });
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(frames, async (sent) => {
        const timer = jumpingTimer();
        const hub = createCanHub({ timer, rate: canBitRate(500_000) });
        const asked: RoutedRequest[] = [];
        const refusals: Refusal[] = [];
        const target: DiagnosticTarget = {
          messageMaxBytes: 4095,
          deliver: (request) => {
            const { tester, bytes, from } = request;
            const permission = gateway.permit(tester, request.target, bytes, from);
            if (permission !== 'permit') return permission.nackCode;
            asked.push(request);
            void request.respondAs(request.target, Uint8Array.of(0x7e, 0));
            return undefined;
          },
        };
        const seen: CanFrame[] = [];
        const own = obdIdentifiers(TOPOLOGY.obd ?? { bus: '', nominalBps: 0, ecus: [] });
        const gateway = createGateway({
          buses: new Map(
            ['body', 'obd'].map((name) => [
              name,
              {
                send: async () => assert.fail('no frame goes on'),
                listen: (listener) => {
                  if (name !== 'obd') return () => undefined;
                  return hub.connect().listen((frame) => {
                    if (!own.has(frameKey(frame))) listener(frame);
                  });
                },
                close: async () => Promise.resolve(),
              },
            ]),
          ),
          rules: gatewayRulesOf(TOPOLOGY),
          timer,
          report: (refusal) => refusals.push(refusal),
          isParked: () => true,
        });
        const local = createLocalTarget({ logicalAddress: 0x1001, messageMaxBytes: 4095 });
        local.serve((request) =>
          asked.push({ ...request, target: 0x1001, respondAs: noop, isGone }),
        );
        const report = (refusal: Refusal): void => {
          refusals.push(refusal);
        };
        const close = openObdPort({
          topology: TOPOLOGY,
          plan: TOPOLOGY.obd ?? assert.fail(),
          hub,
          gateway,
          route: (address) => (address === 0x1002 ? target : DOIP_NACK.unknownTarget),
          own: { address: 0x1001, target: local },
          report,
        });
        const tester = hub.connect();
        tester.listen((frame) => seen.push(frame));
        for (const [{ id, isExtended }, bytes] of sent) {
          void tester.send(canFrame({ id, isExtended, data: bytes }));
        }
        await timer.pass(5000);
        passed += asked.length;
        for (const { bytes } of asked) {
          assert.ok(HARMLESS.has(bytes[0] ?? 0), `asked ${bytes.toHex()}`);
          // A programming session is more than a look.
          if (bytes[0] === 0x10) assert.ok([1, 3].includes((bytes[1] ?? 0) & 0x7f));
        }
        // The gateway speaks on its own identifiers, and paces what it takes in pieces.
        assert.ok(seen.every(({ id }) => id === 0x7e8 || id === 0x18daf110));
        const foreign = sent.filter(([frame]) => !own.has(frameKey(frame))).length;
        const told = refusals.filter(({ reason }) => reason === 'unknown-identifier').length;
        assert.equal(told, foreign);
        await close();
        gateway.close();
        hub.close();
      }),
      { numRuns: 150 },
    );
    assert.ok(passed > 100, `${passed} questions were harmless`);
  });
});

const noop = async (): Promise<void> => Promise.resolve();
const isGone = (): boolean => false;
