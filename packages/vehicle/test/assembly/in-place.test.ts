/** Deltas for ECUs with one bank, over the whole vehicle: rehearsed, carried over a CAN bus, applied in place. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type DeltaSource, deltaSourceOf, makeDelta } from '@immota/image';
import { type Car, hardwareOf, makeCar, runs } from '../support/wired-car.ts';
import type { TestImage, World } from '../support/world.ts';

type TargetDescription = ReturnType<World['describe']>;

const DOOR = 'DOOR-1';
const FIRST = `${DOOR}/fw-2.bin`;
const NEXT = `${DOOR}/fw-3.bin`;

interface Update {
  readonly car: Car;
  readonly first: TestImage;
  readonly next: TestImage;
  /** Milliseconds for which the body bus carried the full first image. */
  readonly fullBusyMs: number;
  /** Checks in. @returns what was asked of the images, and how long the bus was busy. */
  readonly run: () => Promise<{ readonly asked: readonly string[]; readonly busyMs: number }>;
}

/** A Director that assigns an image as it is in the clear. */
function inTheClear(target: TargetDescription): TargetDescription {
  const { encryption: _, ...custom } = target.custom ?? {};
  return { ...target, custom };
}

/** A car whose door runs a first image, and is assigned the next one. */
async function makeUpdate(test: TestContext, isEncrypted: boolean): Promise<Update> {
  const car = await makeCar(test);
  const { world, primary, network } = car;
  const edit = isEncrypted ? undefined : inTheClear;
  const busyMs = (): number => network.buses.get('body')?.busyMs ?? 0;
  const first = await world.addImage(FIRST, hardwareOf(DOOR), { lengthBytes: 60_000 });
  await world.assign({ [DOOR]: first }, {}, edit);
  const idleMs = busyMs();
  assert.equal((await primary.checkIn()).kind, 'installed');
  const fullBusyMs = busyMs() - idleMs;
  const from = { from: first, releaseCounter: 2 };
  const next = await world.addImage(NEXT, hardwareOf(DOOR), from);
  await world.assign({ [DOOR]: next }, {}, edit);
  const run = async (): Promise<{ asked: readonly string[]; busyMs: number }> => {
    const [before, beforeMs] = [world.gateway.requests.length, busyMs()];
    const result = await primary.checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    assert.equal(runs(world)[DOOR], NEXT);
    const paths = world.gateway.paths().slice(before);
    const asked = paths.flatMap((path) => /targets\/(.*)$/.exec(path)?.[1] ?? []);
    return { asked, busyMs: busyMs() - beforeMs };
  };
  return { car, first, next, fullBusyMs, run };
}

/** What asks for the full image; under the name that carries its hash this gateway has none. */
function fullOnes(asked: readonly string[]): readonly string[] {
  return asked.filter((path) => /\/fw-3\.bin(?:\.enc)?$/.test(path));
}

/** Replaces every delta that the door could be given. */
function replaceDeltas({ car, first }: Update, delta: (is: Uint8Array) => Uint8Array): void {
  const { images } = car.world.gateway;
  const base = first.plain.hashes.get('sha256') ?? '';
  for (const [name, bytes] of images) {
    if (name.endsWith(`.delta-from-${base}.pages-11`)) images.set(name, delta(bytes));
  }
}

/** A sound delta that says it gives one image, and gives another. */
function forge({ first, next }: Update): Uint8Array {
  const { lengthBytes } = next.plain;
  let readBytes = 0;
  const image: DeltaSource = {
    lengthBytes,
    read(offsetBytes, into): void {
      into.set(next.plainBytes.subarray(offsetBytes, offsetBytes + into.length));
      // The first time through it is hashed.
      if (readBytes >= lengthBytes && offsetBytes === 0) into[0] = (into[0] ?? 0) ^ 1;
      readBytes += into.length;
    },
  };
  const pair = { base: deltaSourceOf(first.plainBytes), image };
  return Buffer.concat([...makeDelta(pair, { level: 3, pageBytes: 2048 })]);
}

describe('a delta for an ECU with one bank', () => {
  it('is rehearsed and carried instead of the full image, which nobody downloads {uptane K8}', async (test) => {
    const update = await makeUpdate(test, false);
    const { asked, busyMs } = await update.run();
    assert.deepEqual(fullOnes(asked), []);
    assert.ok(asked.some((path) => path.endsWith('.pages-11')));
    test.diagnostic(
      `bus busy: ${Math.round(update.fullBusyMs)} ms full, ${Math.round(busyMs)} ms delta`,
    );
    assert.ok(busyMs < update.fullBusyMs * 0.7, `${busyMs} of ${update.fullBusyMs}`);
    // What the rehearsal gave is the way back of the next update: it is rehearsed on.
    const { world, primary } = update.car;
    const from = { from: update.next, releaseCounter: 3 };
    const third = await world.addImage(`${DOOR}/fw-4.bin`, hardwareOf(DOOR), from);
    await world.assign({ [DOOR]: third }, {}, inTheClear);
    const before = world.gateway.requests.length;
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.equal(runs(world)[DOOR], `${DOOR}/fw-4.bin`);
    const paths = world.gateway.paths().slice(before);
    assert.ok(!paths.some((path) => path.endsWith('fw-4.bin')));
  });

  it('is opened inside the ECU where its image is encrypted, which is downloaded as the way back {uptane B11}', async (test) => {
    const update = await makeUpdate(test, true);
    const { asked, busyMs } = await update.run();
    assert.equal(fullOnes(asked).length, 1);
    test.diagnostic(
      `bus busy: ${Math.round(update.fullBusyMs)} ms full, ${Math.round(busyMs)} ms delta`,
    );
    assert.ok(busyMs < update.fullBusyMs * 0.7, `${busyMs} of ${update.fullBusyMs}`);
  });

  const wrong: Readonly<
    Record<
      string,
      readonly [code: string, spoil: (update: Update) => (is: Uint8Array) => Uint8Array]
    >
  > = {
    'was changed': [
      'DELTA_SECTION',
      () => (is) => is.map((byte, at) => (at === 300 ? byte ^ 1 : byte)),
    ],
    'gives another image': ['DELTA_RESULT', (update) => () => forge(update)],
    'was cut': ['TRUNCATED', () => (is) => is.slice(0, -5)],
  };
  for (const [what, [code, spoil]] of Object.entries(wrong)) {
    it(`is given to nobody when it ${what}: the full image is {uptane I5}`, async (test) => {
      const update = await makeUpdate(test, false);
      replaceDeltas(update, spoil(update));
      const { asked, busyMs } = await update.run();
      assert.equal(fullOnes(asked).length, 1);
      assert.ok(busyMs > update.fullBusyMs * 0.9);
      assert.ok(update.car.world.lastAttacks().includes(code), update.car.world.lastAttacks());
    });
  }

  it('gives way to the full image at hand when the ECU refuses it', async (test) => {
    const update = await makeUpdate(test, true);
    replaceDeltas(update, (is) => is.map((byte, at) => (at === 400 ? byte ^ 1 : byte)));
    const { asked } = await update.run();
    assert.equal(fullOnes(asked).length, 1);
    const told = update.car.world.lastReport(DOOR)['attacks_detected'];
    assert.match(JSON.stringify(told), /CHUNK_AUTHENTICATION/);
  });

  it('is not asked for when the Primary has lost what the ECU runs', async (test) => {
    const update = await makeUpdate(test, false);
    rmSync(join(update.car.world.pathOf('primary'), 'installed'), { recursive: true });
    const { asked } = await update.run();
    assert.deepEqual(
      asked.filter((path) => path.includes('.delta-from-')),
      [],
    );
    assert.equal(fullOnes(asked).length, 1);
  });
});
