import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REASONS } from '@immota/api';
import * as fc from 'fast-check';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { CloudFault } from '../../src/fault.ts';
import { type CampaignFleet, NEW, OLD, openCampaignFleet } from '../support/campaign-fleet.ts';
import { installationReport } from '../support/vehicle.ts';

/** What may happen to a vehicle and to its campaign, in any order. */
const ACTIONS = [
  'report',
  'fetch',
  'install',
  'install-on-trial',
  'confirm',
  'roll-back',
  'other-bytes',
  'fail',
  'succeed-in-words',
  'lose-a-report',
  'pause',
  'start',
  'cancel',
  'advance',
] as const;
type Action = (typeof ACTIONS)[number];

let fleet: CampaignFleet;
before(async () => {
  fleet = await openCampaignFleet();
});
after(() => fleet.world.close());

let runs = 0;

/** Lives through some actions, and looks after each report. */
async function live(actions: readonly Action[]): Promise<void> {
  runs += 1;
  const { world } = fleet;
  const { campaigns } = world.room;
  const [vehicle] = await fleet.vehicles(1, `run${runs}-`);
  assert.ok(vehicle !== undefined);
  const { primary } = vehicle;
  const guard = { failurePermilleMax: 1000 };
  const campaignId = await fleet.started({ query: `vehicle.id == "${vehicle.id}"`, guard });
  const said = (code: string): { readonly report: ReturnType<typeof installationReport> } => ({
    report: installationReport(correlationOf(campaignId), code),
  });
  for (const action of actions) {
    const options = action === 'fail' ? said('a-hw:INSTALL_FAILED') : undefined;
    if (action === 'fetch') await world.director.load(vehicle.id, 'targets');
    if (action === 'advance') await campaigns.advance();
    if (action === 'pause' || action === 'start' || action === 'cancel') {
      await campaigns[action](campaignId, 'ann').catch((error: unknown) => {
        assert.ok(error instanceof CloudFault && error.code === 'CAMPAIGN_STATE', String(error));
      });
    }
    if (action === 'install' || action === 'install-on-trial') primary.image = NEW;
    if (action === 'install' || action === 'confirm') primary.isTrial = false;
    if (action === 'install-on-trial') primary.isTrial = true;
    if (action === 'other-bytes') primary.image = { name: 'a/2', bytes: Buffer.from('forged') };
    if (action === 'roll-back') {
      primary.image = OLD;
      primary.isTrial = false;
    }
    if (action === 'lose-a-report') {
      // It was made, and nobody ever heard of it.
      await vehicle.manifest();
      continue;
    }
    await world.report(vehicle, action === 'succeed-in-words' ? said('OK') : options);
    if (primary.isTrial) continue;
    const why = await fleet.why(vehicle.id);
    const runsIt = primary.image === NEW;
    assert.equal(why.state === 'updated' || why.state === 'not-needed', runsIt, why.state);
    assert.equal(why.reason === undefined, why.state === 'updated');
    assert.ok(why.reason === undefined || Object.hasOwn(REASONS, why.reason));
    assert.notEqual(why.text.nextStep, '');
  }
}

describe('a vehicle’s shown state', () => {
  it('differs from what its ECUs attest for no longer than one report, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ACTIONS), { maxLength: 14 }), live),
      { numRuns: 40 },
    );
  });
});
