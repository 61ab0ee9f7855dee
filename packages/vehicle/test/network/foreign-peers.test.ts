/** Others' implementations at the same bus: python-can, Scapy's ISO-TP, and Wireshark's reader. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  canBitRate,
  canFrame,
  type CanFrame,
  formatCandumpLine,
  normalAddress,
  PYTHON_CAN_GROUP,
} from '@immota/bus';
import {
  bridgeBuses,
  createCanHub,
  openIsoTpEndpoint,
  openIsoTpTester,
  openUdpMulticast,
  systemSurroundings,
  type TunnelBus,
} from '@immota/vehicle';
import { jumpingTimer } from '../support/jumping-timer.ts';
import { findPython, type PythonPeer, runPython } from '../support/python-peer.ts';
import { collect } from '../support/until.ts';

/** Tells of each frame but its own, and sends one back with the next identifier and the bytes turned. */
const PYTHON_CAN_SCRIPT = `
import sys, can
try:
    bus = can.Bus(interface='udp_multicast', channel=sys.argv[1], port=int(sys.argv[2]), fd=True)
except can.CanError as error:
    print('cannot:', error); sys.exit()
print('ready')
while True:
    m = bus.recv()
    if m.arbitration_id % 2: continue
    print(m.arbitration_id, m.is_extended_id, m.is_fd, m.bitrate_switch, bytes(m.data).hex())
    bus.send(can.Message(arbitration_id=m.arbitration_id + 1, is_extended_id=m.is_extended_id,
        is_fd=m.is_fd, bitrate_switch=m.bitrate_switch, data=bytes(reversed(m.data))))
`;

/** An end of ISO-TP: as an ECU it answers with the bytes turned, as a tester it asks what it is told. */
const SCAPY_SCRIPT = `
import sys, threading
from scapy.config import conf
conf.contribs['CANSocket'] = {'use-python-can': True}
conf.contribs['ISOTP'] = {'use-can-isotp-kernel-module': False}
from scapy.main import load_contrib
load_contrib('cansocket'); load_contrib('isotp')
from scapy.contrib.isotp import ISOTPSoftSocket, ISOTP
from scapy.contrib.cansocket_python_can import PythonCANSocket
role, group, port = sys.argv[1:4]
tx, rx = (0x7e8, 0x7e0) if role == 'ecu' else (0x7e0, 0x7e8)
try:
    can = PythonCANSocket(bustype='udp_multicast', channel=group, port=int(port))
except Exception as error:
    print('cannot:', error); sys.exit()
sock = ISOTPSoftSocket(can, tx_id=tx, rx_id=rx, bs=8, stmin=0, padding=True)
print('ready')
while True:
    if role == 'ecu':
        sock.send(ISOTP(bytes(reversed(sock.recv().data))))
    else:
        sock.send(ISOTP(bytes.fromhex(input())))
        print(sock.recv().data.hex())
`;

/** What is malformed, what the dissector complains of, and how long messages are when put together. */
const TSHARK = [
  '-d can.subdissector,iso15765 -T fields -E separator=;',
  '-e _ws.malformed -e _ws.expert.message -e iso15765.reassembled.length',
].flatMap((options) => options.split(' '));

interface Foreigner {
  readonly script: string;
  /** What it imports, and the package of Debian that brings it. */
  readonly modules: readonly string[];
  readonly debian: string;
}

const PYTHON_CAN: Foreigner = {
  script: PYTHON_CAN_SCRIPT,
  modules: ['can', 'msgpack'],
  debian: 'python3-can',
};
const SCAPY: Foreigner = {
  script: SCAPY_SCRIPT,
  modules: ['scapy.contrib.isotp', 'can', 'msgpack'],
  debian: 'python3-scapy with python3-can',
};

const CLASSIC = canFrame({ id: 0x124, data: Uint8Array.of(1, 2, 3) });
const EXTENDED = canFrame({ id: 0x18da10f0, isExtended: true, data: new Uint8Array() });
const FD = canFrame({
  id: 0x200,
  isFd: true,
  isBitRateSwitched: true,
  data: Uint8Array.from({ length: 64 }, (_, index) => index),
});
const ADDRESS = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
const LENGTHS = [1, 7, 8, 62, 300];

describe('a bus by multicast', () => {
  it('is one with that of python-can, both ways and with CAN FD', async (t) => {
    const met = await meet(t, PYTHON_CAN);
    if (met === undefined) return;
    const { bus, peer } = met;
    for (const frame of [CLASSIC, EXTENDED, FD]) {
      const answers = collect<CanFrame>();
      const end = bus.listen(answers.hear);
      await bus.send(frame);
      const { id, isExtended, isFd, isBitRateSwitched, data } = frame;
      const expected = [id, spelled(isExtended), spelled(isFd), spelled(isBitRateSwitched)].join(
        ' ',
      );
      assert.equal(await peer.line(), `${expected} ${data.toHex()}`);
      const [answer] = await answers.count(1);
      assert.deepEqual(answer, canFrame({ ...frame, id: id + 1, data: data.toReversed() }));
      end();
    }
  });

  it("is where our tester speaks with Scapy's ISO-TP as an ECU", async (t) => {
    const met = await meet(t, SCAPY, 'ecu');
    if (met === undefined) return;
    const { timer } = systemSurroundings();
    const tester = openIsoTpTester({ bus: met.bus, timer, settings: { blockSize: 4 } });
    t.after(() => tester.close());
    const channel = tester.channelTo(ADDRESS);
    const answers = collect<Uint8Array>();
    channel.listen(answers.hear);
    for (const [index, lengthBytes] of LENGTHS.entries()) {
      const message = pattern(lengthBytes);
      await channel.send(message);
      assert.deepEqual((await answers.count(index + 1))[index], message.toReversed());
    }
  });

  it("is where our ECU at a modelled bus answers Scapy's ISO-TP as a tester", async (t) => {
    const met = await meet(t, SCAPY, 'tester');
    if (met === undefined) return;
    const { bus, peer } = met;
    const { timer } = systemSurroundings();
    const hub = createCanHub({ timer, rate: canBitRate(500_000) });
    t.after(() => hub.close());
    bridgeBuses({ buses: [bus, hub.connect()] });
    const settings = { blockSize: 4, separationTimeUs: 100 };
    const place = { bus: hub.connect(), timer: hub.timer };
    const endpoint = openIsoTpEndpoint({ ...place, testers: [ADDRESS], settings });
    t.after(() => endpoint.close());
    endpoint.serve((request) => void request.respond(request.bytes.toReversed()));
    // At the speed of that bus the longest answer is not lost in the tester's buffers.
    for (const lengthBytes of [...LENGTHS, 4095]) {
      const message = pattern(lengthBytes);
      peer.write(message.toHex());
      assert.equal(await peer.line(), message.toReversed().toHex());
    }
  });
});

describe('a log of our frames', () => {
  it("is read by Wireshark's dissector without a fault, and gives the message back", async (t) => {
    if (spawnSync('tshark', ['--version']).status !== 0) {
      t.skip('not run: tshark is not installed');
      return;
    }
    const message = pattern(300);
    const folder = mkdtempSync(join(tmpdir(), 'immota-candump-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const isFd of [false, true]) {
      const file = join(folder, `${isFd}.log`);
      writeFileSync(file, await record(message, isFd));
      const read = spawnSync('tshark', ['-r', file, ...TSHARK]);
      assert.equal(read.status, 0, read.stderr.toString());
      const rows = read.stdout.toString().trimEnd().split('\n');
      const fields = rows.map((row) => row.split(';'));
      assert.deepEqual(
        fields.filter(([malformed, fault]) => malformed !== '' || fault !== ''),
        [],
      );
      const lengths = fields.flatMap(([, , length]) => (length === '' ? [] : [Number(length)]));
      assert.deepEqual(lengths, [message.length]);
    }
  });
});

/** A bus of ours and a script at the same group, or undefined when the test was skipped. */
async function meet(
  t: TestContext,
  { script, modules, debian }: Foreigner,
  ...args: readonly string[]
): Promise<{ readonly bus: TunnelBus; readonly peer: PythonPeer } | undefined> {
  const python = findPython(...modules);
  if (python === undefined) {
    t.skip(`not run: ${debian} is not installed`);
    return undefined;
  }
  const port = await freePort();
  const peer = runPython(t, python, script, [...args, PYTHON_CAN_GROUP, String(port)]);
  const told = await peer.line();
  if (told !== 'ready') {
    t.skip(`not run: this machine has no network for multicast (${told})`);
    return undefined;
  }
  const bus = await openUdpMulticast({ port });
  t.after(() => bus.close());
  return { bus, peer };
}

/** What a candump would have written while a message passed. */
async function record(message: Uint8Array, isFd: boolean): Promise<string> {
  const time = jumpingTimer();
  const hub = createCanHub({ timer: time, rate: canBitRate(500_000, 2_000_000) });
  const lines: string[] = [];
  hub.connect().listen((frame) => {
    lines.push(formatCandumpLine(frame, hub.timer.elapsedMs(), 'can0'));
  });
  const settings = { isFd, blockSize: 8 };
  const place = { timer: hub.timer, settings };
  openIsoTpEndpoint({ ...place, bus: hub.connect(), testers: [ADDRESS] });
  const tester = openIsoTpTester({ ...place, bus: hub.connect() });
  await time.until(tester.channelTo(ADDRESS).send(message));
  return `${lines.join('\n')}\n`;
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  const bound = Promise.withResolvers<void>();
  socket.bind(0, bound.resolve);
  await bound.promise;
  const { port } = socket.address();
  const closed = Promise.withResolvers<void>();
  socket.close(closed.resolve);
  await closed.promise;
  return port;
}

function spelled(isTrue: boolean): string {
  return isTrue ? 'True' : 'False';
}

function pattern(lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, index) => 0x10 + index * 31);
}
