/**
 * The power fails at every operation of the memory of events, and again at every operation of the
 * recovery from it, with every choice of what had reached the disk.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENT_FILES, openEvents, readEvent, refusal } from '../support/event-world.ts';
import { PowerCut, SimulatedDisk, SURVIVALS } from '../support/simulated-disk.ts';

/** What was promised before the power failed. */
interface Promised {
  /** Numbers below are durable. */
  durable: number;
  acknowledged: number;
  /** One more may be on the disk, because it was being acknowledged. */
  acknowledging: number;
  /** The bytes of what was handed out, by number. */
  readonly seen: Map<number, string>;
}

/** Reports sixteen events, in pairs, and acknowledges most of them on the way. */
async function work(disk: SimulatedDisk, promised: Promised): Promise<void> {
  const events = await openEvents(disk);
  for (let pair = 0; pair < 8; pair += 1) {
    for (const id of [2 * pair, 2 * pair + 1]) events.report(refusal(id));
    await events.flush();
    for (const { sequence, bytes } of await events.list(100)) {
      promised.seen.set(sequence, Buffer.from(bytes).toString('hex'));
      promised.durable = Math.max(promised.durable, sequence);
    }
    if (pair % 3 !== 2) continue;
    promised.acknowledging = Math.max(0, promised.durable - 1);
    await events.acknowledge(promised.acknowledging);
    promised.acknowledged = promised.acknowledging;
  }
}

async function check(disk: SimulatedDisk, promised: Promised): Promise<void> {
  const events = await openEvents(disk);
  const stored = await events.list(1000);
  const told = stored.map((one) => {
    readEvent(one);
    const seen = promised.seen.get(one.sequence);
    if (seen !== undefined) assert.equal(Buffer.from(one.bytes).toString('hex'), seen);
    return one.sequence;
  });
  const first = told[0] ?? promised.acknowledging + 1;
  assert.ok(first === promised.acknowledged + 1 || first === promised.acknowledging + 1);
  assert.deepEqual(
    told,
    Array.from(told, (_, index) => first + index),
  );
  const last = told.at(-1) ?? promised.acknowledging;
  assert.ok(last >= promised.durable, `${last} is the last of ${promised.durable}`);
  await events.acknowledge(last);
  events.report(refusal(77));
  await events.flush();
  const [next] = await events.list(10);
  assert.ok(next !== undefined);
  assert.equal(readEvent(next)['sequence'], last + 1);
  assert.equal(readEvent(next)['id'], 77);
}

describe('openSecurityEvents(), when the power fails', () => {
  for (const [name, survives] of SURVIVALS) {
    it(`keeps what it promised, whatever reached the disk: ${name}`, async () => {
      const whole = new SimulatedDisk();
      await work(whole, fresh());
      assert.ok(whole.count > 100);
      for (let cutAt = 1; cutAt <= whole.count; cutAt += 1) {
        const disk = new SimulatedDisk(cutAt);
        const promised = fresh();
        await work(disk, promised).catch((error: unknown) => {
          assert.ok(error instanceof PowerCut, String(error));
        });
        await check(disk.afterCut(survives), promised);
        if (cutAt % 4 === 0) await cutRecovery(disk, promised, survives);
      }
    });
  }

  it('takes any file cut off anywhere for a shorter one', async () => {
    const promised = fresh();
    const whole = new SimulatedDisk();
    const events = await openEvents(whole);
    for (let id = 0; id < 3; id += 1) events.report(refusal(id));
    await events.flush();
    const length = whole.read('events-0')?.length ?? 0;
    let kept = 3;
    for (let end = length; end > 48; end -= 1) {
      const disk = await copyOf(whole);
      const file = await disk.openToWrite('events-0');
      await file.truncate(end);
      await file.sync();
      const again = await openEvents(disk);
      const told = await again.list(10);
      assert.ok(told.length === kept || told.length === kept - 1);
      kept = told.length;
      again.report(refusal(9));
      await again.flush();
      const last = (await again.list(10)).at(-1);
      assert.ok(last !== undefined && readEvent(last)['sequence'] === kept + 1);
    }
    assert.equal(kept, 0);
    assert.equal(promised.durable, 0);
  });

  it('gives out nothing that was altered at any byte', async () => {
    const whole = new SimulatedDisk();
    const events = await openEvents(whole);
    for (let id = 0; id < 2; id += 1) events.report(refusal(id));
    await events.flush();
    const stored = (await events.list(10)).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    const length = whole.read('events-0')?.length ?? 0;
    for (let position = 0; position < length; position += 1) {
      const disk = await copyOf(whole);
      disk.damage('events-0', position);
      const again = await openEvents(disk).catch((error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'EVENTS_CORRUPT');
      });
      if (again === undefined) continue;
      const told = (await again.list(10)).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
      assert.deepEqual(told, stored.slice(0, told.length));
    }
  });
});

/** Opens the memory again, and the power fails once more on the way. */
async function cutRecovery(
  disk: SimulatedDisk,
  promised: Promised,
  survives: (change: number, sector: number) => boolean,
): Promise<void> {
  for (let cutAt = 1; ; cutAt += 1) {
    const second = disk.afterCut(survives, cutAt);
    try {
      await openEvents(second);
      return;
    } catch (error) {
      assert.ok(error instanceof PowerCut, String(error));
      if (cutAt % 3 === 0) await check(second.afterCut(survives), promised);
    }
  }
}

async function copyOf(disk: SimulatedDisk): Promise<SimulatedDisk> {
  const copy = new SimulatedDisk();
  for (const name of EVENT_FILES) {
    const bytes = disk.read(name);
    if (bytes === undefined) continue;
    const file = await copy.openToWrite(name);
    await file.write(bytes, 0);
    await file.sync();
  }
  await copy.syncNames();
  return copy;
}

function fresh(): Promised {
  return { durable: 0, acknowledged: 0, acknowledging: 0, seen: new Map() };
}
