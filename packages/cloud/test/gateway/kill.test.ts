/** The power of the cloud fails in the middle of manifests: what it acknowledged is there afterwards. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DeviceCredentials } from '@immota/pki';
import { verifyStream } from '../../src/index.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { deviceClient } from '../support/client.ts';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import { TestVehicle } from '../support/vehicle.ts';

const VEHICLES = 6;
const ROUNDS = 3;
const FIXTURE = join(import.meta.dirname, '../fixture/serve.ts');

let cloud: TestCloud;
const fleet: { vehicle: TestVehicle; credentials: DeviceCredentials; acknowledged: number }[] = [];
before(async () => {
  cloud = await startTestCloud();
  for (let index = 0; index < VEHICLES; index += 1) {
    const vehicle = new TestVehicle(`veh-${index}`, [[`TBOX-${index}`, 'tbox-hw']]);
    const credentials = await cloud.credentials(vehicle.id);
    const registration = vehicle.registration();
    const { context } = cloud.running.cloud;
    await registerEcus(context, vehicle.id, { registration, policy: 'approve' });
    fleet.push({ vehicle, credentials, acknowledged: 0 });
  }
});
after(() => cloud.close());

async function startChild(): Promise<{ child: ChildProcess; origin: string }> {
  const { folder, databaseUrl = '' } = cloud.options;
  const child = spawn(process.execPath, [FIXTURE, folder, databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(child.stdout !== null);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, origin: line.toString().trim() };
}

describe('a cloud that is killed', () => {
  it('has lost no manifest that it acknowledged, and no link of its log', async () => {
    const { context } = cloud.running.cloud;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { child, origin } = await startChild();
      let answers = 0;
      const died = once(child, 'exit');
      await Promise.all(
        fleet.map(async (member) => {
          const client = deviceClient(origin, member.credentials, true);
          while (child.exitCode === null && child.signalCode === null) {
            const body = await member.vehicle.manifest();
            const { counter = 0 } = member.vehicle.primary;
            try {
              const answer = await client.ask('PUT', '/director/manifest', { body });
              assert.equal(answer.status, 200);
              member.acknowledged = counter;
              answers += 1;
            } catch (error) {
              if (error instanceof assert.AssertionError) throw error;
              break;
            }
            // In the middle of others' manifests, at another point each time.
            if (answers === 20 + 7 * round) child.kill('SIGKILL');
          }
          client.close();
        }),
      );
      child.kill('SIGKILL');
      await died;
      for (const { vehicle, acknowledged } of fleet) {
        const row = await context.database.kysely
          .selectFrom('ecu')
          .select('report_counter')
          .where('vehicle_id', '=', vehicle.id)
          .executeTakeFirstOrThrow();
        assert.ok((row.report_counter ?? 0) >= acknowledged, `${vehicle.id} in round ${round}`);
        await verifyStream(context.database, vehicle.id);
      }
    }
    assert.ok(fleet.every(({ acknowledged }) => acknowledged > 0));
  });
});
