/** The Director's metadata, read as a vehicle reads them. */
import {
  AKTUALIZR,
  anchorRoot,
  advanceSnapshot,
  advanceTimestamp,
  advanceTargets,
  checkDirectorTargets,
  checkVehicle,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  keysOf,
  parseVehicleIdentifier,
  type Targets,
  TARGETS_ROLE,
  type Trusted,
} from '@immota/uptane';
import type { DirectorWorld } from './world.ts';

/** Verifies the three files as a vehicle would. */
export async function verifiedTargets(
  { director, store }: DirectorWorld,
  vehicleId: string,
): Promise<Trusted<Targets>> {
  const root = anchorRoot(
    decodeRoot(AKTUALIZR, store.director().root.bytes, store.director().root.bytes.length),
  );
  const timestamp = advanceTimestamp(
    root,
    undefined,
    decodeTimestamp(AKTUALIZR, (await director.load(vehicleId, 'timestamp')).bytes, 65_536),
  );
  const snapshot = advanceSnapshot(
    { root, timestamp, current: undefined },
    decodeSnapshot(AKTUALIZR, (await director.load(vehicleId, 'snapshot')).bytes, 65_536),
  );
  const signed = decodeTargets(AKTUALIZR, (await director.load(vehicleId, 'targets')).bytes, {
    role: TARGETS_ROLE,
    lengthMax: 65_536,
  });
  const info = snapshot.body.files.get(TARGETS_ROLE);
  const roleKeys = keysOf(root.body, 'targets');
  const context = { role: TARGETS_ROLE, keys: root.body.keys, roleKeys, info, current: undefined };
  const targets = advanceTargets(context, signed);
  checkDirectorTargets(targets.body);
  checkVehicle(targets.body, parseVehicleIdentifier(vehicleId));
  return targets;
}
