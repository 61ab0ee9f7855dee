import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { signReport } from '@immota/uptane';
import { ALWAYS_GO, type CheckInResult, type SecondaryLink, VehicleFault } from '@immota/vehicle';
import type { BenchSecondary } from '../support/bench-secondary.ts';
import { BRAKE, makeWorld, objectAt, TBOX, type World } from '../support/world.ts';

const UNREACHABLE = new VehicleFault('ECU_UNREACHABLE', 'Cannot reach "BRAKE-1": no answer');

async function prepared(test: Parameters<typeof makeWorld>[0]): Promise<{
  readonly world: World;
  readonly brake: BenchSecondary;
  readonly checkIn: () => Promise<CheckInResult>;
  readonly assign: () => Promise<void>;
  /** How often the vehicle was said to fit together. */
  readonly settled: () => number;
}> {
  const world = await makeWorld(test, { hasSecondary: true });
  let settled = 0;
  const settle = async (): Promise<void> => {
    await Promise.resolve();
    settled += 1;
  };
  const primary = await world.run({ gate: { ...ALWAYS_GO, settle } });
  await primary.checkIn();
  const { secondary } = world;
  assert.ok(secondary !== undefined);
  const own = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  const image = await world.addImage('brake/fw-2.bin', 'brake-hw');
  return {
    world,
    brake: secondary,
    settled: () => settled,
    checkIn: () => primary.checkIn(),
    assign: () => world.assign({ [TBOX]: own, [BRAKE]: image }),
  };
}

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

function resultsOf(result: CheckInResult): unknown {
  return 'results' in result ? result.results.map(({ ecu, code }) => `${ecu} ${code}`) : result;
}

/** The codes of all results that the Director was told, oldest first. */
function toldCodes(world: World): readonly unknown[] {
  return world.gateway
    .bodies('/director/manifest')
    .map((body) => objectAt(body, ['signed', 'installation_report', 'report', 'result'])['code'])
    .filter((code) => code !== undefined);
}

function runs(world: World): unknown {
  return objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'];
}

describe('a Primary and its Secondaries', () => {
  it('hands over time and metadata even when nothing is to be installed {uptane I6}', async (test) => {
    const { world, brake, checkIn } = await prepared(test);
    world.gateway.time = world.gateway.time.add({ hours: 1 });
    await world.assignNothing();
    await checkIn();
    assert.equal(brake.time, world.gateway.time.toString());
  });
  it('hands metadata over once, and again only when they are others', async (test) => {
    const { world, brake, checkIn } = await prepared(test);
    let count = 0;
    const put = brake.putMetadata.bind(brake);
    brake.putMetadata = (bundle) => {
      count += 1;
      return put(bundle);
    };
    world.surroundings.advance(24 * 3_600_000);
    await checkIn();
    assert.equal(count, 0);
    await world.assignNothing();
    await checkIn();
    assert.equal(count, 1);
  });
  it('sends the Roots of the whole chain, for those that were away {uptane I6}', async (test) => {
    const { world, brake, checkIn } = await prepared(test);
    brake.broken.set('putMetadata', UNREACHABLE);
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await world.director.rotate({ targets: generateSigner('ed25519') });
      await world.assignNothing();
      await checkIn();
    }
    brake.broken.clear();
    await world.assignNothing();
    assert.equal((await checkIn()).kind, 'nothing-new');
  });
  it('waits for an ECU that does not answer, and installs nothing on the others', async (test) => {
    const { world, brake, checkIn, assign } = await prepared(test);
    await assign();
    for (const method of ['putMetadata', 'status', 'sendImage'] as const) {
      brake.broken.set(method, UNREACHABLE);
      assert.equal(codeOf(await checkIn()), 'ECU_UNREACHABLE', method);
      assert.equal(runs(world), 'unknown');
      assert.equal(objectAt(world.lastManifest(), ['custom', 'progress'])['state'], 'ECU_MISSING');
      brake.broken.clear();
    }
    assert.equal((await checkIn()).kind, 'installed');
  });
  it('leaves an ECU out of the manifest that does not answer or is not credible', async (test) => {
    const { world, brake, checkIn } = await prepared(test);
    const missing = (): boolean =>
      Object.keys(objectAt(world.lastManifest(), ['ecu_version_manifests'])).join() === TBOX;
    brake.broken.set('report', UNREACHABLE);
    await world.assignNothing();
    await checkIn();
    assert.ok(missing());
    brake.broken.clear();
    const report = brake.report.bind(brake);
    const recorded = await report('00'.repeat(16));
    // Recorded earlier; by a stranger's key; about another ECU.
    const forged = await signReport(
      {
        ecuIdentifier: brake.ecuIdentifier,
        installedImage: {
          name: world.image.pinnedRoot.length as never,
          lengthBytes: 0,
          hashes: new Map(),
        },
        attacksDetected: '',
        timeAttested: Temporal.Instant.from('2026-06-01T12:00:00Z'),
        timePrevious: Temporal.Instant.from('2026-06-01T12:00:00Z'),
        counter: 1,
        custom: {},
      },
      generateSigner('ed25519'),
    );
    for (const document of [recorded, forged]) {
      brake.report = () => Promise.resolve(document);
      await world.assignNothing();
      await checkIn();
      assert.ok(missing());
      assert.match(world.lastAttacks(), /ECU_UNTRUSTED/);
    }
    brake.report = report;
    await world.assignNothing();
    await checkIn();
    assert.ok(!missing());
  });
  it('takes no ECU for another', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const { secondary } = world;
    assert.ok(secondary !== undefined);
    const info = await secondary.getInfo();
    const impostor: SecondaryLink = Object.assign(secondary, {
      getInfo: () => Promise.resolve({ ...info, ecuIdentifier: world.bundle.ecuIdentifier }),
    });
    const primary = await world.run({ secondaries: [impostor] });
    await primary.checkIn();
    const [registration] = world.gateway.bodies('/director/ecus');
    assert.ok(!JSON.stringify(registration).includes(BRAKE));
    assert.match(world.lastAttacks(), /ECU_UNTRUSTED/);
  });
  it('reports what an ECU refused, and activates none {uptane J4}', async (test) => {
    const { world, brake, checkIn, assign } = await prepared(test);
    brake.broken.set('sendImage', new VehicleFault('ECU_REFUSED', 'Cannot take image: IMAGE_HASH'));
    await assign();
    const result = await checkIn();
    assert.deepEqual(resultsOf(result), [`${BRAKE} VERIFICATION_FAILED`]);
    const report = objectAt(world.lastManifest(), ['installation_report', 'report']);
    assert.equal(
      objectAt(report, ['result'])['code'],
      'brake-hw:VERIFICATION_FAILED|tbox-hw:OPERATION_CANCELLED',
    );
    assert.equal(runs(world), 'unknown');
  });
  it('reports an ECU that does not run its new image after boot, and tries no more than it may', async (test) => {
    const { world, brake, checkIn, assign } = await prepared(test);
    brake.bootsOld = true;
    await assign();
    let result = await checkIn();
    for (let count = 0; count < 4 && result.kind === 'failed'; count += 1) result = await checkIn();
    assert.equal(codeOf(result), 'ATTEMPTS_EXHAUSTED');
    // The T-BOX has not booted for a vehicle that does not come to its new state as a whole.
    assert.deepEqual(
      toldCodes(world),
      Array.from({ length: 3 }).map(() => 'brake-hw:INSTALL_FAILED|tbox-hw:OPERATION_CANCELLED'),
    );
    assert.equal(runs(world), 'unknown');
    assert.equal(brake.received.length, 3);
    const { state } = objectAt(world.lastManifest(), ['custom', 'progress']);
    assert.equal(state, 'INSTALL_FAILED');
    // Assigned once more without a break, it is the same; withdrawn and assigned again, it is meant.
    brake.bootsOld = false;
    await assign();
    assert.equal(codeOf(await checkIn()), 'ATTEMPTS_EXHAUSTED');
    await world.assignNothing();
    await checkIn();
    await assign();
    assert.equal((await checkIn()).kind, 'installed');
  });
  it('waits for the report of an ECU that is long in booting {uptane J4}', async (test) => {
    const { brake, checkIn, assign } = await prepared(test);
    const activate = brake.activate.bind(brake);
    brake.activate = async () => {
      await activate();
      brake.broken.set('status', UNREACHABLE);
      let left = 5;
      const status = brake.status.bind(brake);
      brake.status = () => {
        left -= 1;
        if (left === 0) brake.broken.clear();
        return status();
      };
    };
    await assign();
    assert.deepEqual(resultsOf(await checkIn()), [`${BRAKE} OK`, `${TBOX} OK`]);
  });
  it('declares a safe state for an ECU that never comes back, and makes good what it owes when it does', async (test) => {
    const { world, brake, checkIn, assign, settled } = await prepared(test);
    const activate = brake.activate.bind(brake);
    brake.activate = async () => {
      await activate();
      brake.broken.set('status', UNREACHABLE);
      brake.broken.set('report', UNREACHABLE);
    };
    await assign();
    let before = settled();
    // It is asked at each check-in until its silence is a failure, and then whether it went back.
    for (let count = 0; count < 10; count += 1) {
      assert.deepEqual(toldCodes(world), []);
      assert.equal(codeOf(await checkIn()), 'ECU_UNREACHABLE');
      // The first of them begins with what was settled before.
      if (count === 0) before = settled();
    }
    assert.equal(codeOf(await checkIn()), 'failed');
    assert.equal(settled(), before, 'a vehicle that needs a workshop is not let go');
    const told = 'brake-hw:WORKSHOP_REQUIRED|tbox-hw:OPERATION_CANCELLED';
    assert.deepEqual(toldCodes(world), [told]);
    assert.equal(runs(world), 'unknown');
    const [workshop] = objectAt(world.lastManifest(), ['custom', 'safeState'])[
      'needsWorkshop'
    ] as readonly { readonly ecu: string; readonly owes: string }[];
    assert.deepEqual([workshop?.ecu, workshop?.owes], [BRAKE, 'roll-back']);
    assert.equal(brake.running?.name, 'brake/fw-2.bin');
    brake.activate = activate;
    brake.broken.clear();
    await world.assignNothing();
    await checkIn();
    assert.equal(brake.running, undefined);
    assert.equal(objectAt(world.lastManifest(), ['custom'])['safeState'], undefined);
    assert.ok(settled() > before);
    await assign();
    assert.equal((await checkIn()).kind, 'installed');
  });
  it('goes on after the decision until the last ECU has heard of it, and after a lost activation', async (test) => {
    const { world, brake, checkIn, assign } = await prepared(test);
    await assign();
    brake.broken.set('confirm', UNREACHABLE);
    // The decision has fallen, so nothing goes back any more; the ECU is told as soon as it can be heard.
    assert.equal(codeOf(await checkIn()), 'ECU_UNREACHABLE');
    const { progress } = objectAt(world.lastManifest(), ['custom']);
    assert.deepEqual(
      objectAt({ progress: progress ?? null }, ['progress'])['state'],
      'AWAITING_REPORT',
    );
    assert.equal(objectAt(world.lastReport(BRAKE), ['custom'])['trial'], true);
    brake.broken.clear();
    assert.equal((await checkIn()).kind, 'installed');
    assert.equal(objectAt(world.lastReport(BRAKE), ['custom'])['trial'], false);
    // Somebody else activates what was prepared.
    await world.assign({ [BRAKE]: await world.addImage('brake/fw-9.bin', 'brake-hw') });
    brake.broken.set('activate', UNREACHABLE);
    await checkIn();
    brake.broken.clear();
    await brake.activate();
    assert.equal(brake.running?.name, 'brake/fw-9.bin');
    assert.equal((await checkIn()).kind, 'installed');
  });
  it('shares one download among the ECUs that install the same image', async (test) => {
    const { world, checkIn } = await prepared(test);
    const image = await world.addImage('brake/fw-3.bin', 'brake-hw');
    await world.assign({ [BRAKE]: image });
    await checkIn();
    const fetched = world.gateway.paths().filter((path) => path.includes('fw-3.bin.enc'));
    assert.equal(new Set(fetched).size, fetched.length);
  });
});
