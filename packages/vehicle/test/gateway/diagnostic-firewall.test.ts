import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TesterRoles, type RoutedRequest } from '@immota/vehicle';
import { GatewayWorld, RULES } from '../support/gateway-world.ts';

const PLAIN = { ...RULES, frames: [] };
const OBD_REQUEST = 0x7e0;
const OBD_RESPONSE = 0x7e8;
const TESTER = 0xe00;
const TBOX = 0xe80;
const ECU = 0x10;

/** Requests that alter an ECU. */
const PROGRAMMING = [
  '1002',
  '1082',
  '1101',
  '2711',
  '280101',
  '2ef15a01',
  '3101ff00',
  '31010202',
  '340044',
  '3601aa',
  '37',
  '3801',
  '8502',
];
/** Requests that read. */
const READING = ['1003', '1083', '22f190', '190209', '3e80', '2908', '31010203'];

describe('the diagnostic firewall, on the OBD bus', () => {
  it('lets reading through, and its answers', async () => {
    const world = new GatewayWorld(PLAIN);
    for (const request of READING) {
      await world.send('obd', OBD_REQUEST, single(request));
      assert.deepEqual(world.heard('chassis'), [single(request)], request);
    }
    await world.send('chassis', OBD_RESPONSE, single('62f19031'));
    assert.deepEqual(world.heard('obd'), [single('62f19031')]);
    assert.deepEqual(world.reasons(), []);
  });

  it('holds each rule to where its testers are', async () => {
    const [reading] = RULES.diagnostics;
    for (const [from, passes] of [
      ['doip', 0],
      ['obd', 1],
    ] as const) {
      const world = new GatewayWorld({ ...PLAIN, diagnostics: [{ ...reading, from: [from] }] });
      await world.send('obd', OBD_REQUEST, single('22f190'));
      assert.equal(world.heard('chassis').length, passes);
      assert.equal(permits(world, TESTER, ECU, bytes('22f190')), passes === 0);
    }
  });

  it('refuses programming from a stranger, parked or not', async () => {
    const world = new GatewayWorld(PLAIN);
    for (const isParked of [false, true]) {
      world.isParked = isParked;
      for (const request of PROGRAMMING) {
        await world.send('obd', OBD_REQUEST, single(request));
        assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated'], request);
      }
    }
    for (const request of [
      '23',
      '2c01',
      '2f',
      '3d',
      '840000',
      '87',
      '22f1a0',
      '22f190f1a0',
      '22f1',
    ]) {
      await world.send('obd', OBD_REQUEST, single(request));
      assert.deepEqual(world.reasons(), ['diagnostic-service'], request);
    }
    assert.deepEqual(world.heard('chassis'), []);
  });

  it('lets programming through from a tester that the ECU has authenticated, when parked', async () => {
    const world = new GatewayWorld(PLAIN);
    await authenticate(world);
    for (const request of PROGRAMMING) {
      world.isParked = false;
      await world.send('obd', OBD_REQUEST, single(request));
      assert.deepEqual(world.reasons(), ['diagnostic-not-parked'], request);
      world.isParked = true;
      await world.send('obd', OBD_REQUEST, single(request));
      assert.deepEqual(world.heard('chassis'), [single(request)], request);
      if (request === '1101') await authenticate(world);
    }
  });

  it('takes an authentication for one ECU as none for another', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    await authenticate(world);
    await world.send('obd', 0x6f1, '40 02 10 02 00 00 00 00');
    assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated']);
    await world.send('obd', 0x7df, single('1002'));
    assert.deepEqual(world.reasons(), ['diagnostic-service']);
  });

  it('forgets an authentication at silence, at reset, at the default session and when asked', async () => {
    for (const end of ['silence', '1101', '1001', '1081', '2900'] as const) {
      const world = new GatewayWorld(PLAIN);
      world.isParked = true;
      await authenticate(world);
      if (end === 'silence') world.atMs += 5001;
      else await world.send('obd', OBD_REQUEST, single(end));
      world.reasons();
      await world.send('obd', OBD_REQUEST, single('2711'));
      assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated'], end);
    }
  });

  it('keeps an authentication while the tester is present, and while the ECU asks for time', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    await authenticate(world);
    for (let count = 0; count < 5; count += 1) {
      world.atMs += 4000;
      await world.send('obd', OBD_REQUEST, single('3e80'));
    }
    await world.send('obd', OBD_REQUEST, single('3101ff00'));
    for (let count = 0; count < 5; count += 1) {
      world.atMs += 9000;
      await world.send('chassis', OBD_RESPONSE, single('7f3178'));
    }
    await world.send('chassis', OBD_RESPONSE, single('7101ff0000'));
    await world.send('obd', OBD_REQUEST, single('2711'));
    assert.deepEqual(world.reasons(), []);
  });

  it('believes no proof that was not asked for, and no other answer', async () => {
    for (const [request, response] of [
      ['22f190', '690312'],
      ['2908', '690312'],
      ['2903', '690311'],
      ['2903', '690112'],
      ['2903', '7f2912'],
      ['2903', '62f190'],
    ] as const) {
      const world = new GatewayWorld(PLAIN);
      world.isParked = true;
      await world.send('obd', OBD_REQUEST, single(request));
      await world.send('chassis', OBD_RESPONSE, single(response));
      await world.send('obd', OBD_REQUEST, single('2711'));
      assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated'], `${request} ${response}`);
    }
  });

  it('believes no proof after the answer to it, nor long after the last request', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    await world.send('obd', OBD_REQUEST, single('2903'));
    await world.send('chassis', OBD_RESPONSE, single('7f2912'));
    await world.send('chassis', OBD_RESPONSE, single('690312'));
    await world.send('obd', OBD_REQUEST, single('2711'));
    assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated']);
    const [reading] = RULES.diagnostics;
    const start = { ...reading, name: 'start', allow: [{ service: 0x10, subFunctions: [3] }] };
    const limited = { ...reading, allow: [{ service: 0x19 }], sessions: [3] };
    const late = new GatewayWorld({ ...PLAIN, diagnostics: [start, limited] });
    late.gateway.permit(TESTER, ECU, bytes('1003'));
    late.atMs += 9000;
    await answer(late, TESTER, ECU, '7f1012');
    late.atMs += 1001;
    await answer(late, TESTER, ECU, '5003');
    assert.ok(!permits(late, TESTER, ECU, bytes('190209')));
  });

  it('takes a proof that spans frames, with presence between, and an answer that does', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    await world.send('obd', OBD_REQUEST, '10 10 29 03 00 0c 01 02');
    await world.send('chassis', OBD_RESPONSE, '30 00 00');
    await world.send('obd', 0x7df, single('3e80'));
    await world.send('obd', OBD_REQUEST, '21 03 04 05 06 07 08 09');
    await world.send('obd', OBD_REQUEST, '22 0a 0b 0c 00 00 00 00');
    await world.send('chassis', OBD_RESPONSE, '10 0a 69 03 12 00 04 01');
    await world.send('obd', OBD_REQUEST, '30 00 00');
    await world.send('chassis', OBD_RESPONSE, '21 02 03 04 05 00 00 00');
    await world.send('obd', OBD_REQUEST, single('2711'));
    assert.deepEqual(world.reasons(), []);
    assert.equal(world.heard('chassis').length, 6);
    assert.equal(world.heard('obd').length, 3);
  });

  it('refuses answers to nothing', async () => {
    const world = new GatewayWorld(PLAIN);
    await world.send('chassis', OBD_RESPONSE, single('62f190'));
    assert.deepEqual(world.reasons(), ['diagnostic-unsolicited']);
    await world.send('obd', OBD_REQUEST, single('22f190'));
    world.atMs += 10_001;
    await world.send('chassis', OBD_RESPONSE, single('62f190'));
    assert.deepEqual(world.reasons(), ['diagnostic-unsolicited']);
    assert.deepEqual(world.heard('obd'), []);
  });

  it('leaves answers to testers over Ethernet where they are, without alarm', async () => {
    const world = new GatewayWorld(PLAIN);
    await world.send('chassis', OBD_REQUEST, single('22f190'));
    assert.deepEqual(world.reasons(), ['unknown-identifier']);
    world.gateway.permit(TESTER, ECU, bytes('22f190'));
    await world.send('chassis', OBD_REQUEST, single('22f190'));
    await world.send('chassis', OBD_RESPONSE, single('62f19031'));
    assert.deepEqual(world.reasons(), []);
    for (const bus of ['obd', 'body']) assert.deepEqual(world.heard(bus), []);
    await world.send('body', 0x640, 'f1 03 62 f1 90');
    assert.deepEqual(world.reasons(), ['diagnostic-unsolicited']);
  });

  it('lets the members of a group answer', async () => {
    const world = new GatewayWorld(PLAIN);
    await world.send('obd', 0x7df, single('22f190'));
    await world.send('chassis', OBD_RESPONSE, single('62f19031'));
    assert.deepEqual(world.heard('obd'), [single('62f19031')]);
    await world.send('obd', 0x7df, '10 10 22 f1 90 f1 90 f1');
    assert.deepEqual(world.reasons(), ['diagnostic-framing']);
  });

  it('holds services to the sessions of their rule', async () => {
    const sessions = [3];
    const [reading, ...others] = RULES.diagnostics;
    const limited = { ...reading, allow: [{ service: 0x19 }], sessions };
    const start = { ...reading, name: 'start', allow: [{ service: 0x10, subFunctions: [1, 3] }] };
    const world = new GatewayWorld({ ...PLAIN, diagnostics: [limited, start, ...others.slice(1)] });
    await world.send('obd', OBD_REQUEST, single('190209'));
    assert.deepEqual(world.reasons(), ['diagnostic-session']);
    await world.send('obd', OBD_REQUEST, single('1003'));
    await world.send('chassis', OBD_RESPONSE, single('500300320 1f4'));
    await world.send('obd', OBD_REQUEST, single('190209'));
    assert.deepEqual(world.reasons(), []);
    world.atMs += 11_000;
    await world.send('obd', OBD_REQUEST, single('190209'));
    assert.deepEqual(world.reasons(), ['diagnostic-session']);
  });

  it('takes an ECU that was reset for one in its default session', async () => {
    const [reading, programming] = RULES.diagnostics;
    const limited = { ...reading, allow: [{ service: 0x19 }], sessions: [3] };
    const others = reading.allow.filter(({ service }) => service !== 0x19);
    const diagnostics = [limited, { ...reading, name: 'others', allow: others }, programming];
    const world = new GatewayWorld({ ...PLAIN, diagnostics });
    world.isParked = true;
    await authenticate(world);
    await world.send('obd', OBD_REQUEST, single('1003'));
    await world.send('chassis', OBD_RESPONSE, single('5003'));
    await world.send('obd', OBD_REQUEST, single('190209'));
    await world.send('obd', OBD_REQUEST, single('1101'));
    await world.send('chassis', OBD_RESPONSE, single('5101'));
    assert.deepEqual(world.reasons(), []);
    await world.send('obd', OBD_REQUEST, single('190209'));
    assert.deepEqual(world.reasons(), ['diagnostic-session']);
  });

  it('holds each rule and each pair to its rate', async () => {
    const rate = { burst: 3, perSecond: 1 };
    const slowRule = RULES.diagnostics.map((rule) => ({ ...rule, rate }));
    const slowPair = RULES.pairs.map((pair) => ({ ...pair, rate }));
    for (const rules of [
      { ...PLAIN, diagnostics: slowRule },
      { ...PLAIN, pairs: slowPair },
    ]) {
      const world = new GatewayWorld(rules);
      for (let count = 0; count < 5; count += 1) {
        await world.send('obd', OBD_REQUEST, single('3e00'));
      }
      assert.deepEqual(world.reasons(), ['diagnostic-rate', 'diagnostic-rate']);
    }
    const world = new GatewayWorld({ ...PLAIN, pairs: slowPair });
    await world.send('obd', OBD_REQUEST, single('3e00'));
    for (let count = 0; count < 5; count += 1) {
      await world.send('chassis', OBD_RESPONSE, single('7e00'));
    }
    assert.deepEqual(world.reasons(), ['diagnostic-rate', 'diagnostic-rate']);
  });
});

describe('the diagnostic firewall, over Ethernet', () => {
  it('lets the T-BOX do all, by its certificate and not by its address', () => {
    const world = new GatewayWorld(PLAIN);
    for (const request of [...PROGRAMMING, ...READING]) {
      world.role = 'tbox';
      assert.ok(permits(world, TBOX, ECU, bytes(request)), request);
      assert.ok(!permits(world, TESTER, ECU, bytes('1002')));
      world.role = undefined;
      assert.ok(!permits(world, TBOX, ECU, bytes(request)), request);
    }
  });

  it('lets a workshop program a parked vehicle only', () => {
    const world = new GatewayWorld(PLAIN);
    world.role = 'workshop';
    for (const request of PROGRAMMING) {
      world.isParked = false;
      assert.ok(!permits(world, TESTER, ECU, bytes(request)), request);
      assert.deepEqual(world.reasons(), ['diagnostic-not-parked']);
      world.isParked = true;
      assert.ok(permits(world, TESTER, ECU, bytes(request)), request);
    }
    assert.ok(!permits(world, TESTER, 0xe400, bytes('1002')));
  });

  it('lets a stranger program after the ECU has authenticated it', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    assert.ok(!permits(world, TESTER, ECU, bytes('1002')));
    assert.ok(permits(world, TESTER, ECU, bytes('2903000401020304')));
    await answer(world, TESTER, ECU, '690312');
    assert.ok(permits(world, TESTER, ECU, bytes('1002')));
    assert.ok(!permits(world, TESTER + 1, ECU, bytes('1002')));
    assert.ok(!permits(world, TESTER, ECU + 1, bytes('1002')));
  });

  it('believes no authentication while another tester speaks with the ECU', async () => {
    for (const order of ['proof first', 'proof last', 'answered', 'unfinished'] as const) {
      const world = new GatewayWorld(PLAIN);
      world.isParked = true;
      // A worthless proof on the bus, beside a good one over Ethernet: one answer is heard by both.
      const worthless = order === 'unfinished' ? '10 40 29 03 00 3c 00 00' : single('2903');
      if (order === 'proof first') world.gateway.permit(TESTER, ECU, bytes('2903'));
      world.atMs += 10;
      await world.send('obd', OBD_REQUEST, worthless);
      world.atMs += 10;
      if (order !== 'proof first') world.gateway.permit(TESTER, ECU, bytes('2903'));
      if (order === 'answered') await answer(world, TESTER, ECU, '690312');
      await world.send('chassis', OBD_RESPONSE, single('690312'));
      await answer(world, TESTER, ECU, '690312');
      await world.send('obd', OBD_REQUEST, single('2711'));
      assert.deepEqual(world.reasons(), ['diagnostic-unauthenticated'], order);
    }
  });

  it('believes an authentication beside the presence of others, and talk with other ECUs', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    world.gateway.permit(TESTER, ECU + 1, bytes('22f190'));
    world.gateway.permit(TESTER, 0xe400, bytes('3e80'));
    await authenticate(world);
    await world.send('obd', OBD_REQUEST, single('2711'));
    assert.deepEqual(world.reasons(), []);
  });

  it('refuses an empty message, and tells what it was about', () => {
    const world = new GatewayWorld(PLAIN);
    assert.ok(!permits(world, TESTER, ECU, new Uint8Array()));
    assert.ok(!permits(world, TESTER, ECU, bytes('1002')));
    assert.deepEqual(world.refusals.at(-1), {
      reason: 'diagnostic-unauthenticated',
      from: 'doip',
      rule: 'programming',
      tester: TESTER,
      target: ECU,
      service: 0x10,
      subFunction: 2,
      lengthBytes: 2,
    });
  });

  it('remembers no more conversations than it may, and forgets the oldest', async () => {
    const world = new GatewayWorld(PLAIN);
    world.isParked = true;
    permits(world, TESTER, ECU, bytes('2903'));
    await answer(world, TESTER, ECU, '690312');
    for (let target = 0x100; target < 0x100 + 1023; target += 1) {
      world.atMs += 3;
      permits(world, TESTER, target, bytes('3e00'));
    }
    assert.ok(permits(world, TESTER, ECU, bytes('2711')));
    for (let target = 0x1000; target < 0x1000 + 1024; target += 1) {
      world.atMs += 1;
      permits(world, TESTER, target, bytes('3e00'));
    }
    assert.ok(!permits(world, TESTER, ECU, bytes('2711')));
  });
});

function permits(
  world: GatewayWorld,
  tester: number,
  target: number,
  message: Uint8Array,
): boolean {
  const permission = world.gateway.permit(tester, target, message);
  if (permission !== 'permit') assert.deepEqual(permission, { nackCode: 0x06 });
  return permission === 'permit';
}

/** Lets an ECU behind the router answer. */
async function answer(
  world: GatewayWorld,
  tester: number,
  target: number,
  hex: string,
): Promise<void> {
  const answered: Uint8Array[] = [];
  const route = world.gateway.watch((address) => {
    if (address !== target) return 0x03;
    const deliver = (request: RoutedRequest): undefined => {
      void request.respondAs(target, bytes(hex));
    };
    return { messageMaxBytes: 100, deliver };
  });
  const found = route(target);
  assert.ok(typeof found === 'object' && found.messageMaxBytes === 100);
  assert.equal(route(target + 1), 0x03);
  const respond = async (message: Uint8Array): Promise<void> => {
    answered.push(message);
    await Promise.resolve();
  };
  found.deliver({
    tester,
    target,
    isFunctional: false,
    bytes: new Uint8Array([0x3e]),
    isGone: () => false,
    respond,
    respondAs: async (_, message) => respond(message),
  });
  await Promise.resolve();
  assert.deepEqual(answered, [bytes(hex)]);
}

describe('TesterRoles', () => {
  it('tells the role of the last activation of an address, and of no other', () => {
    const roles = new TesterRoles((certificate) => (certificate[0] === 1 ? 'tbox' : undefined));
    const activate = (tester: number, certificate: Uint8Array | undefined): void => {
      const peer = { address: '::1', isSecure: certificate !== undefined, certificate };
      roles.note({ kind: 'activated', peer, tester, activationType: 0 });
    };
    activate(TBOX, new Uint8Array([1]));
    assert.equal(roles.find(TBOX), 'tbox');
    assert.equal(roles.find(TESTER), undefined);
    activate(TBOX, new Uint8Array([2]));
    assert.equal(roles.find(TBOX), undefined);
    activate(TBOX, new Uint8Array([1]));
    activate(TBOX, undefined);
    assert.equal(roles.find(TBOX), undefined);
  });
});

async function authenticate(world: GatewayWorld): Promise<void> {
  await world.send('obd', OBD_REQUEST, single('290300'));
  await world.send('chassis', OBD_RESPONSE, single('690312'));
  for (const bus of ['obd', 'chassis', 'body']) world.heard(bus);
}

function single(hex: string): string {
  const message = bytes(hex);
  return Buffer.from([message.length, ...message])
    .toString('hex')
    .padEnd(16, '0');
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}
