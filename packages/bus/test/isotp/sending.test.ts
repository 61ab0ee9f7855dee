import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IsoTpLink, IsoTpSettings } from '../../src/index.ts';
import { confirm, ecuLink, hear, hex, pattern, TESTER, testerLink, told } from './told.ts';
import { canFrame } from '../../src/index.ts';

describe('an ISO-TP link that sends', () => {
  it('puts what fits into one frame, with padding or as short as it goes', () => {
    assert.deepEqual(frames({}, hex('3e00')), ['023e00cccccccccc']);
    assert.deepEqual(frames({ padding: 0 }, hex('3e00')), ['023e000000000000']);
    assert.deepEqual(frames({ padding: undefined }, hex('3e00')), ['023e00']);
    assert.deepEqual(frames({ isFd: true }, hex('01020304050607')), ['0701020304050607']);
  });

  it('escapes the length of longer single frames, and fills them to a length of CAN FD', () => {
    assert.deepEqual(frames({ isFd: true }, hex('0102030405060708')), ['00080102030405060708cccc']);
    const [longest = ''] = frames({ isFd: true }, pattern(62));
    assert.ok(longest.startsWith('003e'));
    assert.equal(longest.length, 128);
    // A link whose frames are shorter begins to part them earlier.
    const short = { isFd: true, frameBytes: 12 };
    assert.equal(frames(short, pattern(10)).length, 1);
    assert.equal(frames(short, pattern(11)).length, 2);
  });

  it('parts what does not fit, and counts 1 to 15 and on from 0', () => {
    const message = pattern(6 + 7 * 17 + 1);
    const sent = frames({}, message);
    assert.equal(sent[0], `107e${message.subarray(0, 6).toHex()}`);
    const sequence = sent.slice(1).map((data) => data.slice(0, 2));
    assert.deepEqual(sequence, '21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f 20 21 22'.split(' '));
    assert.equal(sent.at(-1), `22${message.subarray(-1).toHex()}cccccccccccc`);
  });

  it('announces more than 4095 bytes by the escape', () => {
    const settings = { messageMaxBytes: 5000 };
    assert.ok(frames(settings, pattern(4095))[0]?.startsWith('1fff'));
    assert.ok(frames(settings, pattern(4096))[0]?.startsWith('100000001000'));
  });

  it('gives the last frame of CAN FD the length that it needs', () => {
    const sent = frames({ isFd: true }, pattern(62 + 63 + 9));
    assert.deepEqual(
      sent.map((data) => data.length / 2),
      [64, 64, 12],
    );
  });

  it('tells that a message is delivered when its last frame is on the bus', () => {
    const link = testerLink();
    const [token] = tokens(link.handle({ kind: 'send', message: hex('3e00') }, 0));
    assert.equal(link.isReadyToSend, false);
    assert.deepEqual(confirm(link, token), ['delivered']);
    assert.equal(link.isReadyToSend, true);
    assert.equal(link.deadlineMs, undefined);
  });

  it('waits for flow control after each block {15765-2:2016 9.6.5.3}', () => {
    const { link, token } = begin(pattern(6 + 7 * 5));
    confirm(link, token, 0);
    const first = heard(link, '30 02 00', 1);
    assert.deepEqual(told(first.outputs).map(head), ['send 21']);
    const second = link.handle({ kind: 'sent', token: first.token }, 2);
    assert.deepEqual(told(second).map(head), ['send 22']);
    assert.deepEqual(confirm(link, tokens(second)[0], 3), []);
    assert.equal(link.deadlineMs, 1003);
    assert.deepEqual(hear(link, '7e 00 00', 4), [], 'what is no flow control is passed over');
    assert.deepEqual(told(heard(link, '30 00 00', 5).outputs).map(head), ['send 23']);
  });

  it('pauses for STmin between frames, and not after flow control', () => {
    for (const [separation, ms] of [
      ['05', 5],
      ['f3', 0.3],
      ['80', 127],
      ['ff', 127],
    ] as const) {
      const { link, token } = begin(pattern(30));
      confirm(link, token, 0);
      const first = heard(link, `30 00 ${separation}`, 10);
      assert.deepEqual(confirm(link, first.token, 20), []);
      assert.equal(link.deadlineMs, 20 + ms);
      assert.deepEqual(link.elapse(20 + ms - 0.01), []);
      assert.deepEqual(told(link.elapse(20 + ms)).map(head), ['send 22']);
    }
  });

  it('takes the pace that each flow control frame asks for {15765-2:2016 9.6.5.6}', () => {
    const { link, token } = begin(pattern(60));
    confirm(link, token, 0);
    const first = heard(link, '30 01 7f', 0);
    confirm(link, first.token, 0);
    const second = heard(link, '30 00 00', 0);
    const third = link.handle({ kind: 'sent', token: second.token }, 0);
    assert.deepEqual(told(third).map(head), ['send 23']);
  });

  it('goes on with flow control that overtakes the news of its own frame', () => {
    const { link, token } = begin(pattern(20));
    const first = heard(link, '30 00 00', 1);
    assert.deepEqual(told(first.outputs).map(head), ['send 21']);
    assert.deepEqual(confirm(link, token, 2), [], 'the late news changes nothing');
    assert.deepEqual(confirm(link, first.token, 2).map(head), ['send 22']);
  });

  it('waits as often as it bears, and gives up then (N_WFT_OVRN)', () => {
    const { link, token } = begin(pattern(20), { waitFramesMax: 2 });
    confirm(link, token, 0);
    assert.deepEqual(hear(link, '31 00 00', 900), []);
    assert.equal(link.deadlineMs, 1900);
    assert.deepEqual(hear(link, '31 00 00', 1800), []);
    assert.deepEqual(hear(link, '31 00 00', 2700), ['sending WAIT_OVERRUN']);
    assert.equal(link.isReadyToSend, true);
  });

  it('counts waits anew in each block', () => {
    const { link, token } = begin(pattern(40), { waitFramesMax: 1 });
    confirm(link, token, 0);
    hear(link, '31 00 00', 1);
    const next = heard(link, '30 01 00', 2);
    confirm(link, next.token, 3);
    assert.deepEqual(hear(link, '31 00 00', 4), []);
    assert.deepEqual(hear(link, '31 00 00', 5), ['sending WAIT_OVERRUN']);
  });

  it('gives up when the receiver has no room (N_BUFFER_OVFLW)', () => {
    const { link, token } = begin(pattern(20));
    confirm(link, token, 0);
    assert.deepEqual(hear(link, '32 00 00', 1), ['sending BUFFER_OVERFLOW']);
  });

  it('gives up on a flow status that nobody defined (N_INVALID_FS)', () => {
    const { link, token } = begin(pattern(20));
    confirm(link, token, 0);
    assert.deepEqual(hear(link, '33 00 00', 1), ['sending INVALID_FLOW_STATUS']);
  });

  it('gives up when no flow control comes (N_TIMEOUT_Bs)', () => {
    const { link, token } = begin(pattern(20), { bsMs: 600 });
    confirm(link, token, 100);
    assert.equal(link.deadlineMs, 700);
    assert.deepEqual(link.elapse(699), []);
    assert.deepEqual(told(link.elapse(700)), ['sending TIMEOUT_BS']);
    assert.deepEqual(hear(link, '30 00 00', 701), [], 'what comes too late changes nothing');
  });

  it('does what was due before it takes what happened', () => {
    const { link, token } = begin(pattern(20));
    confirm(link, token, 0);
    assert.deepEqual(hear(link, '30 00 00', 1000), ['sending TIMEOUT_BS']);
  });

  it('gives up when its frame does not get onto the bus (N_TIMEOUT_A)', () => {
    const { link, token } = begin(pattern(20), { asMs: 50 });
    assert.equal(link.deadlineMs, 50);
    assert.deepEqual(told(link.elapse(50)), ['sending TIMEOUT_A']);
    assert.deepEqual(confirm(link, token, 51), []);
  });

  it('ignores flow control that it does not wait for', () => {
    const link = testerLink();
    assert.deepEqual(hear(link, '30 00 00'), []);
    assert.deepEqual(hear(link, '32 00 00'), []);
    const [single] = tokens(link.handle({ kind: 'send', message: hex('3e00') }, 0));
    assert.deepEqual(hear(link, '32 00 00'), []);
    confirm(link, single);
    const { link: long, token } = begin(pattern(40));
    confirm(long, token, 0);
    const first = heard(long, '30 00 7f', 1);
    confirm(long, first.token, 2);
    assert.deepEqual(hear(long, '32 00 00', 3), []);
    assert.equal(long.deadlineMs, 129);
  });

  it('refuses empty messages, too long ones, and long ones for a group', () => {
    const link = testerLink({ messageMaxBytes: 100 });
    const refused = { code: 'MESSAGE_LENGTH' };
    assert.throws(() => link.handle({ kind: 'send', message: hex('') }, 0), refused);
    assert.throws(() => link.handle({ kind: 'send', message: pattern(101) }, 0), refused);
    const toGroup = { kind: 'send', message: pattern(8), isFunctional: true } as const;
    assert.throws(() => link.handle(toGroup, 0), refused);
    assert.equal(tokens(testerLink({ isFd: true }).handle(toGroup, 0)).length, 1);
    assert.equal(tokens(link.handle({ kind: 'send', message: pattern(100) }, 0)).length, 1);
  });

  it('refuses a second message while one is under way', () => {
    const { link } = begin(pattern(20));
    const message = hex('3e00');
    assert.throws(() => link.handle({ kind: 'send', message }, 1), { code: 'BUSY' });
  });

  it('sends and receives at the same time', () => {
    const { link, token } = begin(pattern(20));
    confirm(link, token, 0);
    const flow = heard(link, '10 0a 01 02 03 04 05 06', 1);
    assert.deepEqual(told(flow.outputs), ['begun 10', 'send 300000']);
    const part = heard(link, '30 00 00', 2);
    assert.deepEqual(told(part.outputs).map(head), ['send 21']);
    assert.deepEqual(hear(link, '21 07 08 09 0a', 3), ['received 0102030405060708090a']);
    const last = link.handle({ kind: 'sent', token: part.token }, 4);
    assert.deepEqual(confirm(link, tokens(last)[0], 5), ['delivered']);
  });
});

type Outputs = ReturnType<IsoTpLink['handle']>;

/** A link whose peer's frames carry the identifier that `hear` uses. */
function begin(
  message: Uint8Array,
  settings: IsoTpSettings = {},
): { readonly link: IsoTpLink; readonly token: number } {
  const link = ecuLink(settings);
  const [token = 0] = tokens(link.handle({ kind: 'send', message }, 0));
  return { link, token };
}

function heard(
  link: IsoTpLink,
  digits: string,
  atMs: number,
): { readonly outputs: Outputs; readonly token: number } {
  const frame = canFrame({ id: TESTER.tx.id, data: hex(digits) });
  const outputs = link.handle({ kind: 'frame', frame }, atMs);
  return { outputs, token: tokens(outputs)[0] ?? 0 };
}

function tokens(outputs: Outputs): readonly number[] {
  return outputs.flatMap((output) => (output.kind === 'send' ? [output.token] : []));
}

/** All frames of a message whose receiver lets everything pass. */
function frames(settings: IsoTpSettings, message: Uint8Array): readonly string[] {
  const link = testerLink(settings);
  const sent: string[] = [];
  let outputs = link.handle({ kind: 'send', message }, 0);
  for (;;) {
    const [output] = outputs;
    if (output?.kind !== 'send') return sent;
    sent.push(output.frame.data.toHex());
    outputs = link.handle({ kind: 'sent', token: output.token }, 0);
    if (outputs.length > 0 || link.isReadyToSend) continue;
    const flow = canFrame({ id: TESTER.rx.id, data: hex('300000') });
    outputs = link.handle({ kind: 'frame', frame: flow }, 0);
  }
}

function head(line: string): string {
  return line.slice(0, 7);
}
