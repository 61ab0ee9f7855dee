import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CounterReceiver,
  CounterSender,
  importAesKey,
  SecocReceiver,
  SecocSender,
} from '@immota/bus';
import { GatewayWorld, RULES } from '../support/gateway-world.ts';
import { volatileCounters } from '../support/volatile-counters.ts';

const SPEED = '0102030405060708';
const PLAIN = { ...RULES, frames: [RULES.frames[0]] };

describe('createGateway(), between buses', () => {
  it('forwards what a rule allows, to the buses that it names', async () => {
    const world = new GatewayWorld(PLAIN);
    await world.send('chassis', 0x100, SPEED);
    await world.send('chassis', 0x10f, '01020304');
    for (const bus of ['obd', 'body']) assert.deepEqual(world.heard(bus), [SPEED, '01020304']);
    assert.deepEqual(world.heard('chassis'), []);
    assert.deepEqual(world.gateway.counts(), { forwarded: 2, refused: 0 });
  });

  it('refuses other identifiers, buses, kinds and lengths', async () => {
    const world = new GatewayWorld(PLAIN);
    for (const [bus, id, hex, parts, reason] of [
      ['chassis', 0x0ff, SPEED, {}, 'unknown-identifier'],
      ['chassis', 0x110, SPEED, {}, 'unknown-identifier'],
      ['obd', 0x100, SPEED, {}, 'unknown-identifier'],
      ['chassis', 0x100, SPEED, { isExtended: true }, 'unknown-identifier'],
      ['chassis', 0x100, '010203', {}, 'frame-length'],
      ['chassis', 0x100, SPEED, { isFd: true }, 'frame-length'],
    ] as const) {
      await world.send(bus, id, hex, parts);
      assert.deepEqual(world.reasons(), [reason]);
    }
    for (const bus of ['obd', 'body', 'chassis']) {
      const others = world.heard(bus).filter((hex) => hex !== SPEED && hex !== '010203');
      assert.deepEqual(others, []);
    }
    assert.deepEqual(world.gateway.counts(), { forwarded: 0, refused: 6 });
  });

  it('refuses more than the rate, and only for as long', async () => {
    const world = new GatewayWorld(PLAIN);
    for (let count = 0; count < 12; count += 1) await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.reasons(), ['frame-rate', 'frame-rate']);
    world.atMs += 10;
    await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.reasons(), []);
    await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.reasons(), ['frame-rate']);
  });

  it('forwards a secured frame once, and never one that was altered', async () => {
    const stream = {
      key: importAesKey(new Uint8Array(16).fill(1)),
      dataId: 0x300,
      profile: '24Bit-CMAC-8Bit-FV',
    } as const;
    const sender = new SecocSender({ ...stream, freshness: new CounterSender(volatileCounters()) });
    const receiver = new SecocReceiver({
      ...stream,
      freshness: new CounterReceiver(volatileCounters()),
    });
    const world = new GatewayWorld(RULES, new Map([['doors', receiver]]));
    const frame = Buffer.from(sender.protect(new Uint8Array([1, 2, 3, 4]))).toString('hex');
    await world.send('body', 0x300, frame);
    assert.deepEqual(world.heard('chassis'), [frame]);
    await world.send('body', 0x300, frame);
    await world.send('body', 0x300, frame.replace(/^01/, '02'));
    assert.deepEqual(
      world.refusals.map(({ reason, code, rule }) => ({ reason, code, rule })),
      [
        { reason: 'frame-authenticator', code: 'REPLAY', rule: 'doors' },
        { reason: 'frame-authenticator', code: 'MAC_MISMATCH', rule: 'doors' },
      ],
    );
    assert.deepEqual(world.heard('chassis'), []);
  });

  it('keeps no more frames for a bus that is stuck than it may, and goes on after', async () => {
    const world = new GatewayWorld(PLAIN);
    const body = world.segments.get('body');
    assert.ok(body !== undefined);
    body.isStuck = true;
    for (let count = 0; count < 1300; count += 1) {
      world.atMs += 10;
      await world.send('chassis', 0x100, SPEED);
    }
    assert.equal(world.reasons().filter((reason) => reason === 'congestion').length, 100);
    assert.equal(world.heard('obd').length, 1300);
    body.release();
    await new Promise(setImmediate);
    await world.send('chassis', 0x101, SPEED);
    assert.deepEqual(world.reasons(), []);
    assert.equal(world.heard('body').length, 1201);
  });

  it('tells of frames that a bus did not take', async () => {
    const world = new GatewayWorld(PLAIN);
    const body = world.segments.get('body');
    assert.ok(body !== undefined);
    body.isFull = true;
    await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.reasons(), ['congestion']);
    assert.deepEqual(world.heard('obd'), [SPEED]);
    body.isFull = false;
    await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.reasons(), []);
  });

  it('forwards nothing after it was closed', async () => {
    const world = new GatewayWorld(PLAIN);
    world.gateway.close();
    await world.send('chassis', 0x100, SPEED);
    assert.deepEqual(world.heard('body'), []);
    assert.deepEqual(world.gateway.counts(), { forwarded: 0, refused: 0 });
  });
});
