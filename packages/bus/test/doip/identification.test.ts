import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  DoipDiscovery,
  DoipIdentification,
  type DoipIdentificationOptions,
  encodeDoipDiscovery,
} from '../../src/index.ts';
import { type DoipMessage, encodeMessage } from '../../src/doip/message.ts';
import { head, read, tellMessage } from './support.ts';

const VIN = 'WIMMOTA1234567890';
const EID = Uint8Array.of(2, 0, 0, 0, 0, 1);
const GID = Uint8Array.of(2, 0, 0, 0, 0, 9);

function open(options: Partial<DoipIdentificationOptions> = {}): DoipIdentification {
  return new DoipIdentification({
    identity: { vin: VIN, logicalAddress: 0x1000, eid: EID, gid: GID },
    isGateway: true,
    socketsMax: 8,
    dataMaxBytes: 4096,
    socketsOpen: () => 3,
    powerMode: () => 1,
    draw: () => 0.5,
    ...options,
  });
}

/** What is said within so many milliseconds: when, to whom, what. */
function listen(machine: DoipIdentification, untilMs: number): readonly string[] {
  const heard: string[] = [];
  for (;;) {
    const { deadlineMs } = machine;
    if (deadlineMs === undefined || deadlineMs > untilMs) return heard;
    for (const { to, bytes } of machine.elapse(deadlineMs)) {
      heard.push(`${deadlineMs} ${to ?? 'all'} ${tellMessage(read(bytes))}`);
    }
  }
}

function answer(machine: DoipIdentification, bytes: Uint8Array): readonly string[] {
  return machine.handle('a', bytes, 0).map((datagram) => tellMessage(read(datagram.bytes)));
}

function refused(bytes: Uint8Array, code: string): void {
  assert.deepEqual(answer(open(), bytes), [`genericNack ${code}`]);
}

describe('DoipIdentification', () => {
  it('announces three times after a wait that chance decides', () => {
    const machine = open();
    assert.equal(machine.deadlineMs, undefined);
    machine.start(0);
    const all = ['250 all announcement', '750 all announcement', '1250 all announcement'];
    assert.deepEqual(listen(machine, 10_000), all);
  });

  it('tells who it is, after a wait, to everybody, to its EID and to its VIN', () => {
    for (const request of [{}, { eid: EID }, { vin: VIN }]) {
      const machine = open();
      assert.deepEqual(machine.handle('a', encodeDoipDiscovery(request), 0), []);
      assert.deepEqual(listen(machine, 10_000), ['250 a announcement']);
    }
  });

  it('says nothing to those who look for another', () => {
    const vehicle = { vin: undefined, logicalAddress: 1, eid: EID, gid: GID };
    const machine = open();
    machine.handle('a', encodeDoipDiscovery({ eid: GID }), 0);
    machine.handle('a', encodeDoipDiscovery({ vin: 'WIMMOTA1234567891' }), 0);
    assert.equal(machine.deadlineMs, undefined);
    const blank = open({ identity: vehicle });
    blank.handle('a', encodeMessage({ kind: 'identificationRequestByVin', vin: undefined }), 0);
    assert.equal(blank.deadlineMs, undefined);
  });

  it('answers in the version it was asked in, and in that of 2019 to the default one', () => {
    for (const [asked, answered] of [
      [2, 2],
      [3, 3],
      [0xff, 3],
    ] as const) {
      const machine = open();
      machine.handle('a', encodeMessage({ kind: 'identificationRequest' }, asked), 0);
      assert.equal(machine.elapse(500)[0]?.bytes[0], answered);
    }
  });

  it('tells its status and its power mode', () => {
    const [status] = open().handle('a', encodeMessage({ kind: 'entityStatusRequest' }), 0);
    assert.ok(status !== undefined);
    assert.deepEqual(read(status.bytes), {
      kind: 'entityStatusResponse',
      nodeType: 0,
      socketsMax: 8,
      socketsOpen: 3,
      dataMaxBytes: 4096,
    });
    const node = open({ isGateway: false, powerMode: () => 2 });
    const [mode] = node.handle('a', encodeMessage({ kind: 'powerModeRequest' }), 0);
    assert.ok(mode !== undefined);
    assert.deepEqual(read(mode.bytes), { kind: 'powerModeResponse', mode: 2 });
  });

  it('refuses headers in the order of the standard', () => {
    refused(Uint8Array.of(1, 2, 3), '00');
    refused(head(0x4001, 0, 0xff), '00');
    refused(head(0x0005, 7), '01');
    refused(head(0x0009, 0xffff_ffff), '01');
    refused(head(0x4001, 0xffff_ffff), '02');
    refused(head(0x4001, 1), '04');
    refused(Buffer.concat([head(0x4001, 0), Uint8Array.of(1)]), '04');
    refused(head(0x0002, 6), '04');
  });

  it('answers no answer and no NACK, so that two of them do not talk for ever', () => {
    const identity = { vin: VIN, logicalAddress: 1, eid: EID, gid: GID };
    const answers: readonly DoipMessage[] = [
      { kind: 'genericNack', code: 0 },
      { kind: 'announcement', ...identity, furtherAction: 0 },
      { kind: 'entityStatusResponse', nodeType: 1, socketsMax: 1, socketsOpen: 1 },
      { kind: 'powerModeResponse', mode: 1 },
    ];
    for (const one of answers) assert.deepEqual(answer(open(), encodeMessage(one)), []);
  });

  it('does not amplify a storm: one answer each, and few a second for all', () => {
    const machine = open();
    const request = encodeDoipDiscovery({});
    let answered = 0;
    for (let second = 0; second < 10; second += 1) {
      for (let count = 0; count < 1000; count += 1) {
        const atMs = second * 1000 + count;
        const from = `10.0.${count % 4}.${count % 251}`;
        answered += machine.elapse(atMs).length;
        machine.handle(from, request, atMs);
        answered += machine.handle(from, head(0x0009, 0), atMs).length;
      }
    }
    assert.ok(answered <= 32 + 10 * 20, `${answered} answers to 20000 questions`);
    assert.ok(answered > 100);
  });

  it('keeps one answer for each who asks', () => {
    const machine = open();
    for (let count = 0; count < 10; count += 1) machine.handle('a', encodeDoipDiscovery({}), 0);
    assert.deepEqual(listen(machine, 1000), ['250 a announcement']);
  });

  it('says nothing but answers, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const machine = open();
        assert.ok(machine.handle('a', bytes, 0).length <= 1);
        machine.elapse(500);
        assert.equal(machine.deadlineMs, undefined);
      }),
    );
  });
});

describe('DoipDiscovery', () => {
  it('finds each entity once', () => {
    const machine = open();
    machine.handle('a', encodeDoipDiscovery({}), 0);
    const [datagram] = machine.elapse(500);
    assert.ok(datagram !== undefined);
    const discovery = new DoipDiscovery();
    const found = discovery.handle('10.0.0.1', datagram.bytes);
    assert.deepEqual(found, {
      from: '10.0.0.1',
      version: 3,
      vin: VIN,
      logicalAddress: 0x1000,
      eid: EID,
      gid: GID,
      furtherAction: 0,
    });
    assert.equal(discovery.handle('10.0.0.1', datagram.bytes), undefined);
    assert.equal(discovery.found.length, 1);
  });

  it('takes no notice of anything else, and of no more than it can keep', () => {
    const discovery = new DoipDiscovery();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        assert.equal(discovery.handle('b', bytes), undefined);
      }),
    );
    const identity = { vin: VIN, logicalAddress: 1, eid: EID, gid: GID };
    const bytes = encodeMessage({ kind: 'announcement', ...identity, furtherAction: 0 });
    discovery.handle('b', bytes.subarray(0, 39));
    assert.equal(discovery.found.length, 0);
    for (let count = 0; count < 600; count += 1) discovery.handle(`host ${count}`, bytes);
    assert.equal(discovery.found.length, 512);
  });

  it('refuses to look for what no entity is called', () => {
    assert.throws(() => encodeDoipDiscovery({ vin: 'SHORT' }), { code: 'FIELD_RANGE' });
    assert.throws(() => encodeDoipDiscovery({ eid: new Uint8Array(5) }), { code: 'FIELD_RANGE' });
  });
});
