/** Microcontrollers with two banks. */
import type { CutClass } from './cut-report.ts';
import { exhaust } from './exhaust.ts';
import { mcuVariant } from './mcu-bench.ts';

/** Uneven sectors; small pages that erase to zero; wide flash words; a part beside the processor. */
const VARIANTS = [
  mcuVariant(
    {
      part: 'stm32f4',
      divisor: 16,
      sectors: 12,
      oldBytes: 9000,
      newBytes: 11_000,
      blockBytes: 2048,
    },
    2,
  ),
  mcuVariant(
    { part: 'stm32l0', divisor: 1, sectors: 160, oldBytes: 1500, newBytes: 2000, blockBytes: 512 },
    2,
  ),
  mcuVariant(
    { part: 'stm32h7', divisor: 64, sectors: 16, oldBytes: 5000, newBytes: 7000, blockBytes: 1024 },
    2,
  ),
  mcuVariant(
    { part: 'spi-nor', divisor: 4, sectors: 48, oldBytes: 5000, newBytes: 7000, blockBytes: 1024 },
    2,
  ),
];

/** See the head of the file. */
export const TWO_BANK: CutClass = {
  name: 'two-bank',
  run: async (options) =>
    exhaust(options.isBounded ? VARIANTS.slice(0, 2) : VARIANTS, options, {
      tears: options.isBounded ? 1 : 2,
      nestedEvery: options.isBounded ? 40 : 10,
      randomRuns: options.isBounded ? 2 : 40,
    }),
};
