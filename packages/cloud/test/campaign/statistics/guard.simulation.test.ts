/** Ten thousand campaigns and more, looked at after each report: how often the guard holds, and whether it should. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  findBroken,
  type GuardState,
  NOTHING_KNOWN,
} from '../../../src/campaign/statistics/campaign-guard.ts';
import { detectableRate } from '../../../src/campaign/statistics/detectable-rate.ts';

const CAMPAIGNS = 10_000;
const VEHICLES = 300;
const DESIGN = { failureMax: 0.02, harmMax: 0.02, falseHolds: 0.05 };
const FAILURE_SEQUENCE = { expected: DESIGN.failureMax, alpha: DESIGN.falseHolds / 2 };
/** Four standard deviations of a share of ten thousand: a right guard fails this once in 30,000 seeds. */
const CHANCE = 4 * Math.sqrt((0.2 * 0.8) / CAMPAIGNS);

const seed = Number(process.env['SEED'] ?? 1);
const told: string[] = [];

/** Mulberry32: good enough to toss coins with, and the same everywhere. */
function coinsOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Truth {
  readonly failing: number;
  readonly unhealthy: number;
  readonly controlUnhealthy: number;
}

/** Runs campaigns with a true rate each. @returns the share of them that was ever held. */
function shareHeld(truth: Truth, coins: () => number, campaigns = CAMPAIGNS): number {
  let held = 0;
  for (let campaign = 0; campaign < campaigns; campaign += 1) {
    if (isHeld(truth, coins)) held += 1;
  }
  return held / campaigns;
}

function isHeld(truth: Truth, coins: () => number): boolean {
  let state = NOTHING_KNOWN;
  const add = (known: GuardState['updates'], rate: number): GuardState['updates'] => ({
    outcomes: known.outcomes + 1,
    bad: known.bad + (coins() < rate ? 1 : 0),
  });
  for (let vehicle = 0; vehicle < VEHICLES; vehicle += 1) {
    const { updates, treated, control } = state;
    state = {
      updates: add(updates, truth.failing),
      treated: add(treated, truth.unhealthy),
      control: vehicle % 4 === 0 ? add(control, truth.controlUnhealthy) : control,
    };
    if (findBroken(state, DESIGN) !== undefined) return true;
  }
  return false;
}

describe('the guard of a campaign', () => {
  after(() => console.log(`seed ${seed}: ${told.join('; ')}`));

  it('holds at most as many healthy campaigns as stated, however often it looks', () => {
    const coins = coinsOf(seed);
    // The worst that is still allowed: failures at the limit, and health as that of the untouched ones.
    const share = shareHeld({ failing: 0.02, unhealthy: 0.1, controlUnhealthy: 0.1 }, coins);
    told.push(
      `${share} of ${CAMPAIGNS} campaigns at their limits held, stated ${DESIGN.falseHolds}`,
    );
    assert.ok(share <= DESIGN.falseHolds, String(share));
  });

  it('holds hardly any campaign that is far within its limits', () => {
    const share = shareHeld(
      { failing: 0.005, unhealthy: 0.02, controlUnhealthy: 0.02 },
      coinsOf(seed + 1),
    );
    told.push(`${share} far within`);
    assert.ok(share < 0.005, String(share));
  });

  it('finds a harm of the stated size as surely as stated', () => {
    const rate = detectableRate({
      limit: DESIGN.failureMax,
      design: FAILURE_SEQUENCE,
      outcomes: VEHICLES,
      power: 0.8,
    });
    assert.ok(rate !== undefined);
    const share = shareHeld(
      { failing: rate, unhealthy: 0, controlUnhealthy: 0 },
      coinsOf(seed + 2),
    );
    told.push(`failures of ${rate.toFixed(4)} found in ${share}, stated 0.8`);
    assert.ok(Math.abs(share - 0.8) < CHANCE, String(share));
  });

  it('holds nearly every campaign that makes vehicles ill', () => {
    const share = shareHeld(
      { failing: 0, unhealthy: 0.5, controlUnhealthy: 0.02 },
      coinsOf(seed + 3),
      500,
    );
    told.push(`harm of half the vehicles found in ${share}`);
    assert.ok(share > 0.99, String(share));
  });
});
