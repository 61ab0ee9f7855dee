import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOCK_BYTES, codeOf, UdsBench } from './support/bench.ts';

/** Erases the first block and opens a download of 300 bytes there. */
function opened(bench: UdsBench): void {
  bench.authenticate();
  assert.equal(bench.ask('3101ff000101'), '7101ff0000');
  assert.equal(bench.ask('340022 1000 012c'), '741082');
}

function blockOf(counter: number, lengthBytes = 128, value = counter): Uint8Array {
  return Uint8Array.of(0x36, counter, ...new Uint8Array(lengthBytes).fill(value));
}

describe('UdsServer: downloads {14229-1:2020 15}', () => {
  it('writes blocks in their order and ends when all are there', () => {
    const bench = new UdsBench();
    opened(bench);
    assert.equal(bench.ask(blockOf(1)), '7601');
    assert.equal(bench.ask('37'), '7f3724');
    assert.equal(bench.ask(blockOf(2)), '7602');
    assert.equal(bench.ask(blockOf(3, 44)), '7603');
    assert.equal(bench.ask('37'), '77');
    assert.equal(bench.ask('310102020101'), '7101020200');
    assert.equal(bench.ask('3101ff01'), '7101ff0100');
    assert.deepEqual(
      bench.ecu.writes.map(({ block, offsetBytes, data }) => [block, offsetBytes, data.length]),
      [
        [1, 0, 128],
        [1, 128, 128],
        [1, 256, 44],
      ],
    );
  });

  it('answers a repeated block again without writing it, and refuses another out of order', () => {
    const bench = new UdsBench();
    opened(bench);
    assert.equal(bench.ask(blockOf(0)), '7f3673');
    assert.equal(bench.ask(blockOf(1)), '7601');
    assert.equal(bench.ask(blockOf(1, 128, 9)), '7601');
    assert.equal(bench.ecu.writes.length, 1);
    assert.equal(bench.ask(blockOf(3)), '7f3673');
    assert.equal(bench.ask(blockOf(2)), '7602');
    assert.equal(bench.ask(blockOf(1)), '7f3673');
  });

  it('counts over from 255 to 0', () => {
    const bench = new UdsBench({ blockMaxBytes: 10 });
    bench.authenticate();
    bench.ask('3101ff000101');
    assert.equal(bench.ask('340022 1000 1000'), '74100a');
    for (let index = 1; index <= BLOCK_BYTES / 8; index += 1) {
      const counter = index % 256;
      assert.equal(bench.ask(blockOf(counter, 8)), Buffer.of(0x76, counter).toString('hex'));
    }
    assert.equal(bench.ask('37'), '77');
    assert.equal(bench.ecu.writes.length, 512);
  });

  it('refuses more than was announced, longer than was agreed, or nothing', () => {
    const bench = new UdsBench();
    opened(bench);
    assert.equal(bench.ask(blockOf(1, 129)), '7f3613');
    assert.equal(bench.ask('3601'), '7f3613');
    bench.ask(blockOf(1));
    bench.ask(blockOf(2));
    assert.equal(bench.ask(blockOf(3, 45)), '7f3671');
    assert.equal(bench.ask(blockOf(3, 44)), '7603');
    assert.equal(bench.ask(blockOf(4, 1)), '7f3671');
  });

  it('refuses what has no rights, no download, or another under way', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(bench.ask(blockOf(1)), '7f3634');
    bench.authenticate();
    assert.equal(bench.ask(blockOf(1)), '7f3624');
    assert.equal(bench.ask('37'), '7f3724');
    opened(bench);
    assert.equal(bench.ask('340022 1000 0100'), '7f3422');
    assert.equal(bench.ask('3101ff000101'), '7f3124');
    assert.equal(bench.ask('310102020101'), '7f3124');
    assert.equal(bench.ask('3802000161'), '7f3822');
  });

  it('ends a transfer whose block the ECU could not write, and wants an erasure', () => {
    const bench = new UdsBench();
    opened(bench);
    bench.ask(blockOf(1));
    bench.ecu.refusals.set('writeTransfer', 0x72);
    assert.equal(bench.ask(blockOf(2)), '7f3672');
    assert.equal(bench.ask(blockOf(2)), '7f3624');
    bench.ecu.refusals.clear();
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    opened(bench);
    bench.ecu.refusals.set('finishTransfer', 0x72);
    for (const [counter, length] of [
      [1, 128],
      [2, 128],
      [3, 44],
    ] as const) {
      bench.ask(blockOf(counter, length));
    }
    assert.equal(bench.ask('37'), '7f3772');
    assert.equal(bench.ask('310102020101'), '7f3124');
  });
});

describe('UdsServer: one block from erasure to check', () => {
  it('writes no block that was not erased, though another was', () => {
    const bench = new UdsBench();
    bench.authenticate();
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    bench.ask('3101ff000101');
    assert.equal(bench.ask('340022 2000 0100'), '7f3470');
    assert.equal(bench.ask('340022 1f80 0100'), '7f3431');
    assert.equal(bench.ask('340022 3000 0100'), '7f3431');
    assert.equal(bench.ask('340022 1000 0000'), '7f3431');
    assert.equal(bench.ask('340122 1000 0100'), '7f3431');
    assert.equal(bench.ask('340002 1000'), '7f3413');
    assert.equal(bench.ask('340022 1000 0100 00'), '7f3413');
    assert.equal(bench.ecu.operations.filter(({ kind }) => kind === 'openDownload').length, 0);
  });

  it('checks nothing that was not loaded since it was erased', () => {
    const bench = new UdsBench();
    opened(bench);
    for (const [counter, length] of [
      [1, 128],
      [2, 128],
      [3, 44],
    ] as const) {
      bench.ask(blockOf(counter, length));
    }
    bench.ask('37');
    assert.equal(bench.ask('310102020102'), '7f3124');
    assert.equal(bench.ask('3101ff01'), '7f3124');
    bench.ask('3101ff000102');
    assert.equal(bench.ask('310102020102'), '7f3124');
    assert.equal(bench.ask('310102020101'), '7101020200');
    assert.equal(bench.ask('3101ff01'), '7f3124');
    assert.equal(bench.ask('310102020103'), '7f3131');
  });

  it('takes a block that failed its check for spoilt', () => {
    const bench = new UdsBench();
    opened(bench);
    for (const [counter, length] of [
      [1, 128],
      [2, 128],
      [3, 44],
    ] as const) {
      bench.ask(blockOf(counter, length));
    }
    bench.ask('37');
    bench.ecu.isGood = false;
    assert.equal(bench.ask('310102020101'), '7101020201');
    assert.equal(bench.ask('310102020101'), '7f3124');
    assert.equal(bench.ask('3101ff01'), '7f3124');
  });

  it('takes a block for spoilt whose erasure or check broke off', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.ask('3101ff000101');
    bench.ecu.refusals.set('eraseBlock', 0x72);
    assert.equal(bench.ask('3101ff000101'), '7f3172');
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    bench.ecu.refusals.clear();
    bench.ask('3101ff000101');
    bench.ask('340022 1000 0080');
    bench.ask(blockOf(1));
    bench.ask('37');
    bench.ecu.refusals.set('checkBlock', 0x22);
    assert.equal(bench.ask('310102020101'), '7f3122');
    bench.ecu.refusals.clear();
    assert.equal(bench.ask('310102020101'), '7f3124');
  });

  it('writes nothing twice over one erasure', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.ask('3101ff00 22 1000 1000');
    bench.ask('340022 1000 0080');
    bench.ask(blockOf(1));
    bench.ask('37');
    assert.equal(bench.ask('340022 1000 0080'), '7f3470');
    assert.equal(bench.ask('340022 107f 0080'), '7f3470');
    assert.equal(bench.ask('340022 1080 0080'), '741082');
  });

  it('forgets erasures with the session', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.ask('3101ff000101');
    bench.ask('1002');
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    bench.ask('3101ff000101');
    bench.ask('340022 1000 012c');
    bench.ask(blockOf(1));
    bench.pass(5000);
    assert.equal(bench.ask(blockOf(2)), '7f367f');
    bench.authenticate();
    assert.equal(bench.ask(blockOf(2)), '7f3624');
    assert.equal(bench.ask('310102020101'), '7f3124');
  });

  it('lets an ECU narrow what may be written, and not widen it', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.isHolding = true;
    bench.ask('3101ff000101');
    const record = Uint8Array.of(0);
    const erased = (address: number, sizeBytes: number): string =>
      bench.release({
        kind: 'done',
        result: { kind: 'erased', record, region: { address, sizeBytes } },
      });
    assert.equal(erased(0x1800, 0x100), '7101ff0000');
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    assert.equal(bench.ask('340022 1800 0101'), '7f3470');
    bench.ask('3101ff000101');
    assert.equal(erased(0x0800, 0x1000), '7f3172');
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
    bench.ask('3101ff000101');
    assert.equal(erased(0x2000, 0), '7101ff0000');
    bench.isHolding = false;
    assert.equal(bench.ask('310102020101'), '7101020200');
  });
});

describe('UdsServer: files {14229-1:2020 15.6}', () => {
  it('takes, replaces, resumes and deletes', () => {
    const bench = new UdsBench();
    bench.authenticate();
    assert.equal(bench.ask('3801000161000180 80'), '7801018200');
    assert.equal(bench.ask(blockOf(1)), '7601');
    assert.equal(bench.ask('37'), '77');
    bench.ecu.positionBytes = 100;
    assert.equal(bench.ask('38060003612f6211018080'), '78060182110000000000000064');
    assert.equal(bench.ask(blockOf(1, 29)), '7f3671');
    assert.equal(bench.ask(blockOf(1, 28)), '7601');
    assert.equal(bench.ecu.writes.at(-1)?.offsetBytes, 100);
    assert.equal(bench.ask('37'), '77');
    bench.ecu.positionBytes = 200;
    assert.equal(bench.ask('38060003612f6211018080'), '7f3831');
    assert.equal(bench.ask('3802000161'), '7802');
    assert.equal(bench.ask('3803000161000100 00'), '7803018200');
    assert.equal(bench.ask('37'), '77');
  });

  it('gives a file in blocks, one of them again', () => {
    const bench = new UdsBench();
    bench.ecu.files.set(
      'a',
      new Uint8Array(200).map((_, index) => index),
    );
    bench.authenticate();
    assert.equal(bench.ask('380400016100'), '78040182000001c8c8');
    const [first] = bench.say('3601');
    assert.equal(first?.length, 130);
    assert.deepEqual(bench.say('3601')[0], first);
    assert.equal(bench.ask('360200'), '7f3613');
    assert.equal(bench.ask('3603'), '7f3673');
    assert.equal(bench.say('3602')[0]?.length, 74);
    assert.equal(bench.ask('3603'), '7f3624');
    assert.equal(bench.ask('37'), '77');
    assert.equal(bench.ecu.operations.filter(({ kind }) => kind === 'readTransfer').length, 2);
  });

  it('opens no file that is longer than any can be, whoever says so', () => {
    const bench = new UdsBench();
    bench.authenticate();
    assert.equal(bench.ask('38010001610006 010000000001 010000000001'), '7f3831');
    bench.isHolding = true;
    bench.ask('380400016100');
    const endless = { kind: 'opened', sizeBytes: 2 ** 40 + 1, positionBytes: 0 } as const;
    assert.equal(bench.release({ kind: 'done', result: endless }), '7f3831');
    bench.isHolding = false;
    assert.equal(bench.ask('3601'), '7f3624');
  });

  it('refuses paths that climb, hide or are none', () => {
    const bench = new UdsBench();
    bench.authenticate();
    for (const path of ['../a', 'a/../b', '/a', 'a//b', '.a', 'a\0', 'ä', '', 'a/']) {
      const bytes = Buffer.from(path);
      const request = Buffer.concat([Buffer.of(0x38, 2, 0, bytes.length), bytes]);
      assert.equal(bench.ask(request), bytes.length === 0 ? '7f3813' : '7f3831', path);
    }
    assert.equal(bench.ask('3807000161'), '7f3831');
    assert.equal(bench.ask('380100016100 01'), '7f3813');
  });
});

describe('UdsServer: secured data transmission {14229-1:2020 16}', () => {
  const flags = '0021';
  const secured = (inner: string, counter: number, head = `84${flags}010008`): Uint8Array => {
    const bytes = Buffer.from(`${head}${counter.toString(16).padStart(4, '0')}${inner}`, 'hex');
    return Buffer.concat([bytes, codeOf(bytes)]);
  };

  it('serves what is signed, once, and signs the answer', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(bench.ask('22f102'), '7f2238');
    assert.equal(answered(bench, secured('22f102', 5)), '62f102aabb');
    assert.equal(answered(bench, secured('22f102', 5)), '7f843a');
    assert.equal(answered(bench, secured('22f102', 4)), '7f843a');
    assert.equal(answered(bench, secured('22ffff', 6)), '7f2231');
    assert.equal(answered(bench, secured('3e80', 7)), '');
    bench.ask('1001');
    bench.ask('1003');
    assert.equal(answered(bench, secured('22f102', 1)), '62f102aabb');
  });

  it('refuses what is forged, unsigned, encrypted, nested, or by another algorithm', () => {
    const bench = new UdsBench();
    assert.equal(answered(bench, secured('22f102', 1)), '7f847f');
    bench.ask('1003');
    const forged = Buffer.from(secured('22f102', 0xffff));
    forged[9] = 0xf3;
    assert.equal(answered(bench, forged), '7f843a');
    assert.equal(answered(bench, secured('22f102', 1, '840001010008')), '7f8431');
    assert.equal(answered(bench, secured('22f102', 1, '840031010008')), '7f8431');
    assert.equal(answered(bench, secured('22f102', 1, '840021020008')), '7f8431');
    assert.equal(answered(bench, secured('22f102', 1, '840021010009')), '7f843a');
    assert.equal(answered(bench, secured('84', 1)), '7f8439');
    assert.equal(answered(bench, secured('7f', 2)), '7f8439');
    assert.equal(answered(bench, Buffer.from('84002101ffff00010102', 'hex')), '7f8413');
    assert.equal(answered(bench, secured('22f102', 3)), '62f102aabb');
    const plain = new UdsBench({ secured: undefined });
    plain.ask('1003');
    assert.equal(answered(plain, secured('22f102', 1)), '7f8439');
  });
});

function answered(bench: UdsBench, request: Uint8Array): string {
  const [message = new Uint8Array()] = bench.say(request);
  if (message[0] !== 0xc4) return message.toHex();
  assert.deepEqual(message.subarray(-8), codeOf(message.subarray(0, -8)));
  return message.subarray(8, -8).toHex();
}
