/** One law: what the database finds by a query is what CEL itself says of every vehicle. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import * as fc from 'fast-check';
import { type FleetVehicle, parseFleetQuery } from '../../src/fleet/query/fleet-query.ts';
import { CloudFault } from '../../src/fault.ts';
import { MIGRATIONS } from '../../src/schema/migrations.ts';
import type { CloudSchema } from '../../src/schema/tables.ts';
import { insertRandomFleet, loadFleet } from './random-fleet.ts';

const NOW = Temporal.Instant.from('2026-11-22T10:00:00Z');
const RUNS = 400;

let test: TestDatabase<CloudSchema>;
let fleet: readonly FleetVehicle[];
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  await insertRandomFleet(test.database, { vehicles: 80, now: NOW });
  fleet = await loadFleet(test.database);
});
after(() => test.drop());

const texts = fc.constantFrom('"X1"', '"DE"', '"a"', '"hw-1"', '"hw-1/2"', '""', '"é"', '"x.y"');
const numbers = fc.constantFrom('0', '1', '2', '-1', '1.5', '2.0');
const spans = fc.constantFrom('duration("0s")', 'duration("36h")', 'duration("-1.5h")');
const times = fc.oneof(
  fc.constantFrom('now', 'timestamp("2026-11-20T00:00:00Z")'),
  spans.map((span) => `(now - ${span})`),
  spans.map((span) => `(vehicle.lastSeen - ${span})`),
  fc.constant('vehicle.lastSeen'),
);
const tags = fc.constantFrom(
  'vehicle.tags.fleet',
  'vehicle.tags.n',
  'vehicle.tags.flag',
  'vehicle.tags.list',
  'vehicle.tags.map',
  'vehicle.tags["list"][0]',
  'vehicle.tags.map.inner',
  'vehicle.tags.missing',
  'vehicle.tags.nothing',
  'vehicle.tags',
);
const fields = fc.constantFrom('vehicle.id', 'vehicle.vin', 'vehicle.model', 'vehicle.market');
const orders = fc.constantFrom('<', '<=', '>', '>=');
const equals = fc.constantFrom('==', '!=');
const calls = fc.constantFrom('startsWith', 'endsWith', 'contains');
const patterns = fc.constantFrom('"^X\\\\d$"', '"hw-[0-9]/(?:1|2)"', '"."', '"^$"', '"[^a-z]+é?"');
const lists = fc.constantFrom('["X1", "DE", "a"]', '[]', '[1, 2.0, "a", true, null]');

const textOf = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(part, equals, texts).map((all) => all.join(' ')),
    fc.tuple(texts, equals, part).map((all) => all.join(' ')),
    fc.tuple(part, orders, texts).map((all) => all.join(' ')),
    fc.tuple(part, calls, texts).map(([left, call, right]) => `${left}.${call}(${right})`),
    fc.tuple(part, patterns).map(([left, pattern]) => `${left}.matches(${pattern})`),
    fc.tuple(part, lists).map(([left, list]) => `${left} in ${list}`),
    fc.tuple(part, orders, numbers).map(([left, order, n]) => `size(${left}) ${order} ${n}`),
  );
const jsonOf = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    textOf(part),
    part,
    fc
      .tuple(part, equals, fc.constantFrom('1', '1.5', 'true', 'null', '["a", 1]', '[]'))
      .map((all) => all.join(' ')),
    fc.tuple(part, orders, numbers).map((all) => all.join(' ')),
    fc.tuple(part, equals, part).map((all) => all.join(' ')),
    fc.tuple(part, equals, fields).map((all) => all.join(' ')),
    fc
      .tuple(fc.constantFrom('"a"', '1', 'true'), part)
      .map(([left, right]) => `${left} in ${right}`),
    fc
      .tuple(part, fc.constantFrom('hardware', 'images'))
      .map(([left, list]) => `${left} in vehicle.${list}`),
    part.map((one) => `has(${one}.inner)`),
  );

const loops = fc.constantFrom('exists', 'all', 'exists_one');
const { condition } = fc.letrec<{ condition: string; loop: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    textOf(fields),
    jsonOf(tags),
    fc.tuple(times, fc.oneof(orders, equals), times).map((all) => all.join(' ')),
    fc
      .tuple(times, times, orders, spans)
      .map(([a, b, order, span]) => `${a} - ${b} ${order} ${span}`),
    fc
      .tuple(texts, fc.constantFrom('hardware', 'images', 'rxswins'))
      .map(([t, list]) => `${t} in vehicle.${list}`),
    fc.constantFrom(
      'vehicle.registered',
      'vehicle.quarantined',
      'has(vehicle.lastSeen)',
      'true',
      'false',
      '"RX 1" in vehicle.rxswins',
    ),
    fc.tuple(orders, numbers).map((all) => `vehicle.ecus.size() ${all.join(' ')}`),
  ),
  loop: fc.oneof(
    fc
      .tuple(loops, ecuCondition('e'), ecuCondition('f'))
      .map(([loop, body, filter]) => `vehicle.ecus.filter(f, ${filter}).${loop}(e, ${body})`),
    fc.tuple(loops, ecuCondition('e')).map(([loop, body]) => `vehicle.ecus.${loop}(e, ${body})`),
    fc
      .tuple(
        loops,
        fc.constantFrom('vehicle.tags.list', 'vehicle.tags.map', 'vehicle.tags.fleet'),
        jsonOf(fc.constant('t')),
      )
      .map(([loop, over, body]) => `${over}.${loop}(t, ${body})`),
    fc
      .tuple(loops, textOf(fc.constantFrom('c.id', 'c.state', 'c.reason', 'c.name')))
      .map(([loop, body]) => `vehicle.campaigns.${loop}(c, ${body})`),
    fc
      .tuple(ecuCondition('f'), orders, numbers)
      .map(([filter, order, n]) => `vehicle.ecus.filter(f, ${filter}).size() ${order} ${n}`),
    fc
      .tuple(loops, loops, equals)
      .map(
        ([a, b, eq]) =>
          `vehicle.ecus.${a}(e, vehicle.ecus.${b}(f, e.image ${eq} f.image && e.id != f.id))`,
      ),
  ),
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    tie('loop'),
    tie('condition').map((one) => `!(${one})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) && (${b})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) || (${b})`),
    fc
      .tuple(tie('leaf'), tie('condition'), tie('condition'))
      .map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    fc.tuple(tie('leaf'), equals, tie('leaf')).map(([a, eq, b]) => `(${a}) ${eq} (${b})`),
  ),
}));

function ecuCondition(name: string): fc.Arbitrary<string> {
  return fc.oneof(
    textOf(
      fc
        .constantFrom('id', 'hardware', 'image', 'sha256', 'attacks')
        .map((field) => `${name}.${field}`),
    ),
    fc.constantFrom('primary', 'missing').map((field) => `${name}.${field}`),
    fc.constantFrom(
      `has(${name}.since)`,
      `${name}.since < now`,
      `${name}.id == vehicle.tags.fleet`,
    ),
    jsonOf(tags),
  );
}

async function found(text: string): Promise<readonly string[]> {
  const rows = await test.database.kysely
    .selectFrom('vehicle as v')
    .select('v.vehicle_id')
    .where(parseFleetQuery(text, NOW).sql('v'))
    .orderBy('v.vehicle_id')
    .execute();
  return rows.map(({ vehicle_id: id }) => id);
}

describe('FleetQuery.sql()', () => {
  it('finds the vehicles of which CEL says that they are meant, for any query', async () => {
    let compiled = 0;
    let decided = 0;
    await fc.assert(
      fc.asyncProperty(condition, async (text) => {
        let query: ReturnType<typeof parseFleetQuery>;
        try {
          query = parseFleetQuery(text, NOW);
        } catch (error) {
          assert.ok(error instanceof CloudFault && error.code === 'QUERY_MALFORMED', String(error));
          return;
        }
        compiled += 1;
        const meant = fleet
          .filter((vehicle) => query.matches(vehicle))
          .map(({ vehicleId }) => vehicleId);
        if (meant.length > 0 && meant.length < fleet.length) decided += 1;
        assert.deepEqual(await found(text), meant);
      }),
      { numRuns: RUNS },
    );
    assert.ok(compiled > RUNS / 2, `only ${compiled} of ${RUNS} queries could be asked`);
    assert.ok(decided > RUNS / 10, `only ${decided} queries told vehicles apart`);
  });

  it('lets no word of a query into the text of a statement', () => {
    const words = fc.stringMatching(/^[ -~]{1,12}$/).map((word) => `zq'";--${word}qz`);
    const places = fc.constantFrom<(word: string) => string>(
      (word) => `vehicle.model == ${word}`,
      (word) => `vehicle.tags[${word}] == ${word}`,
      (word) => `has(vehicle.tags.a) && vehicle.tags.a.startsWith(${word})`,
      (word) => `${word} in vehicle.images || ${word} in vehicle.tags`,
      (word) => `vehicle.market in [${word}, "b"]`,
      (word) => `vehicle.ecus.exists(e, e.image.contains(${word}) || e.hardware < ${word})`,
      (word) => `vehicle.rxswins.exists(r, r == ${word})`,
    );
    fc.assert(
      fc.property(words, places, (word, place) => {
        const query = parseFleetQuery(place(JSON.stringify(word)), NOW);
        const { sql: statement, parameters } = query.sql('v').compile(test.database.kysely);
        assert.ok(!statement.includes('zq'), statement);
        assert.ok(JSON.stringify(parameters).includes('zq'));
        assert.match(statement, /^[\w\s.,$()"'<>=!:|\->?@#{}[\]~*/+&;-]*$/);
      }),
    );
  });
});
