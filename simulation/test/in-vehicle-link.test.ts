import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SecondaryEcu } from '@immota/vehicle';
import { Chance } from '../chance.ts';
import { Ecu } from '../ecu.ts';
import { Faults, type LinkFault } from '../faults.ts';
import { Forger } from '../forger.ts';
import { ECU_KINDS, makeImages } from '../images.ts';
import { InVehicleLink } from '../in-vehicle-link.ts';
import { SimulatedTime } from '../simulated-time.ts';
import { Story } from '../story.ts';

/** A chance of which a link draws a certain fault at once, and every time. */
function faultsOf(kind: LinkFault): Faults {
  const faults = new Faults(new Chance('link'));
  faults.drawLink = () => kind;
  return faults;
}

describe('InVehicleLink', () => {
  it('has nobody answer when an attack in the same call cost the ECU its power', async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'immota-link-'));
    test.after(() => rmSync(folder, { recursive: true }));
    const time = new SimulatedTime();
    const faults = faultsOf('link-activated');
    const story = new Story(time);
    const shared = { time, faults, story, images: await makeImages() };
    const [own, other] = ECU_KINDS.map(
      (kind) => new Ecu(shared, new Chance(kind.suffix), kind, { vehicleId: 'V1', folder }),
    );
    assert.ok(own !== undefined && other !== undefined);
    await own.switchOn();
    let running: SecondaryEcu | undefined;
    let asked = 0;
    const gone = (): Promise<never> => {
      running = undefined;
      return Promise.reject(new TypeError('database is not open'));
    };
    running = {
      // What it is told to do by the attacker ends it; what the T-BOX asks then must not reach the remains.
      activate: () => gone().catch(() => undefined),
      status: () => {
        asked += 1;
        return gone();
      },
    } as unknown as SecondaryEcu;
    const chance = new Chance('way');
    const forger = new Forger(chance);
    const setup = { ...shared, chance, forger, primary: own, ecu: other, find: () => running };
    const identifier = other.identifier as InVehicleLink['ecuIdentifier'];
    const link = new InVehicleLink(setup, identifier, []);
    const answer = assert.rejects(link.status(), { code: 'ECU_UNREACHABLE' });
    await time.runUntil(() => false, 1000).catch(() => undefined);
    await answer;
    assert.equal(asked, 0);
  });
});
