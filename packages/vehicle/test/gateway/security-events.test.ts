import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GATEWAY_EVENT_FILTER, type SecurityEvents } from '@immota/vehicle';
import { openEvents, readEvent, refusal } from '../support/event-world.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { testSurroundings } from '../support/surroundings.ts';

describe('openSecurityEvents()', () => {
  it('numbers and signs each refusal, and keeps it over a restart', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2, 3]) events.report(refusal(id));
    await events.close();
    const again = await openEvents(disk);
    const told = (await again.list(10)).map((stored) => readEvent(stored));
    assert.deepEqual(told[0], {
      sequence: 1,
      ...refusal(1),
      definition: 0x8001,
      count: 1,
      time: { source: 'oem', seconds: 1_795_338_000, nanoseconds: 500_000_000 },
    });
    assert.deepEqual(idsOf(told), [1, 2, 3]);
    again.report(refusal(4));
    await again.flush();
    const last = (await again.list(10)).at(-1);
    assert.ok(last !== undefined);
    assert.equal(readEvent(last)['sequence'], 4);
  });

  it('hands events out in order, as many as asked for, until they are acknowledged', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2, 3, 4, 5, 6]) events.report(refusal(id));
    await events.flush();
    assert.deepEqual(await sequences(events, 2), [1, 2]);
    await events.acknowledge(2);
    assert.deepEqual(await sequences(events, 3), [3, 4, 5]);
    await events.acknowledge(1);
    assert.deepEqual(await sequences(events, 10), [3, 4, 5, 6]);
    await events.acknowledge(6);
    assert.deepEqual(await sequences(await openEvents(disk), 10), []);
  });

  it('refuses an acknowledgement of what there is not', async () => {
    const events = await openEvents(new SimulatedDisk());
    events.report(refusal(1));
    await events.flush();
    for (const sequence of [2, -1, 0.5, Number.NaN]) {
      await assert.rejects(events.acknowledge(sequence), { code: 'EVENTS_UNKNOWN' });
    }
    await events.acknowledge(1);
  });

  it('keeps the oldest when it is full, and tells how many had no room', async () => {
    const events = await openEvents(new SimulatedDisk());
    for (let id = 0; id < 40; id += 1) {
      events.report(refusal(id));
      await events.flush();
    }
    const kept = await sequences(events, 100);
    assert.ok(kept.length >= 6 && kept.length < 20, `${kept.length}`);
    assert.deepEqual(
      kept,
      Array.from(kept, (_, index) => index + 1),
    );
    await events.acknowledge(kept.length);
    events.report(refusal(99));
    await events.flush();
    const [next] = await events.list(10);
    assert.ok(next !== undefined);
    const { sequence, dropped, id } = readEvent(next);
    assert.deepEqual(
      { sequence, dropped, id },
      {
        sequence: kept.length + 1,
        dropped: 40 - kept.length,
        id: 99,
      },
    );
    events.report(refusal(100));
    await events.flush();
    const last = (await events.list(10)).at(-1);
    assert.ok(last !== undefined && readEvent(last)['dropped'] === undefined);
  });

  it('goes round its files for ever while somebody acknowledges', async () => {
    const disk = new SimulatedDisk();
    let events = await openEvents(disk);
    for (let id = 1; id <= 100; id += 1) {
      events.report(refusal(id));
      await events.flush();
      const stored = await events.list(10);
      assert.deepEqual(
        stored.map(({ sequence }) => sequence),
        [id],
      );
      if (id % 7 === 0) events = await openEvents(disk);
      await events.acknowledge(id);
    }
    for (const name of ['events-0', 'events-1', 'events-2']) {
      assert.ok((disk.read(name)?.length ?? 0) <= 1200);
    }
  });

  it('survives a disk that fails for a while, without a gap in the numbers', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    events.report(refusal(1));
    await events.flush();
    const broken = new SimulatedDisk(1);
    const files = {
      isBroken: true,
      openToRead: async (name: string) => disk.openToRead(name),
      openToWrite: async (name: string) => (files.isBroken ? broken : disk).openToWrite(name),
      syncNames: async () => disk.syncNames(),
    };
    files.isBroken = false;
    const again = await openEvents(disk, { files });
    files.isBroken = true;
    again.report(refusal(2));
    await again.flush();
    files.isBroken = false;
    again.report(refusal(3));
    await again.flush();
    const told = (await again.list(10)).map((stored) => readEvent(stored));
    assert.deepEqual(
      told.map(({ sequence, id, dropped }) => [sequence, id, dropped]),
      [
        [1, 1, undefined],
        [2, 3, 1],
      ],
    );
  });

  it('tells that events are gone when a file in their midst is damaged', async () => {
    const size = { segments: 4, segmentBytes: 1200 };
    const disk = new SimulatedDisk();
    const events = await openEvents(disk, { size });
    for (let id = 1; id <= 13; id += 1) {
      events.report(refusal(id));
      await events.flush();
    }
    const before = await sequences(events, 100);
    disk.damage('events-1', 60);
    const again = await openEvents(disk, { size });
    await again.flush();
    const told = (await again.list(100)).map((stored) => readEvent(stored));
    const gone = before.length + 1 - told.length;
    assert.ok(gone > 0);
    const last = told.at(-1);
    assert.equal(last?.['definition'], 0x8020);
    assert.equal(last['lost'], gone);
    assert.equal(last['sequence'], 14);
  });

  it('gives no number twice when the newest file is damaged', async () => {
    const size = { segments: 4, segmentBytes: 1200 };
    const disk = new SimulatedDisk();
    const events = await openEvents(disk, { size });
    for (let id = 1; id <= 7; id += 1) {
      events.report(refusal(id));
      await events.flush();
    }
    disk.damage('events-1', 3);
    const again = await openEvents(disk, { size });
    await again.flush();
    const last = (await again.list(100)).at(-1);
    assert.ok(last !== undefined && last.sequence > 7);
    assert.equal(readEvent(last)['definition'], 0x8020);
    assert.ok(Number(readEvent(last)['lost']) > 0);
  });

  it('never takes damaged files, or acknowledgements without events, for a new memory', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    events.report(refusal(1));
    await events.flush();
    disk.damage('events-0', 3);
    await assert.rejects(openEvents(disk), { code: 'EVENTS_CORRUPT' });
    disk.damage('events-0', 3);
    await (await openEvents(disk)).acknowledge(1);
    disk.lose('events-0');
    await assert.rejects(openEvents(disk), { code: 'EVENTS_CORRUPT' });
  });

  it('gives no number again that was acknowledged, even when the record of it is gone', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2]) events.report(refusal(id));
    await events.flush();
    await events.acknowledge(2);
    disk.damage('events-0', 50);
    const again = await openEvents(disk);
    again.report(refusal(3));
    await again.flush();
    assert.deepEqual(
      (await again.list(10)).map(({ sequence }) => sequence),
      [3],
    );
    assert.deepEqual(await sequences(await openEvents(disk), 10), [3]);
  });

  it('brings nothing to life that lay behind a record that was cut off', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2]) events.report(refusal(id));
    await events.flush();
    // The first of two records that were written together did not reach the disk, the second did.
    disk.damage('events-0', 70);
    const again = await openEvents(disk);
    again.report(refusal(3));
    await again.flush();
    const told = (await (await openEvents(disk)).list(10)).map((stored) => readEvent(stored));
    assert.deepEqual(idsOf(told), [3]);
  });

  it('hands out again rather than forgets when the last acknowledgement is damaged', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2, 3, 4]) events.report(refusal(id));
    await events.flush();
    await events.acknowledge(1);
    await events.acknowledge(3);
    disk.damage('events-ack-1', 9);
    assert.deepEqual(await sequences(await openEvents(disk), 10), [2, 3, 4]);
  });

  it('takes no record whose number is not the next', async () => {
    const disk = new SimulatedDisk();
    const events = await openEvents(disk);
    for (const id of [1, 2]) events.report(refusal(id));
    await events.flush();
    const whole = disk.read('events-0');
    assert.ok(whole !== undefined);
    const recordBytes = (whole.length - 48) / 2;
    const file = await disk.openToWrite('events-0');
    await file.write(whole.subarray(48 + recordBytes), 48);
    await file.truncate(48 + recordBytes);
    await file.sync();
    assert.deepEqual(await sequences(await openEvents(disk), 10), []);
  });

  it('does not grow in a flood, and sums it', async () => {
    const surroundings = testSurroundings();
    const events = await openEvents(new SimulatedDisk(), {
      timer: { ...surroundings.timer, schedule: () => () => undefined },
      filter: GATEWAY_EVENT_FILTER,
    });
    for (let id = 0; id < 100_000; id += 1) events.report(refusal(id % 0x7ff));
    await events.close();
    events.report(refusal(1));
    const told = (await events.list(100)).map((stored) => readEvent(stored));
    assert.deepEqual(
      told.map(({ count }) => count),
      [1, 0xffff],
    );
  });

  it('tells the rest of a second when it is over', async () => {
    const surroundings = testSurroundings();
    const events = await openEvents(new SimulatedDisk(), {
      timer: surroundings.timer,
      filter: GATEWAY_EVENT_FILTER,
    });
    for (const id of [1, 2, 3]) events.report(refusal(id));
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    await events.flush();
    const told = (await events.list(100)).map((stored) => readEvent(stored));
    assert.deepEqual(
      told.map(({ id, count }) => [id, count]),
      [
        [1, 1],
        [2, 2],
      ],
    );
    await events.close();
  });

  it('is silent in states that a filter names, and tells how many it kept to itself', async () => {
    const rule = { mode: 'detailed', blockedIn: ['workshop'] } as const;
    const events = await openEvents(new SimulatedDisk(), {
      filter: { rules: new Map([[0x8001, rule]]) },
    });
    events.enterState('workshop');
    events.report(refusal(1));
    events.enterState('drive');
    events.report(refusal(2));
    await events.flush();
    const told = (await events.list(10)).map((stored) => readEvent(stored));
    assert.deepEqual(
      told.map(({ id, dropped }) => [id, dropped]),
      [[2, 1]],
    );
  });

  it('keeps no more in memory than it may while a signature is slow', async () => {
    const gate = Promise.withResolvers<void>();
    const disk = new SimulatedDisk();
    const template = await openEvents(disk);
    await template.close();
    const events = await openEvents(disk, {
      size: { segments: 8, segmentBytes: 20_000 },
      signer: {
        algorithm: 'ed25519',
        publicKeyDer: new Uint8Array(),
        sign: async () => {
          await gate.promise;
          return new Uint8Array(64).fill(1);
        },
      },
    });
    for (let id = 0; id < 500; id += 1) events.report(refusal(id));
    gate.resolve();
    await events.close();
    assert.ok((await events.list(1000)).length <= 64 + 16);
  });
});

async function sequences(events: SecurityEvents, countMax: number): Promise<readonly number[]> {
  const stored = await events.list(countMax);
  for (const one of stored) readEvent(one);
  return stored.map(({ sequence }) => sequence);
}

function idsOf(told: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  return told.map(({ id }) => id);
}
