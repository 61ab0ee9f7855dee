/** A Primary heeds what a campaign asks, and tells the Director what it waits for. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject, JsonValue } from '@immota/base';
import { ALWAYS_GO, type CheckInResult, type ConditionsGate, DEFAULT_RULES } from '@immota/vehicle';
import { BRAKE, makeWorld, objectAt, type RunOptions, TBOX } from '../support/world.ts';

const CHARGE = 'Vehicle.Powertrain.TractionBattery.StateOfCharge.Current';
const NETWORK = 'Vehicle.Private.Network';
const CHARGED: JsonObject = {
  conditions: [{ id: 'campaign', wanted: 'a full battery', expression: `${CHARGE} > 30.0` }],
};
const HOUR_MS = 3_600_000;

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

/** Signals as a test sets them, always fresh. */
class Signals {
  readonly values = new Map<string, number | string>([
    [CHARGE, 80],
    [NETWORK, 'wifi'],
  ]);
  atMs: () => number = () => 0;

  read(name: string): { value: number | string; atMs: number } | undefined {
    const value = this.values.get(name);
    return value === undefined ? undefined : { value, atMs: this.atMs() };
  }
}

async function offered(test: TestContext, policy: JsonValue, options: RunOptions = {}) {
  const world = await makeWorld(test, { hasSecondary: true });
  const { secondary: brake } = world;
  assert.ok(brake !== undefined);
  const signals = new Signals();
  signals.atMs = () => world.surroundings.timer.elapsedMs();
  const primary = await world.run({ signals, ...options });
  await primary.checkIn();
  const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  const other = await world.addImage('brake/fw-2.bin', 'brake-hw');
  await world.assign({ [TBOX]: image, [BRAKE]: other }, { policy });
  const checkIn = async (): Promise<string> => codeOf(await primary.checkIn());
  const told = (): JsonObject => objectAt(world.lastManifest(), ['custom', 'progress']);
  const measured = (name: string): unknown => objectAt(told(), ['measured'])[name];
  const hasAsked = (): boolean =>
    world.progress.some((event) => event.kind === 'download' && event.receivedBytes > 0);
  const pass = (hours: number): void => {
    world.surroundings.advance(hours * HOUR_MS);
    world.gateway.time = world.gateway.time.add({ hours });
  };
  return { world, brake, signals, checkIn, told, measured, hasAsked, pass };
}

describe('a campaign policy', () => {
  it('installs at once where all that it asks for is so', async (test) => {
    const endsAt = '2026-06-02T00:00:00Z';
    const window = { from: '11:00', to: '13:00' };
    const { checkIn, told } = await offered(test, { ...CHARGED, window, endsAt, network: 'wifi' });
    assert.equal(await checkIn(), 'installed');
    assert.equal(told()['state'], undefined);
  });
  it('holds the change-over until its condition is met, and tells what was measured', async (test) => {
    const { brake, signals, checkIn, told, measured } = await offered(test, CHARGED);
    signals.values.set(CHARGE, 20);
    assert.equal(await checkIn(), 'CAMPAIGN_CONDITIONS');
    assert.equal(told()['state'], 'PRECONDITION');
    assert.equal(measured(CHARGE), 20);
    assert.equal(brake.running, undefined);
    signals.values.delete(CHARGE);
    assert.equal(await checkIn(), 'CAMPAIGN_CONDITIONS');
    assert.equal(measured(CHARGE), 'missing');
    signals.values.set(CHARGE, 31);
    assert.equal(await checkIn(), 'installed');
  });
  it('is watched between its check and the first boot', async (test) => {
    const asked: string[] = [];
    const gate: ConditionsGate = {
      ...ALWAYS_GO,
      check: async (step, scope) => {
        asked.push(step);
        return await ALWAYS_GO.check(step, scope);
      },
    };
    const { world, brake, signals, checkIn } = await offered(test, CHARGED, { gate });
    const pause = async (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      world.surroundings.timer.schedule(100, resolve);
      await promise;
    };
    const status = brake.status.bind(brake);
    let isOver = false;
    brake.status = async () => {
      const answer = await status();
      if (asked.length >= 2 && !isOver) {
        isOver = true;
        signals.values.set(CHARGE, 20);
        // Each is a look of the watch: the time of the test passes with them.
        for (let count = 0; count < 20; count += 1) await pause();
      }
      return answer;
    };
    assert.equal(await checkIn(), 'CONDITIONS');
    assert.equal(isOver, true);
    assert.equal(brake.running, undefined);
    signals.values.set(CHARGE, 80);
    assert.equal(await checkIn(), 'installed');
  });
  it('is watched all through: no further ECU is begun once its condition has ended', async (test) => {
    const { brake, signals, checkIn, told } = await offered(test, CHARGED);
    const activate = brake.activate.bind(brake);
    brake.activate = async () => {
      await activate();
      signals.values.set(CHARGE, 20);
    };
    assert.equal(await checkIn(), 'CONDITIONS');
    assert.equal(told()['state'], 'PRECONDITION');
    // The T-BOX has not booted; the ECU that was begun stays on trial.
    assert.equal((await brake.status()).phase, 'trial');
    assert.equal(await checkIn(), 'CONDITIONS');
    signals.values.set(CHARGE, 80);
    assert.equal(await checkIn(), 'installed');
  });
  it('does not keep a vehicle from going back', async (test) => {
    let isBroken = false;
    const gate: ConditionsGate = {
      ...ALWAYS_GO,
      check: async (step, scope) =>
        isBroken && step === 'boot-self'
          ? { isGo: false, reason: 'never again' }
          : await ALWAYS_GO.check(step, scope),
    };
    const { brake, signals, checkIn } = await offered(test, CHARGED, { gate });
    const activate = brake.activate.bind(brake);
    brake.activate = async () => {
      await activate();
      isBroken = true;
      signals.values.set(CHARGE, 20);
    };
    let last = '';
    for (let count = 0; count < 16 && last !== 'failed'; count += 1) last = await checkIn();
    assert.equal(last, 'failed');
    assert.equal(brake.running, undefined);
    assert.notEqual((await brake.status()).phase, 'trial');
  });
  it('begins nothing when it cannot be read, and says so', async (test) => {
    const conditions = [{ id: 'campaign', wanted: 'it', expression: 'Vehicle.Mood == "good"' }];
    const { world, checkIn, told, measured, hasAsked } = await offered(test, { conditions });
    assert.equal(await checkIn(), 'POLICY_UNREADABLE');
    assert.equal(told()['state'], 'PRECONDITION');
    assert.equal(measured('code'), 'CONDITION_SIGNAL');
    const refusals = world.progress.flatMap((event) =>
      event.kind === 'refused' ? [event.code] : [],
    );
    assert.deepEqual(refusals, ['POLICY_UNREADABLE']);
    assert.equal(hasAsked(), false);
  });
  it('waits for its hours at the vehicle, with all downloaded, and goes on within them', async (test) => {
    const window = { from: '22:00', to: '05:00' };
    const { brake, checkIn, told, measured, hasAsked, pass } = await offered(test, { window });
    // It is noon in UTC, where nobody has said where the vehicle is.
    assert.equal(await checkIn(), 'WINDOW_CLOSED');
    assert.equal(told()['state'], 'AWAITING_WINDOW');
    assert.equal(measured('until'), '2026-06-01T22:00:00Z');
    assert.equal(hasAsked(), true);
    assert.equal(brake.running, undefined);
    pass(10);
    assert.equal(await checkIn(), 'installed');
  });
  it('fetches nothing by a network that is not allowed or not known', async (test) => {
    const { signals, checkIn, told, measured, hasAsked } = await offered(test, { network: 'wifi' });
    for (const network of ['metered', 'unmetered', undefined]) {
      if (network === undefined) signals.values.delete(NETWORK);
      else signals.values.set(NETWORK, network);
      assert.equal(await checkIn(), 'NETWORK_METERED');
      assert.equal(told()['state'], 'AWAITING_NETWORK');
      assert.equal(measured('network'), network ?? 'unknown');
    }
    assert.equal(hasAsked(), false);
    signals.values.set(NETWORK, 'wifi');
    assert.equal(await checkIn(), 'installed');
  });
  it('breaks a download off when the network becomes another, and goes on from there', async (test) => {
    const { world, signals, checkIn } = await offered(test, { network: 'unmetered' });
    const { progress } = world;
    const push = progress.push.bind(progress);
    progress.push = (event) => {
      if (event.kind === 'download') signals.values.set(NETWORK, 'metered');
      return push(event);
    };
    assert.equal(await checkIn(), 'NETWORK_METERED');
    const last = progress.findLast((event) => event.kind === 'download');
    assert.ok(last !== undefined && last.receivedBytes > 0);
    assert.ok(last.receivedBytes < last.lengthBytes, 'it was broken off within an image');
    progress.push = push;
    signals.values.set(NETWORK, 'unmetered');
    assert.equal(await checkIn(), 'installed');
  });
  it('goes by the hours of the place that the vehicle is told', async (test) => {
    const rules = { ...DEFAULT_RULES, timeZone: 'Asia/Shanghai' };
    const window = { from: '19:00', to: '21:00' };
    const { checkIn } = await offered(test, { window }, { rules });
    assert.equal(await checkIn(), 'installed');
    const elsewhere = await offered(test, { window });
    assert.equal(await elsewhere.checkIn(), 'WINDOW_CLOSED');
  });
  it('installs what is on the disk by whatever network there is then', async (test) => {
    const policy = { ...CHARGED, network: 'unmetered' };
    const { signals, checkIn } = await offered(test, policy);
    signals.values.set(NETWORK, 'unmetered').set(CHARGE, 20);
    assert.equal(await checkIn(), 'CAMPAIGN_CONDITIONS');
    signals.values.set(NETWORK, 'metered').set(CHARGE, 80);
    assert.equal(await checkIn(), 'installed');
  });
  it('begins nothing after its end', async (test) => {
    const endsAt = '2026-06-01T12:30:00Z';
    const { pass, signals, brake, checkIn, told } = await offered(test, { ...CHARGED, endsAt });
    signals.values.set(CHARGE, 20);
    assert.equal(await checkIn(), 'CAMPAIGN_CONDITIONS');
    signals.values.set(CHARGE, 80);
    pass(1);
    assert.equal(await checkIn(), 'CAMPAIGN_ENDED');
    assert.equal(told()['state'], 'AWAITING_REPORT');
    assert.equal(brake.running, undefined);
  });
  it('finishes after its end what was begun before it', async (test) => {
    const endsAt = '2026-06-01T12:30:00Z';
    const { pass, signals, brake, checkIn } = await offered(test, { ...CHARGED, endsAt });
    const activate = brake.activate.bind(brake);
    brake.activate = async () => {
      await activate();
      signals.values.set(CHARGE, 20);
    };
    assert.equal(await checkIn(), 'CONDITIONS');
    pass(1);
    signals.values.set(CHARGE, 80);
    assert.equal(await checkIn(), 'installed');
  });
});
