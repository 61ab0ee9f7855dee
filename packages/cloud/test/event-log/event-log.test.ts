import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { sql, transaction } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { publicKeyFromDer } from '@immota/uptane';
import { eventLog } from '../../src/event-log/event-log.ts';
import {
  signCheckpoint,
  verifyCheckpoints,
  verifyStream,
} from '../../src/event-log/verify-stream.ts';
import { type CloudSchema, FLEET_STREAM, MIGRATIONS, type NewEvent } from '../../src/index.ts';
import { standingClock } from '../support/ports.ts';

let test: TestDatabase<CloudSchema>;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  await test.database.kysely
    .insertInto('vehicle')
    .values([{ vehicle_id: 'veh-1' }, { vehicle_id: 'veh-2' }])
    .execute();
});
after(() => test.drop());

const at = Temporal.Instant.from('2026-11-22T10:00:00.123456789Z');

function event(stream: string, count: number): NewEvent {
  return {
    stream,
    kind: 'vehicle.registered',
    at,
    body: { b: count, a: ['x', { z: 1, y: '\0' }] },
  };
}

function append(events: readonly NewEvent[]): Promise<void> {
  return transaction(test.database, (tx) => eventLog.append(tx, events), {
    isolation: 'read committed',
  });
}

describe('append()', () => {
  it('chains the events of each stream', async () => {
    await append([event('veh-1', 1), event(FLEET_STREAM, 1), event('veh-1', 2)]);
    await append([event('veh-1', 3)]);
    assert.equal((await verifyStream(test.database, 'veh-1')).sequence, 3);
    assert.equal((await verifyStream(test.database, FLEET_STREAM)).sequence, 1);
    assert.equal((await verifyStream(test.database, 'nobody')).sequence, 0);
  });

  it('keeps one chain when many append at once', async () => {
    const streams = [FLEET_STREAM, 'veh-2'];
    await Promise.all(
      Array.from({ length: 40 }, (_, count) =>
        append(streams.map((stream) => event(stream, count))),
      ),
    );
    assert.equal((await verifyStream(test.database, 'veh-2')).sequence, 40);
    assert.equal((await verifyStream(test.database, FLEET_STREAM)).sequence, 41);
  });

  it('leaves nothing behind when the change it records is undone', async () => {
    const work = transaction(test.database, async (tx) => {
      await eventLog.append(tx, [event('veh-1', 9)]);
      throw new RangeError('undone');
    });
    await assert.rejects(work, RangeError);
    assert.equal((await verifyStream(test.database, 'veh-1')).sequence, 3);
  });
});

describe('verifyStream()', () => {
  const changes = {
    'a changed body': sql`update event set body = '{"a": 1}' where stream = 'x' and sequence = 2`,
    'a changed instant': sql`update event set at = at + interval '1 ms' where stream = 'x' and sequence = 2`,
    'a changed kind': sql`update event set kind = 'ecu.installed' where stream = 'x' and sequence = 2`,
    'a missing event': sql`delete from event where stream = 'x' and sequence = 2`,
    'a missing first event': sql`delete from event where stream = 'x' and sequence = 1`,
    'swapped events': sql`update event set sequence = case sequence when 1 then 2 else 1 end
      where stream = 'x' and sequence < 3`,
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`refuses ${what}`, async () => {
      await test.database.kysely.deleteFrom('event').where('stream', '=', 'x').execute();
      await append([event('x', 1), event('x', 2), event('x', 3)]);
      await verifyStream(test.database, 'x');
      // Sequence numbers are unique: the swap goes by way of a copy.
      if (what === 'swapped events') {
        await sql`alter table event drop constraint event_pkey`.execute(test.database.kysely);
      }
      await change.execute(test.database.kysely);
      await assert.rejects(verifyStream(test.database, 'x'), { code: 'EVENT_CHAIN' });
      if (what === 'swapped events') {
        await sql`alter table event add primary key (stream, sequence)`.execute(
          test.database.kysely,
        );
      }
    });
  }
});

describe('verifyCheckpoints()', () => {
  const signer = generateSigner('ed25519');
  const key = publicKeyFromDer('ed25519', signer.publicKeyDer);
  const clock = standingClock();

  it('accepts a chain that still holds what was signed', async () => {
    await append([event('veh-3', 1), event('veh-3', 2)]);
    await signCheckpoint(test.database, 'veh-3', { signer, clock });
    await append([event('veh-3', 3)]);
    await signCheckpoint(test.database, 'veh-3', { signer, clock });
    assert.equal(await verifyCheckpoints(test.database, 'veh-3', key), 2);
    assert.equal(await signCheckpoint(test.database, 'empty', { signer, clock }), undefined);
  });

  it('refuses a chain that was cut or made anew', async () => {
    const { kysely } = test.database;
    await kysely
      .deleteFrom('event')
      .where('stream', '=', 'veh-3')
      .where('sequence', '=', 3)
      .execute();
    await assert.rejects(verifyCheckpoints(test.database, 'veh-3', key), { code: 'EVENT_CHAIN' });
    await kysely.deleteFrom('event').where('stream', '=', 'veh-3').execute();
    await append([event('veh-3', 7), event('veh-3', 8), event('veh-3', 9)]);
    await assert.rejects(verifyCheckpoints(test.database, 'veh-3', key), { code: 'EVENT_CHAIN' });
  });

  it('refuses a checkpoint of another key', async () => {
    const other = generateSigner('ed25519');
    const stranger = publicKeyFromDer('ed25519', other.publicKeyDer);
    await append([event('veh-4', 1)]);
    await signCheckpoint(test.database, 'veh-4', { signer, clock });
    await assert.rejects(verifyCheckpoints(test.database, 'veh-4', stranger), {
      code: 'REPORT_SIGNATURE',
    });
  });

  it('refuses a checkpoint of another stream', async () => {
    await append([event('veh-5', 1)]);
    await sql`insert into event_checkpoint
      select 'veh-5', sequence, document from event_checkpoint where stream = 'veh-4'`.execute(
      test.database.kysely,
    );
    await assert.rejects(verifyCheckpoints(test.database, 'veh-5', key), { code: 'EVENT_CHAIN' });
  });
});
