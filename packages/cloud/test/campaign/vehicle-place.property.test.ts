import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REASONS } from '@immota/api';
import { parseVehicleIdentifier } from '@immota/uptane';
import * as fc from 'fast-check';
import {
  advancePlace,
  isActive,
  type Place,
  type PlaceRules,
} from '../../src/campaign/vehicle-place.ts';
import type { Observation } from '../../src/director/ports.ts';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';

const VEHICLES = ['v0', 'v1', 'v2'] as const;
const START = Temporal.Instant.from('2026-11-22T10:00:00Z');
const CAMPAIGN = '11111111-2222-3333-4444-555555555555';

const bodies = fc.oneof(
  fc.constantFrom(
    { kind: 'completed' } as const,
    { kind: 'offered' } as const,
    { kind: 'fetched' } as const,
  ),
  fc.record({
    kind: fc.constant('result' as const),
    isSuccess: fc.boolean(),
    code: fc.constantFrom('OK', 'a:INSTALL_FAILED', 'VERIFICATION_FAILED', 'OPERATION_CANCELLED'),
    description: fc.constant('in words'),
    ecus: fc.constant(new Map<string, never>()),
  }),
  fc.record({
    kind: fc.constant('progress' as const),
    state: fc.constantFrom(...Object.keys(REASONS), 'constructor', ''),
    measured: fc.constant({ speed: 1 }),
  }),
  fc
    .integer({ min: 1, max: 3 })
    .map((count) => ({ kind: 'refused-silently' as const, count, isFinal: count === 3 })),
  fc.record({
    kind: fc.constant('blocked' as const),
    reason: fc.constantFrom('NO_PATH' as const, 'ENCRYPTION_KEY_MISSING' as const),
  }),
  fc.record({
    kind: fc.constant('consent' as const),
    step: fc.constant('install' as const),
    decision: fc.constantFrom('accepted' as const, 'postponed' as const, 'declined' as const),
  }),
);

type Heard = Observation & { readonly vehicle: number; readonly runsRelease: boolean };

const observations = fc.array(
  fc
    .record({ body: bodies, vehicle: fc.nat(2), runsRelease: fc.boolean() })
    .map(({ body, vehicle, runsRelease }): Heard => ({
      ...body,
      vehicle,
      runsRelease,
      vehicleId: parseVehicleIdentifier(VEHICLES[vehicle] ?? 'v0'),
      at: START,
      correlationId: correlationOf(CAMPAIGN),
    })),
  { maxLength: 25 },
);

const fresh: Place = {
  state: 'targeted',
  reason: 'NOT_SEEN',
  measured: {},
  attempts: 0,
  since: START,
  stage: 'targeted',
  wave: 1,
  isControl: false,
  health: 'unknown',
  outcome: '',
  bootedAt: undefined,
  penaltyUntil: undefined,
  baseline: undefined,
};

const rules: PlaceRules = {
  campaignId: CAMPAIGN,
  attemptsMax: 3,
  penaltyHours: 0,
  soakMinutes: 0,
  isLive: true,
};

function advance(place: Place, one: Observation, runsRelease: boolean): Place {
  return advancePlace(place, one, { runsRelease }, rules);
}

describe('advancePlace()', () => {
  it('gives every vehicle that is not updated a reason, and an updated one none', () => {
    fc.assert(
      fc.property(observations, (heard) => {
        let place = fresh;
        for (const one of heard) {
          place = advance(place, one, one.runsRelease);
          assert.equal(place.reason === undefined, place.state === 'updated');
          assert.ok(place.reason === undefined || Object.hasOwn(REASONS, place.reason));
        }
      }),
    );
  });

  it('ends by signed reports alone, and what has ended stays so unless the car runs the release', () => {
    fc.assert(
      fc.property(observations, (heard) => {
        let place = fresh;
        for (const one of heard) {
          const next = advance(place, one, one.runsRelease);
          const runsIt = one.kind === 'completed' && one.runsRelease;
          if (!isActive(place) && !runsIt) assert.equal(next, place);
          if (next.state === 'updated' && place.state !== 'updated') assert.ok(runsIt);
          if (next.state === 'failed' && place.state !== 'failed') {
            const isFinal = one.kind === 'refused-silently' && one.isFinal;
            assert.ok(isFinal || (one.kind === 'result' && !one.isSuccess && next.attempts === 3));
          }
          place = next;
        }
      }),
    );
  });

  const given: Readonly<Record<string, readonly [code: string, reason: string]>> = {
    'an installation that failed': ['brake-hw:INSTALL_FAILED', 'INSTALL_FAILED'],
    'an ECU that failed beside others that were not begun': [
      'brake-hw:INSTALL_FAILED|tbox-hw:OPERATION_CANCELLED',
      'INSTALL_FAILED',
    ],
    'an ECU that needs a workshop': [
      'brake-hw:WORKSHOP_REQUIRED|door-hw:ROLLED_BACK',
      'INSTALL_FAILED',
    ],
    'an image that was refused': ['brake-hw:VERIFICATION_FAILED', 'VERIFICATION_FAILED'],
    'a download that failed': ['DOWNLOAD_FAILED', 'DOWNLOAD_FAILED'],
    'a code that nobody knows': ['whatever', 'INSTALL_FAILED'],
  };
  for (const [what, [code, reason]] of Object.entries(given)) {
    it(`counts ${what} as an attempt`, () => {
      const offered = { ...fresh, state: 'offered', reason: 'OFFERED' } as const;
      const next = advance(offered, { ...result, code }, false);
      assert.deepEqual([next.state, next.reason, next.attempts], ['offered', reason, 1]);
    });
  }

  it('waits for a technician in the vehicle’s own words, and takes no other reason from it', () => {
    const underWay = { ...fresh, state: 'in-flight', reason: 'AWAITING_REPORT' } as const;
    const { vehicleId, at, correlationId } = result;
    const said = { kind: 'progress', vehicleId, at, correlationId, measured: {} } as const;
    const waiting = advance(underWay, { ...said, state: 'AWAITING_TECHNICIAN' }, false);
    assert.deepEqual([waiting.state, waiting.reason], ['in-flight', 'AWAITING_TECHNICIAN']);
    assert.equal(advance(underWay, { ...said, state: 'NO_PATH' }, false), underWay);
  });

  it('counts no refusal of the owner as an attempt', () => {
    const offered = { ...fresh, state: 'in-flight', reason: 'AWAITING_REPORT' } as const;
    const next = advance(offered, { ...result, code: 'OPERATION_CANCELLED' }, false);
    assert.deepEqual(
      [next.state, next.reason, next.attempts],
      ['in-flight', 'CONSENT_DECLINED', 0],
    );
  });

  it('counts the attempts of each step for itself', () => {
    const tried = { ...fresh, attempts: 2 };
    const done = { ...result, kind: 'completed' } as const;
    assert.equal(advance(tried, done, false).attempts, 0);
  });

  it('keeps since when while nothing changes', () => {
    const later = START.add({ hours: 1 });
    const offered = { ...result, kind: 'offered', at: later } as const;
    const once = advance(fresh, offered, false);
    assert.equal(once.since, later);
    const again = advance(once, { ...offered, at: later.add({ hours: 1 }) }, false);
    assert.equal(again.since, later);
  });
});

const result = {
  kind: 'result',
  vehicleId: parseVehicleIdentifier('v0'),
  at: START,
  correlationId: correlationOf(CAMPAIGN),
  isSuccess: false,
  code: 'INSTALL_FAILED',
  description: '',
  ecus: new Map<string, never>(),
} as const;

describe('createCampaignObserver()', () => {
  let world: FleetWorld;
  let campaignId: string;
  before(async () => {
    world = await openFleetWorld();
    await world.publish([image('a/2', 'a-hw')]);
    const releaseId = await world.release(
      releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
    );
    // The last one waits for ever, so that the campaign never ends; nothing holds it.
    for (const id of [...VEHICLES, 'waits']) await world.register(id, [[`E-${id}`, 'a-hw']]);
    const guard = { failurePermilleMax: 1000 };
    const description = { name: 'c', releaseId, query: 'true', guard, createdBy: 'ann' };
    campaignId = await world.room.campaigns.create(description);
    await world.room.campaigns.start(campaignId, 'ann');
  });
  after(() => world.close());

  it('makes of a batch what the observations make one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(observations, fc.nat(25), async (heard, cut) => {
        await world.test.database.kysely
          .updateTable('campaign_vehicle')
          .set({ state: 'targeted', reason: 'NOT_SEEN', measured: {}, attempts: 0 })
          .execute();
        const own = heard.map((one) => ({ ...one, correlationId: correlationOf(campaignId) }));
        await world.observe(own.slice(0, cut));
        await world.observe(own.slice(cut));
        for (const [index, id] of VEHICLES.entries()) {
          // No ECU of these vehicles ever reported: none runs the release.
          const expected = own
            .filter(({ vehicle }) => vehicle === index)
            .reduce((place, one) => advance(place, one, false), fresh);
          const { state, reason, attempts, measured } = expected;
          assert.deepEqual(await world.place(id, campaignId), {
            state,
            reason: reason ?? null,
            attempts,
            measured,
          });
        }
      }),
      { numRuns: 30 },
    );
  });
});
