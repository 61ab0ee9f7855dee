/** Opens what an ECU keeps its software in: slots of a file system, or the flash of a microcontroller. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '@immota/base';
import { exportPrivateKey, generateSigner, signerFromPrivateKey } from '@immota/pki';
import type { HardwareIdentifier } from '@immota/uptane';
import { createImageSealer } from '../boot/image-sealer.ts';
import { openOneBankSlots, openTwoBankSlots, planBanks } from '../boot/open-bank-slots.ts';
import { type SelfTest, selfTestOf } from '../boot/self-test.ts';
import { bytesOfSectors } from '../flash/flash.ts';
import { openFlashFile } from '../flash/flash-file.ts';
import { paceFlash } from '../flash/paced-flash.ts';
import { FLASH_PARTS } from '../flash/parts.ts';
import type { Timer } from '../ports.ts';
import { type HealthCheck, openFolderSlots } from '../slots/folder-slots.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import { FILE_SYSTEM_SLOT_BYTES, LOADER_BYTES } from './limits.ts';
import type { StoragePlan } from './topology.ts';

/** Whose storage it is. */
export interface EcuStorageOptions {
  /** Of this ECU alone; made when it is missing. */
  readonly folder: string;
  readonly plan: StoragePlan;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** Lets the flash take the time that its part takes; undefined for a bench that has none. */
  readonly timer?: Timer | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  /** Asked instead, where the ECU can tell its trouble codes too. */
  readonly selfTest?: SelfTest | undefined;
}

/** An ECU's storage, open. */
export interface EcuStorage {
  readonly slots: ResumableSlots;
  /** Bytes of the largest image that fits. */
  readonly capacityBytes: number;
  close(): void;
}

/**
 * Opens a storage, or makes an empty one.
 *
 * @throws FlashFault FILE_MALFORMED, LAYOUT; VehicleFault STATE_CORRUPT.
 */
export async function openEcuStorage(options: EcuStorageOptions): Promise<EcuStorage> {
  const { folder, plan, healthCheck } = options;
  const checked = healthCheck === undefined ? undefined : selfTestOf(healthCheck);
  const { selfTest = checked } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (plan.kind === 'file-system') {
    const slots = await openFolderSlots({ folder: join(folder, 'slots'), selfTest });
    return { slots, capacityBytes: FILE_SYSTEM_SLOT_BYTES, close: () => undefined };
  }
  const geometry = FLASH_PARTS[plan.part];
  const banks = plan.kind === 'one-bank' ? 1 : 2;
  const layout = planBanks(geometry, { banks, loaderBytes: LOADER_BYTES });
  const file = openFlashFile({
    path: join(folder, 'flash.bin'),
    geometry,
    protectedSectors: layout.loader,
  });
  try {
    const { timer, hardwareIdentifier } = options;
    const flash = timer === undefined ? file.flash : paceFlash(file.flash, timer);
    const sealer = createImageSealer(loadSealKey(join(folder, 'keys')));
    const bankOptions = { flash, layout, hardwareIdentifier, sealer, selfTest };
    const open = banks === 1 ? openOneBankSlots : openTwoBankSlots;
    const slots = await open(bankOptions);
    const sizes = layout.banks.map(({ image }) => bytesOfSectors(geometry, image).lengthBytes);
    return { slots, capacityBytes: Math.min(...sizes), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The key that makes images bootable, made in the ECU at its first start (ADR 81). */
function loadSealKey(folder: string): Signer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'seal.key');
  if (existsSync(path)) return signerFromPrivateKey(new Uint8Array(readFileSync(path)));
  const signer = generateSigner('ed25519');
  const key = exportPrivateKey(signer);
  writeFileSync(path, key, { mode: 0o600, flag: 'wx' });
  key.fill(0);
  return signer;
}
