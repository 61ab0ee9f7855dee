/** The vehicle's stop for a technician: before anything changes over, and before all of it becomes final. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject } from '@immota/base';
import type {
  CheckInResult,
  Primary,
  SecondaryLink,
  TechnicianCredential,
  TechnicianRequest,
} from '@immota/vehicle';
import { NOW } from '../support/surroundings.ts';
import {
  approve,
  BenchDesk,
  makeWorkshop,
  sha256Of,
  type Workshop,
} from '../support/technician.ts';
import { BRAKE, makeWorld, objectAt, TBOX, type TestImage, type World } from '../support/world.ts';

const CALIBRATE = { en: 'Calibrate the brake' };
const BEFORE = { technicianGated: [BRAKE] };
const AFTER = {
  technicianGated: [BRAKE],
  technician: [{ step: 'commit', ecus: [BRAKE], task: CALIBRATE }],
};

interface Scene {
  readonly world: World;
  readonly workshop: Workshop;
  readonly ann: TechnicianCredential;
  readonly desk: BenchDesk;
  readonly images: Readonly<Record<string, TestImage>>;
  primary: Primary;
}

async function setScene(test: TestContext, custom: JsonObject): Promise<Scene> {
  const world = await makeWorld(test, { hasSecondary: true });
  const workshop = await makeWorkshop();
  writeFileSync(join(world.bundleFolder, 'workshops.crt'), workshop.rootPem);
  const desk = new BenchDesk();
  const primary = await world.run({ technicians: desk, secondaries: brakeOf(world) });
  await primary.checkIn();
  const images = {
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw'),
    [BRAKE]: await world.addImage('brake/fw-2.bin', 'brake-hw'),
  };
  await world.assign(images, custom);
  return { world, workshop, ann: await workshop.hire('ann-17'), desk, images, primary };
}

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

async function checkIn({ primary }: Scene): Promise<string> {
  return codeOf(await primary.checkIn());
}

/** Ends the T-BOX's process, and starts another one on its disk. */
async function restart(scene: Scene): Promise<void> {
  await scene.primary.close();
  const { world, desk } = scene;
  scene.primary = await world.run({ technicians: desk, secondaries: brakeOf(world) });
}

/** The brake ECU, which goes on when the T-BOX's process ends. */
function brakeOf({ secondary }: World): readonly SecondaryLink[] {
  assert.ok(secondary !== undefined);
  const link = new Proxy<SecondaryLink>(secondary, {
    get: (target, name) => {
      if (name === 'close') return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return [link];
}

async function handIn(
  { desk, ann }: Scene,
  changes: Parameters<typeof approve>[2] = {},
  request: TechnicianRequest = desk.open,
): Promise<Uint8Array> {
  const bytes = await approve(request, ann, changes);
  desk.inbox.push(bytes);
  return bytes;
}

function runs(world: World): readonly string[] {
  return [TBOX, BRAKE].map((ecu) => {
    const report = world.lastReport(ecu);
    const { trial } = objectAt(report, ['custom']);
    const { filepath } = objectAt(report, ['installed_image']);
    assert.ok(typeof filepath === 'string' && typeof trial === 'boolean');
    return `${filepath} ${trial}`;
  });
}

const OLD = ['unknown false', 'noimage false'];
const NEW = ['tbox/fw-2.bin false', 'brake/fw-2.bin false'];
const TRIAL = ['tbox/fw-2.bin true', 'brake/fw-2.bin true'];

function waitsFor(world: World): unknown {
  return objectAt(world.lastManifest(), ['custom', 'progress'])['state'];
}

describe('a step that a technician has to stand by {R156 7.1.4.2}', () => {
  it('waits with everything prepared, over restarts, and goes on with a fresh approval', async (test) => {
    const scene = await setScene(test, BEFORE);
    const { world, desk } = scene;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(waitsFor(world), 'AWAITING_TECHNICIAN');
    assert.equal((await world.secondary?.status())?.phase, 'prepared');
    const { stop, images, challenge } = desk.open;
    assert.deepEqual(stop, { step: 'activate', ecus: [BRAKE], tasks: [] });
    assert.deepEqual(images.map(({ ecu }) => ecu).toSorted(), [BRAKE, TBOX]);
    await restart(scene);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(desk.open.challenge, challenge, 'it is the same stop');
    assert.deepEqual(runs(world), OLD);
    const bytes = await handIn(scene);
    assert.equal(await checkIn(scene), 'installed');
    assert.deepEqual(runs(world), NEW);
    assert.deepEqual(desk.answers, [{ sha256: sha256Of(bytes), code: 'ACCEPTED', message: '' }]);
    assert.equal(desk.request, undefined);
    const words = world.gateway
      .bodies('/director/manifest')
      .flatMap((body) => objectAt(body, ['signed', 'custom'])['technician'] ?? []);
    const [word] = words.flat();
    const { technician, approvalSha256 } = objectAt({ word: word ?? null }, ['word']);
    assert.deepEqual([technician, approvalSha256], ['ann-17', sha256Of(bytes)]);
    assert.equal(world.lastAttacks(), '""');
    assert.equal(words.length, 1);
  });

  it('refuses an approval that is wrong, expired, foreign or replayed, each with its code and an event', async (test) => {
    const scene = await setScene(test, BEFORE);
    const { world, desk, workshop } = scene;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    const stranger = await (await makeWorkshop()).hire('ann-17');
    const late = Temporal.Instant.from('2026-06-01T11:59:59Z');
    const yesterday = { from: late.subtract({ hours: 1 }), until: late };
    const attempts: readonly (readonly [string, Uint8Array])[] = [
      ['APPROVAL_MALFORMED', Buffer.from('{}')],
      ['APPROVAL_UNTRUSTED', await approve(desk.open, stranger)],
      ['APPROVAL_TIME', await approve(desk.open, scene.ann, yesterday)],
      ['APPROVAL_FOREIGN', await approve(desk.open, scene.ann, { vehicle: 'WVWZZZ2' })],
      ['APPROVAL_FOREIGN', await approve(desk.open, scene.ann, { step: 'commit' })],
      ['APPROVAL_FOREIGN', await approve(desk.open, scene.ann, { workSha256: '0'.repeat(64) })],
      ['APPROVAL_FOREIGN', await approve(desk.open, scene.ann, { challenge: '0'.repeat(64) })],
    ];
    for (const [code, bytes] of attempts) {
      desk.inbox.push(bytes);
      assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
      assert.equal(desk.codes.at(-1), code);
      assert.match(world.lastAttacks(), new RegExp(code));
    }
    assert.deepEqual(runs(world), OLD);
    const told = JSON.stringify(world.gateway.bodies('/events'));
    assert.match(told, /technician_refused/);
    assert.doesNotMatch(told, /technician_spoke/);
    // The very update again: another stop, which the first approval does not open.
    const used = await handIn(scene);
    world.isHealthy = false;
    assert.equal(await checkIn(scene), 'failed');
    world.isHealthy = true;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    desk.inbox.push(used);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(desk.codes.at(-1), 'APPROVAL_REPLAYED');
    assert.deepEqual(runs(world), OLD);
    desk.inbox.push(await approve(desk.open, await workshop.hire('bob-3')));
    assert.equal(await checkIn(scene), 'installed');
  });

  it('waits for ever in a vehicle whose factory has named no workshop', async (test) => {
    const scene = await setScene(test, BEFORE);
    writeFileSync(join(scene.world.bundleFolder, 'workshops.crt'), '');
    await assert.rejects(restart(scene), { code: 'BUNDLE_MALFORMED' });
    const { rootPem } = await makeWorkshop();
    writeFileSync(join(scene.world.bundleFolder, 'workshops.crt'), rootPem);
    await restart(scene);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    await handIn(scene);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.deepEqual(scene.desk.codes, ['APPROVAL_UNTRUSTED']);
  });

  it('asks again when the images change, and when the word has run out', async (test) => {
    const scene = await setScene(test, BEFORE);
    const { world, desk, images } = scene;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    await handIn(scene);
    const other = await world.addImage('brake/fw-3.bin', 'brake-hw');
    await world.assign({ ...images, [BRAKE]: other }, BEFORE);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.deepEqual(desk.codes, ['APPROVAL_FOREIGN']);
    assert.ok(desk.open.images.some(({ name }) => name === 'brake/fw-3.bin'));
    await handIn(scene, { until: Temporal.Instant.from('2026-06-01T12:30:00Z') });
    world.gateway.time = NOW.add({ hours: 1 });
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(desk.codes.at(-1), 'APPROVAL_TIME');
    assert.deepEqual(runs(world), OLD);
  });

  it('stops again before the end, holds the vehicle meanwhile, and makes all final after the work', async (test) => {
    const scene = await setScene(test, AFTER);
    const { world, desk } = scene;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.deepEqual(desk.open.stop, { step: 'activate', ecus: [BRAKE], tasks: [CALIBRATE] });
    const before = await handIn(scene);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(desk.open.stop.step, 'commit');
    await restart(scene);
    desk.inbox.push(before);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.equal(desk.codes.at(-1), 'APPROVAL_REPLAYED');
    assert.equal(waitsFor(world), 'AWAITING_TECHNICIAN');
    assert.deepEqual(runs(world), TRIAL);
    await handIn(scene);
    assert.equal(await checkIn(scene), 'installed');
    assert.deepEqual(runs(world), NEW);
  });

  it('takes all back when the technician says no after the work, and begins nothing on a no before it', async (test) => {
    const scene = await setScene(test, AFTER);
    const { world } = scene;
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    await handIn(scene, { decision: 'stop', reason: 'the lift is broken' });
    const early = await scene.primary.checkIn();
    assert.equal(early.kind, 'failed');
    assert.match(
      JSON.stringify(early),
      /TECHNICIAN_REFUSED.*ann-17 has said no: the lift is broken/,
    );
    assert.deepEqual(runs(world), OLD);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    await handIn(scene);
    assert.equal(await checkIn(scene), 'TECHNICIAN_PENDING');
    assert.deepEqual(runs(world), TRIAL);
    await handIn(scene);
    // A no counts, whichever of them was read first.
    await handIn(scene, { decision: 'stop', reason: 'it cannot be calibrated' });
    const late = await scene.primary.checkIn();
    assert.equal(late.kind, 'failed');
    assert.ok('results' in late);
    assert.deepEqual(late.results.map(({ ecu, code }) => `${ecu} ${code}`).toSorted(), [
      `${BRAKE} INSTALL_FAILED`,
      `${TBOX} ROLLED_BACK`,
    ]);
    assert.deepEqual(runs(world), OLD);
  });

  it('goes on for what was approved, and for nothing else, wherever the power is cut', async (test) => {
    const scene = await setScene(test, AFTER);
    const { world, desk } = scene;
    let left = Infinity;
    const onWrite = (): void => {
      left -= 1;
      if (left <= 0) throw new RangeError('the power is off');
    };
    /** One life of the T-BOX, which ends at a write of its state, or with the check-in. */
    const live = async (writes = Infinity): Promise<string> => {
      await scene.primary.close();
      left = writes;
      try {
        const secondaries = brakeOf(world);
        scene.primary = await world.run({ technicians: desk, secondaries, onWrite });
        return await checkIn(scene);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return 'cut';
      } finally {
        left = Infinity;
      }
    };
    let cuts = 0;
    for (const [round, writes] of [1, 2, 4, 6, 9, 13, 17, 20].entries()) {
      const release = round + 3;
      const name = `fw-${release}.bin`;
      const running = round === 0 ? OLD : runs(world);
      const images = {
        [TBOX]: await world.addImage(`tbox/${name}`, 'tbox-hw', { releaseCounter: release }),
        [BRAKE]: await world.addImage(`brake/${name}`, 'brake-hw', { releaseCounter: release }),
      };
      await world.assign(images, AFTER);
      const seen: string[] = [];
      for (let outcome = await live(); outcome === 'TECHNICIAN_PENDING'; outcome = await live()) {
        const { step } = desk.open.stop;
        const trial = [`tbox/${name} true`, `brake/${name} true`];
        assert.deepEqual(runs(world), step === 'activate' ? running : trial);
        const isFirst = !seen.includes(step);
        seen.push(step);
        await handIn(scene);
        if ((await live(isFirst ? writes : Infinity)) === 'cut') cuts += 1;
        // What it said then may have been lost, and is asked for again; it is never made up.
        assert.ok(seen.length < 6, seen.join());
      }
      assert.deepEqual(runs(world), [`tbox/${name} false`, `brake/${name} false`]);
      assert.deepEqual([seen[0], seen.at(-1)], ['activate', 'commit']);
    }
    test.diagnostic(`${cuts} cuts`);
    assert.ok(cuts >= 12);
  });
});
