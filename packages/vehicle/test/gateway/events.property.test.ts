import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as holds,
  asyncProperty,
  constantFrom,
  nat,
  record,
  uint8Array,
} from 'fast-check';
import { GatewayFault } from '@immota/vehicle';
import { EVENT_FILES, openEvents, readEvent, refusal } from '../support/event-world.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

describe('openSecurityEvents(), over any files', () => {
  it('opens them or says that they are damaged, and gives out nothing that it did not sign', async () => {
    const file = record({
      name: constantFrom(...EVENT_FILES),
      bytes: uint8Array({ maxLength: 200 }),
    });
    await holds(
      asyncProperty(array(file, { maxLength: 5 }), async (files) => {
        const disk = new SimulatedDisk();
        for (const { name, bytes } of files) await write(disk, name, bytes);
        const events = await openEvents(disk).catch((error: unknown) => {
          assert.ok(error instanceof GatewayFault && error.code === 'EVENTS_CORRUPT');
        });
        if (events === undefined) return;
        events.report(refusal(1));
        await events.flush();
        for (const stored of await events.list(100)) readEvent(stored);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps numbers rising over any history of reports, acknowledgements and restarts', async () => {
    const step = record({ kind: constantFrom('report', 'acknowledge', 'restart'), pick: nat(5) });
    await holds(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const disk = new SimulatedDisk();
        let events = await openEvents(disk);
        let acknowledged = 0;
        let highest = 0;
        for (const { kind, pick } of steps) {
          if (kind === 'restart') events = await openEvents(disk);
          if (kind === 'report') {
            events.report(refusal(pick));
            await events.flush();
          }
          const told = (await events.list(1000)).map(({ sequence }) => sequence);
          assert.deepEqual(
            told,
            Array.from(told, (_, index) => acknowledged + 1 + index),
          );
          highest = Math.max(highest, told.at(-1) ?? 0);
          assert.ok(told.length === 0 || told.at(-1) === highest);
          if (kind !== 'acknowledge') continue;
          acknowledged = Math.max(acknowledged, Math.min(highest, acknowledged + pick));
          await events.acknowledge(acknowledged);
        }
        for (const name of EVENT_FILES) assert.ok((disk.read(name)?.length ?? 0) <= 1200);
      }),
      { numRuns: 40 },
    );
  });
});

async function write(disk: SimulatedDisk, name: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.openToWrite(name);
  await file.truncate(0);
  await file.write(bytes, 0);
  await file.sync();
  await disk.syncNames();
}
