import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Database, openDatabase, sql } from '../../src/index.ts';
import { openTestDatabase } from '../../src/testing.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** PostgreSQL keeps the years -4712 to 294276 in microseconds. */
const instants = fc
  .bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
  .map((microseconds) => Temporal.Instant.fromEpochNanoseconds(microseconds * 1000n));
/** PostgreSQL has no NUL in text. */
const texts = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));

interface Row {
  readonly at: Temporal.Instant;
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly times: readonly Temporal.Instant[];
  readonly numbers: readonly number[];
  readonly pieces: readonly Uint8Array[];
}

for (const kind of ['server', 'pglite'] as const) {
  describe(`values of ${kind}`, () => {
    let database: Database<unknown>;
    let close: () => Promise<void>;
    before(async () => {
      if (kind === 'server') {
        const test = await openTestDatabase();
        ({ database } = test);
        close = () => test.drop();
      } else {
        const folder = await makeFolder();
        // What is there decides: this folder belongs to PGlite.
        await mkdir(join(folder, 'pglite'));
        database = await openDatabase({ dataFolder: folder });
        close = async () => {
          await database.close();
          await removeFolder(folder);
        };
      }
      assert.equal(database.kind, kind);
    });
    after(() => close());

    it('come back as they went in', async () => {
      const row = fc.record({
        at: instants,
        number: fc.maxSafeInteger(),
        bytes: fc.uint8Array({ maxLength: 64 }),
        name: texts,
        times: fc.array(instants, { maxLength: 3 }),
        numbers: fc.array(fc.maxSafeInteger(), { maxLength: 3 }),
        pieces: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 }),
      });
      await fc.assert(
        fc.asyncProperty(row, async (given) => {
          const { rows } = await sql<Row>`select ${given.at}::timestamptz as at,
            ${given.number}::bigint as number, ${given.bytes}::bytea as bytes,
            ${given.name}::text as name, ${given.times}::timestamptz[] as times,
            ${given.numbers}::bigint[] as numbers, ${given.pieces}::bytea[] as pieces`.execute(
            database.kysely,
          );
          assert.deepEqual(plain(rows[0]), plain(given));
        }),
        { numRuns: 60 },
      );
    });

    it('are cut to microseconds, never moved into the future', async () => {
      const at = Temporal.Instant.from('2026-01-01T00:00:00.123456999Z');
      const { rows } = await sql<Pick<Row, 'at'>>`select ${at}::timestamptz as at`.execute(
        database.kysely,
      );
      assert.equal(rows[0]?.at.toString(), '2026-01-01T00:00:00.123456Z');
    });

    it('that a number or an instant cannot hold are refused', async () => {
      const refused = { code: 'VALUE_RANGE' };
      await assert.rejects(sql`select 9007199254740993::bigint`.execute(database.kysely), refused);
      await assert.rejects(sql`select 'infinity'::timestamptz`.execute(database.kysely), refused);
      const { rows } = await sql`select 9007199254740991::bigint as most`.execute(database.kysely);
      assert.deepEqual(rows, [{ most: Number.MAX_SAFE_INTEGER }]);
    });

    it('of days and times without a zone stay text', async () => {
      const { rows } = await sql`select '2026-02-03'::date as day,
        '2026-02-03 04:05'::timestamp as time`.execute(database.kysely);
      assert.deepEqual(rows, [{ day: '2026-02-03', time: '2026-02-03 04:05:00' }]);
    });
  });
}

function plain(row: Row | undefined): unknown {
  return {
    ...row,
    at: row?.at.toString(),
    bytes: hex(row?.bytes),
    times: row?.times.map(String),
    pieces: row?.pieces.map(hex),
  };
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
