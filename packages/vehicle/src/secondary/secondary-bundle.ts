/**
 * A Secondary's folder as the factory fills it: `config.json`, `director/root.json`, for full
 * verification `image/root.json`, and `link/` with what `saveLinkCredential` writes. The ECU's own
 * keys are not part of it: they are made in the ECU.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputFault, parseJson } from '@immota/base';
import {
  limits,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
  UptaneFault,
} from '@immota/uptane';
import { z } from 'zod';
import {
  type LinkCredential,
  loadLinkCredential,
  saveLinkCredential,
} from '../link/link-credentials.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { SecondaryFactory } from './secondary-options.ts';

/** What the factory knows of a node. */
export interface SecondaryBundle {
  readonly factory: SecondaryFactory;
  readonly credential: LinkCredential;
}

/** A configuration is a few lines. */
const CONFIGURATION_MAX_BYTES = 16_384;
const CONFIGURATION = 'config.json';
const DIRECTOR_ROOT = join('director', 'root.json');
const IMAGE_ROOT = join('image', 'root.json');
const LINK = 'link';

const configurationSchema = z.strictObject({
  vehicleIdentifier: z.string(),
  ecuIdentifier: z.string(),
  hardwareIdentifier: z.string(),
  verification: z.enum(['full', 'partial']),
  profile: z.enum(['classic', 'hybrid']),
  builtAt: z.iso.datetime(),
});

/** Fills a folder. */
export function saveSecondaryBundle(
  folder: string,
  { factory, credential }: SecondaryBundle,
): void {
  const { directorRoot, imageRoot, builtAt, ...names } = factory;
  const configuration = { ...names, builtAt: builtAt.toString() };
  saveFile(join(folder, CONFIGURATION), `${JSON.stringify(configuration, undefined, 2)}\n`);
  saveFile(join(folder, DIRECTOR_ROOT), directorRoot);
  if (imageRoot !== undefined) saveFile(join(folder, IMAGE_ROOT), imageRoot);
  saveLinkCredential(join(folder, LINK), credential);
}

/**
 * Loads what `saveSecondaryBundle` has saved.
 *
 * @throws VehicleFault BUNDLE_MALFORMED naming the file.
 */
export function loadSecondaryBundle(folder: string): SecondaryBundle {
  const bytes = loadFile(folder, CONFIGURATION, CONFIGURATION_MAX_BYTES);
  try {
    const configuration = configurationSchema.parse(parseJson(bytes, CONFIGURATION_MAX_BYTES));
    const { verification, profile, builtAt } = configuration;
    const factory = {
      vehicleIdentifier: parseVehicleIdentifier(configuration.vehicleIdentifier),
      ecuIdentifier: parseEcuIdentifier(configuration.ecuIdentifier),
      hardwareIdentifier: parseHardwareIdentifier(configuration.hardwareIdentifier),
      verification,
      profile,
      builtAt: Temporal.Instant.from(builtAt),
      directorRoot: loadFile(folder, DIRECTOR_ROOT, limits.ROOT_MAX_BYTES),
      imageRoot:
        verification === 'full' ? loadFile(folder, IMAGE_ROOT, limits.ROOT_MAX_BYTES) : undefined,
    };
    return { factory, credential: loadLinkCredential(join(folder, LINK)) };
  } catch (error) {
    const isContent =
      error instanceof z.ZodError || error instanceof InputFault || error instanceof UptaneFault;
    throw isContent ? malformed(CONFIGURATION, 'a value of it is none', error) : error;
  }
}

function saveFile(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
}

function loadFile(folder: string, name: string, lengthMaxBytes: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(join(folder, name)));
  } catch (error) {
    throw malformed(name, 'it cannot be read', error);
  }
  if (bytes.length > lengthMaxBytes) throw malformed(name, `${bytes.length} bytes are too many`);
  return bytes;
}

function malformed(name: string, why: string, cause?: unknown): VehicleFault {
  const message = `Cannot load ${name} of a Secondary: ${why}`;
  return new VehicleFault('BUNDLE_MALFORMED', message, { cause });
}
