/**
 * Real parts, by their data sheets: the shapes in which flash comes. Times are typical ones.
 *
 * @source STM32F405/407 (RM0090, DS8626), STM32F091 (RM0091, DS10692), STM32L073 (RM0367, DS10685),
 *   STM32G4 (RM0440, DS12288), STM32H743 (RM0433, DS12110), nRF52840 (product specification 1.7),
 *   W25Q64JV, MT25QL256 (data sheets)
 */
import type { FlashGeometry } from './flash.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Names of the parts that are known. */
export type FlashPart =
  | 'stm32f4'
  | 'stm32f0'
  | 'stm32l0'
  | 'stm32g4'
  | 'stm32h7'
  | 'nrf52840'
  | 'spi-nor'
  | 'qspi-nor';

/** See the head of the file. */
export const FLASH_PARTS: Readonly<Record<FlashPart, FlashGeometry>> = {
  /** Uneven: four small sectors, a middle one, seven large ones. Words at 2.7 to 3.6 V. */
  stm32f4: {
    part: 'STM32F407',
    sectors: [...uniform(64 * KIB, 16 * KIB), 64 * KIB, ...uniform(896 * KIB, 128 * KIB)],
    writeUnitBytes: 4,
    erasedByte: 0xff,
    enduranceCycles: 10_000,
    timing: { eraseUs: 150_000, eraseUsPerKib: 6600, writeUsPerUnit: 16 },
  },
  stm32f0: {
    part: 'STM32F091',
    sectors: uniform(256 * KIB, 2 * KIB),
    writeUnitBytes: 2,
    erasedByte: 0xff,
    enduranceCycles: 10_000,
    timing: { eraseUs: 30_000, eraseUsPerKib: 0, writeUsPerUnit: 53.5 },
  },
  /** Small pages that read zero when erased. */
  stm32l0: {
    part: 'STM32L073',
    sectors: uniform(192 * KIB, 128),
    writeUnitBytes: 4,
    erasedByte: 0x00,
    enduranceCycles: 10_000,
    timing: { eraseUs: 3200, eraseUsPerKib: 0, writeUsPerUnit: 200 },
  },
  /** Double words, each with its error correction. */
  stm32g4: {
    part: 'STM32G474',
    sectors: uniform(512 * KIB, 2 * KIB),
    writeUnitBytes: 8,
    erasedByte: 0xff,
    enduranceCycles: 10_000,
    timing: { eraseUs: 22_000, eraseUsPerKib: 0, writeUsPerUnit: 82 },
  },
  /** Large sectors, and flash words of 256 bits. */
  stm32h7: {
    part: 'STM32H743',
    sectors: uniform(2 * MIB, 128 * KIB),
    writeUnitBytes: 32,
    erasedByte: 0xff,
    enduranceCycles: 10_000,
    timing: { eraseUs: 1_000_000, eraseUsPerKib: 0, writeUsPerUnit: 100 },
  },
  nrf52840: {
    part: 'nRF52840',
    sectors: uniform(MIB, 4 * KIB),
    writeUnitBytes: 4,
    erasedByte: 0xff,
    enduranceCycles: 10_000,
    timing: { eraseUs: 85_000, eraseUsPerKib: 0, writeUsPerUnit: 41 },
  },
  /** Beside the processor, on SPI; 0.4 ms for a page of 256 bytes. */
  'spi-nor': {
    part: 'W25Q64JV',
    sectors: uniform(8 * MIB, 4 * KIB),
    writeUnitBytes: 1,
    erasedByte: 0xff,
    enduranceCycles: 100_000,
    timing: { eraseUs: 45_000, eraseUsPerKib: 0, writeUsPerUnit: 1.6 },
  },
  /** Beside the processor, on four lines, erased by large blocks; 120 us for a page of 256 bytes. */
  'qspi-nor': {
    part: 'MT25QL256',
    sectors: uniform(32 * MIB, 64 * KIB),
    writeUnitBytes: 1,
    erasedByte: 0xff,
    enduranceCycles: 100_000,
    timing: { eraseUs: 150_000, eraseUsPerKib: 0, writeUsPerUnit: 0.5 },
  },
};

function uniform(lengthBytes: number, sectorBytes: number): readonly number[] {
  return Array.from({ length: lengthBytes / sectorBytes }, () => sectorBytes);
}
