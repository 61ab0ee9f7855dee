/** Opens the flash of a microcontroller: finds its boot record, or what is left to go by without one. */
import { assert } from '@immota/base';
import type { HardwareIdentifier } from '@immota/uptane';
import { bytesOfSectors, type Flash, type FlashGeometry, flashLength } from '../flash/flash.ts';
import { FlashFault } from '../flash/flash-fault.ts';
import { checkLayout, type FlashLayout, planLayout } from '../flash/layout.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { Bank } from './bank.ts';
import { type BankRecord, emptyRecord, recordLengthMax } from './bank-record.ts';
import { FlashBankSlots } from './bank-slots.ts';
import type { BankSlots, BankSlotsSetup } from './bank-slots-setup.ts';
import type { ImageSealer } from './image-sealer.ts';
import { identityOf, packedLength } from './image-statement.ts';
import {
  BLOCK_BYTES,
  PROGRESS_BYTES,
  RECORD_BYTES,
  RECORD_PLACES,
  SEAL_BYTES,
  SPARE_PART,
} from './limits.ts';
import { planPages } from './page-plan.ts';
import { entryLength, openRecordLog, type RecordStore } from './record-log.ts';
import type { SelfTest, Watchdog } from './self-test.ts';

/** How to open banks. */
export interface BankSlotsOptions {
  readonly flash: Flash;
  readonly layout: FlashLayout;
  /** A seal for other hardware does not boot here. */
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly sealer: ImageSealer;
  /** Every whole image is healthy when left out. */
  readonly selfTest?: SelfTest | undefined;
  /** Whoever runs the ECU resets it when left out. */
  readonly watchdog?: Watchdog | undefined;
  /** In the places of the layout when left out. */
  readonly records?: RecordStore | undefined;
  /** Those of `limits.ts` when left out. */
  readonly blockBytes?: number | undefined;
  readonly progressBytes?: number | undefined;
}

/** Plans a part as these slots need it. @throws FlashFault LAYOUT when it is too small. */
export function planBanks(
  geometry: FlashGeometry,
  request: { readonly banks: 1 | 2; readonly loaderBytes: number },
): FlashLayout {
  // Where a few large sectors are all there is, two places for records must do.
  const isCoarse = geometry.sectors.length < 32;
  return planLayout(geometry, {
    ...request,
    recordBytes: RECORD_BYTES,
    recordPlaces: isCoarse ? 2 : RECORD_PLACES,
    sealBytes: SEAL_BYTES,
    spareBytes: spareBytesOf(geometry),
  });
}

/** Enough for the largest sector, and so much more that its sectors wear about as slowly as the others. */
function spareBytesOf(geometry: FlashGeometry): number {
  return Math.max(...geometry.sectors, flashLength(geometry) / SPARE_PART);
}

/**
 * Opens two banks: an image is written beside the one that runs, and the ECU falls back by itself.
 *
 * @throws FlashFault LAYOUT; VehicleFault STATE_CORRUPT when the boot record is lost and no bank holds a
 * sealed image to go by.
 */
export async function openTwoBankSlots(options: BankSlotsOptions): Promise<BankSlots> {
  return await openBanks(options, 2);
}

/**
 * Opens one bank: an image is written over the one that runs. Until the new one is whole the boot loader
 * alone runs, and takes the same image again, or the former one.
 *
 * @throws FlashFault LAYOUT; VehicleFault STATE_CORRUPT when the boot record is lost and the bank holds
 * no sealed image to go by.
 */
export async function openOneBankSlots(options: BankSlotsOptions): Promise<BankSlots> {
  return await openBanks(options, 1);
}

async function openBanks(options: BankSlotsOptions, bankCount: number): Promise<BankSlots> {
  const { flash, layout, hardwareIdentifier, sealer } = options;
  checkLayout(flash.geometry, layout);
  if (layout.banks.length !== bankCount) {
    throw new FlashFault('LAYOUT', `Cannot open ${layout.banks.length} banks as ${bankCount}`);
  }
  const records = options.records ?? openRecordLog(flash, layout.records);
  const blockBytes = options.blockBytes ?? BLOCK_BYTES;
  assert(blockBytes % flash.geometry.writeUnitBytes === 0, 'a block is whole write units');
  const banks = layout.banks.map((one) => new Bank({ flash, sealer, hardwareIdentifier }, one));
  const setup: BankSlotsSetup = {
    flash,
    hardwareIdentifier,
    records,
    banks,
    pages: planPages(flash.geometry, layout),
    selfTest: options.selfTest,
    watchdog: options.watchdog,
    blockBytes,
    progressBytes: options.progressBytes ?? PROGRESS_BYTES,
    checkRecordRoom: (image) => checkRecordRoom(flash, layout, image),
  };
  const sealed: (SlotImage | undefined)[] = [];
  for (const bank of banks) sealed.push(await bank.findSealed());
  const loaded = await records.load();
  // A new ECU has no seals: whoever wipes its records does not make it forget what it has verified.
  const isNew = loaded.kind === 'new' && sealed.every((image) => image === undefined);
  const found = isNew ? emptyRecord(bankCount) : undefined;
  const record =
    loaded.kind === 'found' ? loaded.record : (found ?? (await rebuildRecord(banks, sealed)));
  if (record.banks.length !== bankCount) {
    throw new FlashFault('LAYOUT', `Cannot open ${record.banks.length} banks as ${bankCount}`);
  }
  const images = sealed.map((image, bank) => {
    const content = record.banks[bank];
    if (image === undefined || content === undefined) return undefined;
    return Buffer.compare(content.identity, identityOf(image)) === 0 ? image : undefined;
  });
  return new FlashBankSlots(setup, record, images);
}

/**
 * Goes by the seals: this ECU has verified what they name, so none of it is foreign. The newest image is
 * on trial, the older one stays its way back, and the floor is the older one's: the last that both allow.
 */
async function rebuildRecord(
  banks: readonly Bank[],
  sealed: readonly (SlotImage | undefined)[],
): Promise<BankRecord> {
  const whole: { readonly bank: number; readonly image: SlotImage }[] = [];
  for (const [index, image] of sealed.entries()) {
    if (image === undefined || (await banks[index]?.isWhole(image)) !== true) continue;
    whole.push({ bank: index, image });
  }
  const [oldest, ...others] = whole.toSorted(
    (left, right) => left.image.releaseCounter - right.image.releaseCounter,
  );
  // {uptane K7}: taken for a new ECU it would forget which releases are too old.
  if (oldest === undefined) {
    throw new VehicleFault('STATE_CORRUPT', 'Cannot boot: no boot record, and no sealed image');
  }
  const newest = others.at(-1) ?? oldest;
  const contents = banks.map((_, bank) => {
    const image = whole.find((one) => one.bank === bank)?.image;
    if (image === undefined) return undefined;
    const state = bank === newest.bank ? 'trial' : 'confirmed';
    return { state, identity: identityOf(image), durableBytes: image.lengthBytes } as const;
  });
  return {
    ...emptyRecord(banks.length),
    banks: contents,
    running: newest.bank,
    releaseFloor: oldest.image.releaseCounter,
  };
}

function checkRecordRoom(flash: Flash, { records }: FlashLayout, image: SlotImage): void {
  const neededBytes = entryLength(flash, recordLengthMax(packedLength(image)));
  const places = records.map((place) => bytesOfSectors(flash.geometry, place).lengthBytes);
  if (neededBytes > Math.min(...places)) {
    throw new FlashFault('NO_ROOM', `Cannot write "${image.name}": its name is too long`);
  }
}
