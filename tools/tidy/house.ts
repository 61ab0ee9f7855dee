/** The house as its manifests declare it: which packages there are, on which floor, through which doors. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a package's `package.json` says, as far as the fences care. */
export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly house: HouseRules;
}

/** What a package promises about itself. */
export interface HouseRules {
  /** Higher floors stand on lower ones, never the other way round. */
  readonly floor: number;
  /** True when nothing in `src` touches a file, socket, clock, timer, environment or chance. */
  readonly pure: boolean;
  /** The folders of a pure package that may touch the world all the same, such as `src/keys/shell`. */
  readonly shell?: readonly string[];
  /** What its tests need from the machine: names of `tools/test/needs.ts`. */
  readonly needs?: readonly string[];
}

/** A package and the folder it lives in, relative to the root. */
export interface Room {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Reads every package's manifest.
 *
 * @param root - the repository's folder.
 * @returns the packages by name.
 */
export function loadHouse(root: string): ReadonlyMap<string, Room> {
  const rooms = globSync('packages/*/package.json', { cwd: root })
    .toSorted()
    .map((file): Room => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
      return { folder: dirname(file), manifest };
    });
  return new Map(rooms.map((room) => [room.manifest.name, room]));
}

/**
 * Tells which package a specifier names: `@immota/base/x` is in `@immota/base`, `zod/v4` in `zod`.
 *
 * @param specifier - what stands behind `from`.
 */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/**
 * Finds the file behind a door.
 *
 * @param room - the package.
 * @param specifier - its name, or its name and a path below.
 * @returns the file relative to the root, or undefined when the package exports no such door.
 */
export function findDoor(room: Room, specifier: string): string | undefined {
  const target = room.manifest.exports?.[`.${specifier.slice(room.manifest.name.length)}`];
  return target === undefined ? undefined : join(room.folder, target);
}

/**
 * Tells whether a file belongs to the part of a package that touches nothing.
 *
 * @param room - the package.
 * @param file - a file relative to the root.
 */
export function isCore(room: Room, file: string): boolean {
  if (!room.manifest.house.pure || !file.startsWith(`${room.folder}/src/`)) return false;
  const shells = room.manifest.house.shell ?? [];
  return !shells.some((shell) => file.startsWith(join(room.folder, shell, '/')));
}
