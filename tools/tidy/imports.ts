/** Judges imports: downward, through doors, with their endings, and out of the world where pure. */
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { findDoor, isCore, packageOf, type Room } from './house.ts';
import type { Source } from './source.ts';

/** What the judgement of an import needs to know of the house. */
export interface Plan {
  readonly rooms: ReadonlyMap<string, Room>;
  /** Every source file of every package, by its path relative to the root. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The third-party packages that the root declares, for tests and for folders outside packages. */
  readonly rootDependencies: ReadonlySet<string>;
}

/** What pure code may import from Node: arithmetic on bytes. */
const PURE_PERMITTED: ReadonlySet<string> = new Set(['node:crypto', 'node:zlib']);

/**
 * Judges one import of a file inside a package.
 *
 * @returns what is wrong with it, or undefined.
 */
export function findImportFault(
  plan: Plan,
  room: Room,
  file: string,
  specifier: string,
): string | undefined {
  const core = isCore(room, file);
  if (specifier.startsWith('.')) return findRelativeFault(room, file, specifier);
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return 'lacks its node:';
    return core && !PURE_PERMITTED.has(specifier) ? 'does I/O in a pure package' : undefined;
  }
  const name = packageOf(specifier);
  const { manifest } = room;
  const inSource = file.startsWith(`${room.folder}/src/`);
  if (name === manifest.name) {
    return inSource ? 'enters its own package by the door' : findDoorFault(room, specifier);
  }
  const target = plan.rooms.get(name);
  const declared =
    manifest.dependencies?.[name] !== undefined ||
    (!inSource && manifest.devDependencies?.[name] !== undefined) ||
    (!inSource && target === undefined && plan.rootDependencies.has(name));
  if (!declared) return 'is not among the dependencies';
  if (target === undefined) return undefined;
  const door = findDoorFault(target, specifier);
  if (door !== undefined || !core) return door;
  return findPurityFault(plan, target, specifier);
}

/**
 * Judges one import of a file that lives outside the packages, in `simulation/`, `tools/` and so on.
 *
 * @returns what is wrong with it, or undefined.
 */
export function findOutsideFault(plan: Plan, file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    if (!hasEnding(specifier)) return 'lacks its .ts';
    const top = file.slice(0, file.indexOf('/') + 1);
    const target = join(dirname(file), specifier);
    if (target.startsWith('packages/')) return 'enters a package beside its door';
    return target.startsWith(top) ? undefined : 'climbs out of its folder';
  }
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? undefined : 'lacks its node:';
  const name = packageOf(specifier);
  const target = plan.rooms.get(name);
  if (target !== undefined) return findDoorFault(target, specifier);
  return plan.rootDependencies.has(name) ? undefined : "is not among the root's dependencies";
}

/**
 * Judges what a package declares to stand on.
 *
 * @returns one line for each dependency that is not below it.
 */
export function findFloorFaults(plan: Plan, room: Room): readonly string[] {
  const { house, dependencies, devDependencies } = room.manifest;
  return Object.keys({ ...dependencies, ...devDependencies })
    .filter((name) => (plan.rooms.get(name)?.manifest.house.floor ?? -1) >= house.floor)
    .map((name) => `${room.folder}: may not stand on ${name}`);
}

function findRelativeFault(room: Room, file: string, specifier: string): string | undefined {
  if (!hasEnding(specifier)) return 'lacks its .ts';
  const target = join(dirname(file), specifier);
  if (!target.startsWith(`${room.folder}/`)) return 'climbs out of its package';
  const inSource = file.startsWith(`${room.folder}/src/`);
  if (inSource && !target.startsWith(`${room.folder}/src/`)) return 'leaves src';
  const doors = Object.values(room.manifest.exports ?? {}).map((door) => join(room.folder, door));
  if (isCore(room, file) && !doors.includes(file) && !isCore(room, target)) {
    return 'reaches from the pure core into the shell';
  }
  return undefined;
}

function findDoorFault(room: Room, specifier: string): string | undefined {
  return findDoor(room, specifier) === undefined ? 'is no door of that package' : undefined;
}

/** A pure package may use another's door only if nothing behind that door touches the world. */
function findPurityFault(plan: Plan, target: Room, specifier: string): string | undefined {
  if (!target.manifest.house.pure) return 'is impure and imported by a pure package';
  const pending = [findDoor(target, specifier) ?? ''];
  const reached = new Set<string>();
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    if (!isCore(target, file)) return 'opens on a shell and is imported by a pure package';
    for (const inner of plan.sources.get(file)?.specifiers ?? []) {
      if (inner.startsWith('.')) pending.push(join(dirname(file), inner));
    }
  }
  return undefined;
}

function hasEnding(specifier: string): boolean {
  return /\.(?:ts|tsx|mjs|json|css|svg)$/.test(specifier);
}
