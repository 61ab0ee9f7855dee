import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canFrame, type IsoTpLink } from '../../src/index.ts';
import { confirm, ecuLink, frame, hear, hex, pattern, told } from './told.ts';

const FIRST = '10 14 01 02 03 04 05 06';
const SECOND = '21 07 08 09 0a 0b 0c 0d';
const THIRD = '22 0e 0f 10 11 12 13 14';
const WHOLE = 'received 0102030405060708090a0b0c0d0e0f1011121314';

describe('an ISO-TP link that receives', () => {
  it('takes a message of one frame', () => {
    assert.deepEqual(hear(ecuLink(), '02 3e 00 55 55'), ['received 3e00']);
    const long = pattern(62);
    const link = ecuLink({ isFd: true });
    assert.deepEqual(hear(link, `00 3e ${long.toHex()}`), [`received ${long.toHex()}`]);
  });

  it('puts parts together, and tells when a message begins', () => {
    const link = ecuLink();
    assert.deepEqual(begin(link), ['begun 20', 'send 300000']);
    assert.deepEqual(hear(link, SECOND, 2), []);
    assert.deepEqual(hear(link, THIRD, 3), [WHOLE]);
    assert.equal(link.deadlineMs, undefined);
  });

  it('asks for its pace, and again after each block', () => {
    const link = ecuLink({ blockSize: 1, separationTimeUs: 200 });
    assert.deepEqual(begin(link), ['begun 20', 'send 3001f2']);
    const [flow] = link.handle({ kind: 'frame', frame: frame(SECOND) }, 2);
    assert.ok(flow?.kind === 'send');
    assert.deepEqual(told([flow]), ['send 3001f2']);
    assert.equal(link.deadlineMs, 1002, 'until it is on the bus');
    confirm(link, flow.token, 5);
    assert.equal(link.deadlineMs, 1005, 'until the next part comes');
    assert.deepEqual(hear(link, THIRD, 6), [WHOLE], 'and no flow control after the last');
  });

  it('aborts on a part that is missing, repeated or out of order (N_WRONG_SN)', () => {
    for (const wrong of [THIRD, '20 07 08 09 0a 0b 0c 0d']) {
      const link = ecuLink();
      begin(link);
      assert.deepEqual(hear(link, wrong, 2), ['receiving WRONG_SEQUENCE']);
      assert.deepEqual(hear(link, SECOND, 3), [], 'and takes nothing more of it');
    }
    const link = ecuLink();
    begin(link);
    hear(link, SECOND, 2);
    assert.deepEqual(hear(link, SECOND, 3), ['receiving WRONG_SEQUENCE']);
  });

  it('gives up an unfinished message for a new one (N_UNEXP_PDU)', () => {
    const link = ecuLink();
    begin(link);
    hear(link, SECOND, 2);
    assert.deepEqual(hear(link, FIRST, 3), ['receiving UNEXPECTED_PDU', 'begun 20', 'send 300000']);
    assert.deepEqual(hear(link, SECOND, 4), []);
    assert.deepEqual(hear(link, '01 3e', 5), ['receiving UNEXPECTED_PDU', 'received 3e']);
    assert.deepEqual(hear(link, THIRD, 6), []);
  });

  it('ignores parts of a message that never began', () => {
    assert.deepEqual(hear(ecuLink(), SECOND), []);
  });

  it('gives up when the next part does not come (N_TIMEOUT_Cr)', () => {
    const link = ecuLink({ crMs: 600 });
    begin(link);
    assert.deepEqual(hear(link, SECOND, 100), []);
    assert.equal(link.deadlineMs, 700);
    assert.deepEqual(told(link.elapse(700)), ['receiving TIMEOUT_CR']);
    assert.deepEqual(hear(link, THIRD, 701), []);
  });

  it('gives up when its flow control does not get onto the bus (N_TIMEOUT_A)', () => {
    const link = ecuLink({ arMs: 50 });
    hear(link, FIRST, 0);
    assert.equal(link.deadlineMs, 50);
    assert.deepEqual(told(link.elapse(50)), ['receiving TIMEOUT_A']);
  });

  it('refuses what it has no room for, and takes what just fits', () => {
    const small = ecuLink({ messageMaxBytes: 19 });
    assert.deepEqual(hear(small, FIRST), ['send 320000', 'receiving BUFFER_OVERFLOW']);
    assert.deepEqual(hear(small, SECOND), []);
    const enough = ecuLink({ messageMaxBytes: 20 });
    assert.deepEqual(hear(enough, FIRST), ['begun 20', 'send 300000']);
  });

  it('allocates nothing for a length that is only announced', () => {
    const link = ecuLink({ messageMaxBytes: 16_777_216 });
    const before = process.memoryUsage().arrayBuffers;
    const links = Array.from({ length: 200 }, () => ecuLink({ messageMaxBytes: 16_777_216 }));
    for (const each of [link, ...links]) {
      assert.equal(hear(each, '10 00 01 00 00 00 aa bb')[0], 'begun 16777216');
    }
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBytes < 1_000_000, `${grownBytes} bytes for 201 announcements of 16 MiB`);
    assert.equal(hear(ecuLink(), '10 00 ff ff ff ff aa bb')[0], 'send 320000');
  });

  it('has one flow control frame on its way, however often it is provoked', () => {
    const link = ecuLink();
    const sent = Array.from({ length: 100 }, () => hear(link, FIRST, 1))
      .flat()
      .filter((line) => line.startsWith('send'));
    assert.equal(sent.length, 1);
  });

  it('sends the flow control that was due when the one before it is on the bus', () => {
    const link = ecuLink();
    const [, flow] = link.handle({ kind: 'frame', frame: frame(FIRST) }, 0);
    assert.ok(flow?.kind === 'send');
    hear(link, '10 00 ff ff ff ff aa bb', 1);
    assert.deepEqual(confirm(link, flow.token, 2), ['send 320000']);
  });

  it('lets the sender wait while it has no room, and go on then', () => {
    const link = ecuLink({ brMs: 100 });
    link.handle({ kind: 'hold' }, 0);
    const [, wait] = link.handle({ kind: 'frame', frame: frame(FIRST) }, 0);
    assert.ok(wait?.kind === 'send');
    assert.deepEqual(told([wait]), ['send 310000']);
    confirm(link, wait.token, 10);
    assert.equal(link.deadlineMs, 110);
    const [again] = link.elapse(110);
    assert.ok(again?.kind === 'send');
    assert.deepEqual(told([again]), ['send 310000']);
    confirm(link, again.token, 111);
    assert.deepEqual(hear(link, SECOND, 112), [], 'a sender that does not wait is not heard');
    assert.deepEqual(told(link.handle({ kind: 'release' }, 120)), ['send 300000']);
    assert.deepEqual(hear(link, SECOND, 121), []);
    assert.deepEqual(hear(link, THIRD, 122), [WHOLE]);
  });

  it('gives up when it was not ready in time (N_WFT_OVRN)', () => {
    const link = ecuLink({ brMs: 100, waitFramesMax: 1 });
    link.handle({ kind: 'hold' }, 0);
    const [, wait] = link.handle({ kind: 'frame', frame: frame(FIRST) }, 0);
    assert.ok(wait?.kind === 'send');
    confirm(link, wait.token, 0);
    assert.deepEqual(told(link.elapse(100)), ['receiving WAIT_OVERRUN']);
    assert.deepEqual(told(link.handle({ kind: 'release' }, 101)), []);
  });

  it('takes parts that are as long as the first, and only the last one shorter', () => {
    const first = `10 50 ${pattern(14).toHex()}`;
    const link = ecuLink({ isFd: true });
    assert.equal(hear(link, first)[0], 'begun 80');
    assert.deepEqual(hear(link, `21 ${pattern(11).toHex()}`), [], 'too short: passed over');
    assert.deepEqual(hear(link, `21 ${pattern(19).toHex()}`), [], 'too long: passed over');
    for (const digit of '1234')
      assert.deepEqual(hear(link, `2${digit} ${pattern(15).toHex()}`), []);
    const [message = ''] = hear(link, `25 ${pattern(7).toHex()}`);
    assert.equal(message.length, 'received '.length + 160);
  });

  it('hears a question to all in one frame only, and goes on with its message', () => {
    const link = ecuLink();
    begin(link);
    assert.deepEqual(all(link, '02 3e 80'), ['all 3e80']);
    for (const digits of [FIRST, SECOND, '30 00 00']) assert.deepEqual(all(link, digits), []);
    hear(link, SECOND, 2);
    assert.deepEqual(hear(link, THIRD, 3), [WHOLE]);
  });

  it('passes over frames that are none of the protocol', () => {
    const link = ecuLink();
    begin(link);
    for (const digits of ['', '2', '40 00', '00', '08 01 02 03 04 05 06 07']) {
      assert.deepEqual(hear(link, digits.padEnd(2, '1'), 2), []);
    }
  });

  it('hands out messages that later frames do not change', () => {
    for (const id of [0x7e0, 0x7df]) {
      const single = canFrame({ id, data: Buffer.from('023e00', 'hex') });
      const [received] = ecuLink().handle({ kind: 'frame', frame: single }, 0);
      single.data.fill(0);
      assert.ok(received?.kind === 'received');
      assert.deepEqual(received.message, hex('3e00'));
    }
  });
});

function begin(link: IsoTpLink): readonly string[] {
  const outputs = link.handle({ kind: 'frame', frame: frame(FIRST) }, 0);
  const flow = outputs.find((output) => output.kind === 'send');
  if (flow !== undefined) confirm(link, flow.token, 1);
  return told(outputs);
}

function all(link: IsoTpLink, digits: string): readonly string[] {
  return told(link.handle({ kind: 'frame', frame: frame(digits, 0x7df) }, 1));
}
