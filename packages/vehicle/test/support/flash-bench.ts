/** A microcontroller on a bench: a small part, its plan, its key, and the images that it is given. */
import { generateSigner } from '@immota/pki';
import { parseHardwareIdentifier } from '@immota/uptane';
import {
  type BankSlots,
  type BankSlotsOptions,
  createImageSealer,
  type Flash,
  type FlashGeometry,
  type FlashLayout,
  type ImageSealer,
  openOneBankSlots,
  openTwoBankSlots,
  planLayout,
  SimulatedFlash,
} from '@immota/vehicle';
import { type SlotSample, writeImage } from './slot-images.ts';

/** Even sectors, words of four bytes. */
export const SMALL_PART: FlashGeometry = {
  part: 'small',
  sectors: Array.from({ length: 48 }, () => 1024),
  writeUnitBytes: 4,
  erasedByte: 0xff,
  enduranceCycles: 10_000,
  timing: { eraseUs: 1000, eraseUsPerKib: 10, writeUsPerUnit: 1 },
};

/** See the head of the file. */
export interface FlashBench {
  readonly flash: SimulatedFlash;
  readonly layout: FlashLayout;
  readonly sealer: ImageSealer;
  /** Starts it: opens its slots; they are not booted yet. */
  open(options?: Partial<BankSlotsOptions>): Promise<BankSlots>;
  /** The same one with a copy of its flash. */
  copy(): FlashBench;
}

/** The hardware of every bench. */
const BENCH_HARDWARE = parseHardwareIdentifier('bench-mcu');

/** Plans a small part. */
export function planBench(geometry: FlashGeometry, banks: 1 | 2, spareBytes = 0): FlashLayout {
  return planLayout(geometry, {
    banks,
    loaderBytes: 1024,
    recordBytes: 2048,
    recordPlaces: 2,
    sealBytes: 512,
    spareBytes,
  });
}

/** Makes one. @param spareBytes - for one bank that is rewritten in place. */
export function createFlashBench(
  banks: 1 | 2,
  geometry: FlashGeometry = SMALL_PART,
  spareBytes = 0,
): FlashBench {
  const layout = planBench(geometry, banks, spareBytes);
  const flash = new SimulatedFlash({ geometry, protectedSectors: layout.loader });
  return benchOf(flash, layout, createImageSealer(generateSigner('ed25519')));
}

/** Makes one around a flash that there is. */
export function benchOf(
  flash: SimulatedFlash,
  layout: FlashLayout,
  sealer: ImageSealer,
): FlashBench {
  return {
    flash,
    layout,
    sealer,
    open: async (options = {}) => openBench(flash, layout, { sealer, ...options }),
    copy: () => benchOf(flash.copy(), layout, sealer),
  };
}

async function openBench(
  flash: Flash,
  layout: FlashLayout,
  options: Partial<BankSlotsOptions> & Pick<BankSlotsOptions, 'sealer'>,
): Promise<BankSlots> {
  const all = {
    flash,
    layout,
    hardwareIdentifier: BENCH_HARDWARE,
    blockBytes: 512,
    progressBytes: 1024,
    ...options,
  };
  return await (layout.banks.length === 1 ? openOneBankSlots(all) : openTwoBankSlots(all));
}

/** Writes an image, boots it and makes it final. */
export async function program(slots: BankSlots, sample: SlotSample): Promise<void> {
  await writeImage(slots, sample);
  await slots.activate();
  await slots.boot();
  await slots.confirm();
}
