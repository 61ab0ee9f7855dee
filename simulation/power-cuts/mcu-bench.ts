/** A microcontroller on the bench: a small flash of the shape of a real part, and its boot loader. */
import { signerFromPrivateKey } from '@immota/pki';
import { parseHardwareIdentifier } from '@immota/uptane';
import {
  type BankSlotsOptions,
  bytesOfSectors,
  createImageSealer,
  FLASH_PARTS,
  type FlashGeometry,
  type FlashLayout,
  FlashPowerCut,
  type FlashPart,
  type ImageSealer,
  openOneBankSlots,
  openRecordLog,
  openTwoBankSlots,
  planLayout,
  type ResumableSlots,
  type SelfTest,
  SimulatedFlash,
  type SlotImage,
  type SlotName,
} from '@immota/vehicle';
import { Chance } from '../chance.ts';
import type { Cut, CutBench, Wellness } from './cut-bench.ts';
import type { CutOptions } from './cut-report.ts';
import type { Variant } from './exhaust.ts';
import { plantPlaces, plantRecords } from './planted.ts';
import { createRelated, createSamples } from './samples.ts';

/** A part that is cut down, so that a story has hundreds of operations and not ten thousands. */
export interface SmallPart {
  readonly part: FlashPart;
  /** What each sector's length is divided by. */
  readonly divisor: number;
  /** How many sectors are kept. */
  readonly sectors: number;
  readonly oldBytes: number;
  readonly newBytes: number;
  readonly blockBytes: number;
  /** With one bank: the page of the deltas by which it is rewritten; full images when left out. */
  readonly deltaPageBytes?: number | undefined;
}

interface McuSetup {
  readonly layout: FlashLayout;
  readonly sealer: ImageSealer;
  readonly blockBytes: number;
  readonly plant: string | undefined;
  /** What the boot loader's place holds, from the factory. */
  readonly loader: Uint8Array;
}

const HARDWARE = parseHardwareIdentifier('simulated-mcu');
const LOADER_BYTES = 1024;
/** A record with two short names. */
const RECORD_BYTES = 1024;
const SEAL_BYTES = 256;
/** PKCS #8 of an Ed25519 key, before its 32 bytes. */
const KEY_HEAD = '302e020100300506032b657004220420';

/** Makes a variant of a part, with one bank or two. */
export function mcuVariant(small: SmallPart, banks: 1 | 2): Variant {
  const { part, oldBytes, newBytes, deltaPageBytes } = small;
  return {
    name: deltaPageBytes === undefined ? part : `${part}-delta`,
    samples:
      deltaPageBytes === undefined
        ? createSamples(oldBytes, newBytes)
        : createRelated(oldBytes, newBytes, deltaPageBytes),
    kinds: ['torn', 'before', 'after', 'marginal'],
    create: (options) => createMcu(small, banks, options),
  };
}

function createMcu(small: SmallPart, banks: 1 | 2, options: CutOptions): CutBench {
  const geometry = cutDown(small);
  const layout = planLayout(geometry, {
    banks,
    loaderBytes: LOADER_BYTES,
    recordBytes: RECORD_BYTES,
    recordPlaces: geometry.sectors.length < 20 ? 2 : 3,
    sealBytes: SEAL_BYTES,
    ...(small.deltaPageBytes === undefined ? {} : { spareBytes: spareBytesOf(small, geometry) }),
  });
  const chance = new Chance(`mcu ${options.seed}`);
  const { startBytes, lengthBytes } = bytesOfSectors(geometry, layout.loader);
  const loader = chance.fork('loader').bytes(lengthBytes);
  const content = new Uint8Array(
    geometry.sectors.reduce((sum, sectorBytes) => sum + sectorBytes, 0),
  ).fill(geometry.erasedByte);
  content.set(loader, startBytes);
  const flash = new SimulatedFlash({ geometry, protectedSectors: layout.loader, content });
  const sealer = remembering(createImageSealer(signerFromPrivateKey(keyOf(chance))));
  const { blockBytes } = small;
  return new McuBench(flash, { layout, sealer, blockBytes, plant: options.plant, loader });
}

function cutDown({ part, divisor, sectors }: SmallPart): FlashGeometry {
  const geometry = FLASH_PARTS[part];
  const kept = geometry.sectors.slice(0, sectors).map((lengthBytes) => lengthBytes / divisor);
  return { ...geometry, sectors: kept };
}

/** Two pages, or the one large sector that a page lies in: the spare is used again and again. */
function spareBytesOf({ deltaPageBytes = 0 }: SmallPart, { sectors }: FlashGeometry): number {
  return Math.max(2 * deltaPageBytes, ...sectors);
}

/** Always the same for a seed, so that its seals tear in the same way. */
function keyOf(chance: Chance): Uint8Array<ArrayBuffer> {
  const key = Uint8Array.fromHex(KEY_HEAD);
  return Uint8Array.from([...key, ...chance.fork('key').bytes(32)]);
}

/** Asks the real one once for each seal: a hundred thousand starts see but a few. */
function remembering(sealer: ImageSealer): ImageSealer {
  const answers = new Map<string, boolean>();
  const seals = new Map<string, Uint8Array>();
  return {
    ...sealer,
    seal: async (statement) => {
      const key = Buffer.from(statement).toString('latin1');
      const seal = seals.get(key) ?? (await sealer.seal(statement));
      seals.set(key, seal);
      return seal;
    },
    isSealed: (statement, seal) => {
      const key = `${Buffer.from(statement).toString('latin1')} ${Buffer.from(seal).toString('latin1')}`;
      const answer = answers.get(key) ?? sealer.isSealed(statement, seal);
      answers.set(key, answer);
      return answer;
    },
  };
}

class McuBench implements CutBench {
  readonly #flash: SimulatedFlash;
  readonly #setup: McuSetup;

  constructor(flash: SimulatedFlash, setup: McuSetup) {
    this.#flash = flash;
    this.#setup = setup;
  }

  get isSingle(): boolean {
    return this.#setup.layout.banks.length === 1;
  }

  get isCutPlanned(): boolean {
    return this.#flash.isFailurePlanned;
  }

  async start(wellnessOf: (image: SlotImage) => Wellness): Promise<ResumableSlots> {
    const { layout, sealer, blockBytes, plant } = this.#setup;
    const flash = this.#flash;
    const options: BankSlotsOptions = {
      flash,
      layout,
      sealer,
      hardwareIdentifier: HARDWARE,
      selfTest: this.#selfTest(wellnessOf),
      blockBytes,
      progressBytes: blockBytes,
      records: plantRecords(plant, openRecordLog(flash, plantPlaces(plant, layout.records))),
    };
    return await (this.isSingle ? openOneBankSlots(options) : openTwoBankSlots(options));
  }

  failPower(cut: Cut | undefined): void {
    if (cut === undefined) {
      this.#flash.failPower();
      return;
    }
    const { operation, kind, seed } = cut;
    const isMarginal = kind === 'marginal';
    this.#flash.failPower({ operation, kind: isMarginal ? 'torn' : kind, seed, isMarginal });
  }

  powerOn(): void {
    this.#flash.powerOn();
  }

  copy(): CutBench {
    return new McuBench(this.#flash.copy(), this.#setup);
  }

  readSlot(slot: SlotName, lengthBytes: number): Uint8Array {
    const bank = this.#setup.layout.banks[slot === 'a' ? 0 : 1];
    if (bank === undefined) return new Uint8Array();
    return this.#flash.peek(
      bytesOfSectors(this.#flash.geometry, bank.image).startBytes,
      lengthBytes,
    );
  }

  isLoaderWhole(): boolean {
    const { loader } = this.#setup;
    return Buffer.compare(this.#flash.peek(0, loader.length), loader) === 0;
  }

  #selfTest(wellnessOf: (image: SlotImage) => Wellness): SelfTest {
    return {
      readTroubleCodes: async () => {
        await Promise.resolve();
        return [];
      },
      check: async (image) => {
        await Promise.resolve();
        const wellness = wellnessOf(image);
        if (wellness === 'hanging') {
          // The watchdog resets the ECU: whatever was under way is gone.
          this.#flash.cutPower();
          throw new FlashPowerCut('the watchdog has bitten');
        }
        return wellness === 'well';
      },
    };
  }
}
