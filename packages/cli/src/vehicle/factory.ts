/** Makes a vehicle: what its factory would put into the T-BOX and into each ECU {uptane H1}. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '@immota/cloud';
import { parseVehicleIdentifier } from '@immota/uptane';
import {
  createVehicleLinkCredentials,
  encodeTopology,
  saveLinkCredential,
  saveSecondaryBundle,
  type VehicleTopology,
} from '@immota/vehicle';
import { writeDevice } from '../commands/pki.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import type { EcuPlan } from './ecu-plan.ts';
import { writeParkedSignals } from './simulated-car.ts';
import { ensureWorkshop, WORKSHOPS_FILE, WORKSHOPS_FOLDER } from './workshop.ts';

/** How a vehicle is wired, beside the folders of its ECUs. */
export const TOPOLOGY_FILE = 'topology.json';

/** A vehicle to be made. */
export interface VehiclePlan {
  readonly vehicleId: string;
  readonly folder: string;
  readonly tboxHardware: string;
  readonly secondaries: readonly EcuPlan[];
  readonly profile: 'classic' | 'hybrid';
  /** Where the gateway is, and where wake-ups come from. */
  readonly server: string;
  readonly wake: string | undefined;
  /** Its wiring; undefined where T-BOX and ECUs speak TLS with each other, as those of a fleet do. */
  readonly topology: VehicleTopology | undefined;
}

/**
 * Makes a vehicle's folders: `tbox/`, `ecus/ID/` for each ECU, and its wiring.
 *
 * @throws PkiFault DEVICE_ID, CloudFault.
 */
export async function makeVehicle(
  context: CommandContext,
  cloud: Cloud,
  plan: VehiclePlan,
): Promise<void> {
  const { vehicleId, folder, secondaries, profile } = plan;
  const vehicleIdentifier = parseVehicleIdentifier(vehicleId);
  const tbox = join(folder, 'tbox');
  await writeDevice(context, cloud, { id: vehicleId, folder: tbox });
  // Whom it lets approve what it must not do by itself; without it, such updates wait for ever.
  const workshops = await ensureWorkshop(join(cloud.folder.root, WORKSHOPS_FOLDER), context);
  writeFileSync(join(tbox, WORKSHOPS_FILE), workshops);
  const builtAt = context.clock.now().round('second').toString();
  const configuration = {
    server: plan.server,
    ecuIdentifier: `${vehicleId}-tbox`,
    hardwareIdentifier: plan.tboxHardware,
    vehicleIdentifier: vehicleId,
    ...(plan.wake === undefined ? {} : { wake: plan.wake }),
    builtAt,
    profile,
  };
  writeFileSync(join(tbox, 'config.json'), `${JSON.stringify(configuration, undefined, 2)}\n`);
  const credentials = await createVehicleLinkCredentials({
    vehicleIdentifier,
    secondaries: secondaries.map(({ ecuIdentifier }) => ecuIdentifier),
    entropy: context.entropy,
  });
  saveLinkCredential(join(tbox, 'link'), credentials.primary);
  if (plan.topology !== undefined) {
    writeFileSync(join(folder, TOPOLOGY_FILE), encodeTopology(plan.topology));
    writeParkedSignals(folder);
  }
  for (const ecu of secondaries) {
    const credential = credentials.secondaries.get(ecu.ecuIdentifier);
    if (credential === undefined) throw new CliFault('USAGE', 'Cannot make ECU: no credential');
    const own = join(folder, 'ecus', ecu.ecuIdentifier);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    saveSecondaryBundle(own, {
      factory: {
        vehicleIdentifier,
        ecuIdentifier: ecu.ecuIdentifier,
        hardwareIdentifier: ecu.hardwareIdentifier,
        verification: ecu.verification,
        profile,
        builtAt: Temporal.Instant.from(builtAt),
        directorRoot: new Uint8Array(readFileSync(join(tbox, 'director', 'root.json'))),
        imageRoot: new Uint8Array(readFileSync(join(tbox, 'image', 'root.json'))),
      },
      credential,
    });
  }
}
