/** Laws of two links, whatever the parameters, the messages and the faults of the bus between them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  canFrame,
  extendedAddress,
  type IsoTpAddress,
  IsoTpLink,
  type IsoTpInput,
  isoTpParameters,
  type IsoTpSettings,
  mirrorAddress,
  normalAddress,
  normalFixedAddress,
} from '../../src/index.ts';
import { FaultyWire, type WireFault } from './faulty-wire.ts';

const MESSAGE_MAX_BYTES = 6000;

const ADDRESSES: readonly IsoTpAddress[] = [
  normalAddress({ txId: 0x7e0, rxId: 0x7e8 }),
  normalFixedAddress({ source: 0xf1, target: 0x10 }),
  extendedAddress({ txId: 0x6f1, rxId: 0x612, ecu: 0x12, tester: 0xf1 }),
];

const frameLengths = fc.constantFrom(8, 12, 16, 20, 24, 32, 48, 64);
const common = {
  padding: fc.option(fc.nat(255), { nil: undefined }),
  blockSize: fc.oneof(fc.constantFrom(0, 1, 2, 15, 16, 17), fc.nat(255)),
  separationTimeUs: fc.constantFrom(0, 100, 900, 1000, 20_000),
};
/** Of both ends; whether it is CAN FD must agree, and nothing else. */
const settings: fc.Arbitrary<readonly [IsoTpSettings, IsoTpSettings]> = fc.oneof(
  fc.tuple(fc.record(common), fc.record(common)),
  fc.tuple(
    fc.record({ ...common, isFd: fc.constant(true), frameBytes: frameLengths }),
    fc.record({ ...common, isFd: fc.constant(true), frameBytes: frameLengths }),
  ),
);
const message = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: MESSAGE_MAX_BYTES })),
    fc.nat(255),
  )
  .map(([lengthBytes, seed]) =>
    Uint8Array.from({ length: lengthBytes }, (_, index) => seed + index * 31 + (index >> 8)),
  );
const faults: fc.Arbitrary<readonly WireFault[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.constant<WireFault>('none') },
    { weight: 1, arbitrary: fc.constantFrom<WireFault>('loss', 'repeat', 'late') },
  ),
  { maxLength: 200 },
);

describe('two ISO-TP links', () => {
  it('carry any message both ways at once, by any parameters', () => {
    fc.assert(
      fc.property(
        settings,
        fc.constantFrom(...ADDRESSES),
        message,
        message,
        (both, address, to, from) => {
          const wire = makeWire(both, address, []);
          wire.tell(0, { kind: 'send', message: to });
          wire.tell(1, { kind: 'send', message: from });
          wire.run();
          assert.deepEqual(received(wire, 1), [to]);
          assert.deepEqual(received(wire, 0), [from]);
          assert.deepEqual(failures(wire), []);
          assert.equal(wire.happened.filter(({ output }) => output.kind === 'delivered').length, 2);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('end with the very message or a coded failure over a wire that loses, repeats and swaps', () => {
    fc.assert(
      fc.property(
        settings,
        fc.constantFrom(...ADDRESSES),
        message,
        faults,
        (both, address, sent, wrong) => {
          const wire = makeWire(both, address, wrong);
          wire.tell(0, { kind: 'send', message: sent });
          wire.run();
          // A repeated single frame is two messages: only UDS can tell.
          for (const heard of received(wire, 1)) assert.deepEqual(heard, sent);
          const isDelivered = wire.happened.some(({ output }) => output.kind === 'delivered');
          const isFailed = wire.happened.some(
            ({ output }) => output.kind === 'failed' && output.direction === 'sending',
          );
          assert.notEqual(isDelivered, isFailed, 'the sender hears one of both');
        },
      ),
      { numRuns: 400 },
    );
  });

  it('recover: after any faults a message over a sound wire arrives', () => {
    fc.assert(
      fc.property(settings, message, faults, (both, sent, wrong) => {
        const wire = makeWire(both, ADDRESSES[0] ?? assert.fail(), [
          ...wrong,
          ...Array<WireFault>(0),
        ]);
        let used = 0;
        while (used <= wrong.length) {
          const count = wire.happened.length;
          wire.tell(0, { kind: 'send', message: sent });
          wire.run();
          used += wire.happened.slice(count).filter(({ output }) => output.kind === 'send').length;
        }
        const before = wire.happened.length;
        wire.tell(0, { kind: 'send', message: sent });
        wire.run();
        const after = wire.happened.slice(before);
        const heard = after.flatMap(({ output }) =>
          output.kind === 'received' ? [output.message] : [],
        );
        assert.deepEqual(heard, [sent]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an ISO-TP link', () => {
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    // Kinds of frames that exist, so that the peer gets far into the protocol.
    fc
      .tuple(fc.nat(0x3f), fc.uint8Array({ minLength: 7, maxLength: 7 }))
      .map(([control, rest]) => Uint8Array.of(control, ...rest)),
    fc
      .tuple(fc.nat(0x3f), fc.uint8Array({ minLength: 63, maxLength: 63 }))
      .map(([control, rest]) => Uint8Array.of(control, ...rest)),
  );
  const input: fc.Arbitrary<IsoTpInput> = fc.oneof(
    { weight: 8, arbitrary: data.map(toFrame) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sent' as const), token: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.constantFrom<IsoTpInput>({ kind: 'hold' }, { kind: 'release' }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('send' as const), message }),
    },
  );

  it('bears any peer: no throw, no growth, and it comes to rest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(input, fc.nat(400)), { maxLength: 120 }),
        fc.nat(255),
        (steps, blockSize) => {
          const link = new IsoTpLink(
            mirrorAddress(ADDRESSES[0] ?? assert.fail()),
            isoTpParameters({ isFd: true, blockSize, messageMaxBytes: MESSAGE_MAX_BYTES }),
          );
          let nowMs = 0;
          for (const [each, delayMs] of steps) {
            nowMs += delayMs;
            if (each.kind === 'send' && !link.isReadyToSend) continue;
            const outputs = link.handle(each, nowMs);
            // What was due, and at most a few answers: never more out than in.
            assert.ok(outputs.length <= 8, `${outputs.length} outputs for one input`);
            for (const output of outputs) {
              if (output.kind === 'received') assert.ok(output.message.length <= MESSAGE_MAX_BYTES);
            }
          }
          comesToRest(link, nowMs);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Time alone ends all that is under way, within a bounded number of steps. */
function comesToRest(link: IsoTpLink, fromMs: number): void {
  let nowMs = fromMs;
  for (let step = 0; step < 40; step += 1) {
    const { deadlineMs } = link;
    if (deadlineMs === undefined) return;
    nowMs = Math.max(nowMs, deadlineMs);
    link.elapse(nowMs);
  }
  assert.fail('the link waits for ever');
}

function makeWire(
  [first, second]: readonly [IsoTpSettings, IsoTpSettings],
  address: IsoTpAddress,
  wrong: readonly WireFault[],
): FaultyWire {
  const messageMaxBytes = MESSAGE_MAX_BYTES;
  const links = [
    new IsoTpLink(address, isoTpParameters({ ...first, messageMaxBytes })),
    new IsoTpLink(mirrorAddress(address), isoTpParameters({ ...second, messageMaxBytes })),
  ] as const;
  return new FaultyWire(links, wrong);
}

function received(wire: FaultyWire, link: 0 | 1): readonly Uint8Array[] {
  return wire.happened.flatMap(({ link: at, output }) =>
    at === link && output.kind === 'received' ? [output.message] : [],
  );
}

function failures(wire: FaultyWire): readonly string[] {
  return wire.happened.flatMap(({ output }) =>
    output.kind === 'failed' ? [output.fault.code] : [],
  );
}

function toFrame(data: Uint8Array): IsoTpInput {
  return {
    kind: 'frame',
    frame: canFrame({ id: 0x7e0, data, isFd: data.length > 8 }),
  };
}
