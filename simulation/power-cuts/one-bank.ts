/** Microcontrollers with one bank, which is written, or rewritten by a delta, while nothing but the boot loader runs. */
import type { CutClass } from './cut-report.ts';
import { exhaust } from './exhaust.ts';
import { mcuVariant } from './mcu-bench.ts';

/** Half words; small pages that erase to zero; double words; uneven sectors. */
const VARIANTS = [
  mcuVariant(
    { part: 'stm32f0', divisor: 1, sectors: 24, oldBytes: 7000, newBytes: 9000, blockBytes: 2048 },
    1,
  ),
  mcuVariant(
    { part: 'stm32l0', divisor: 1, sectors: 100, oldBytes: 1500, newBytes: 2000, blockBytes: 512 },
    1,
  ),
  mcuVariant(
    { part: 'stm32g4', divisor: 2, sectors: 32, oldBytes: 4000, newBytes: 6000, blockBytes: 1024 },
    1,
  ),
  mcuVariant(
    {
      part: 'stm32f4',
      divisor: 16,
      sectors: 9,
      oldBytes: 9000,
      newBytes: 11_000,
      blockBytes: 2048,
    },
    1,
  ),
];

/** The same bank rewritten in place: pages of a sector, of eight, and of half a sector. */
const REWRITTEN = [
  mcuVariant(
    {
      part: 'stm32f0',
      divisor: 1,
      sectors: 24,
      oldBytes: 9000,
      newBytes: 9700,
      blockBytes: 2048,
      deltaPageBytes: 2048,
    },
    1,
  ),
  mcuVariant(
    {
      part: 'stm32l0',
      divisor: 1,
      sectors: 100,
      oldBytes: 3500,
      newBytes: 3900,
      blockBytes: 512,
      deltaPageBytes: 1024,
    },
    1,
  ),
  mcuVariant(
    {
      part: 'stm32f4',
      divisor: 16,
      sectors: 9,
      oldBytes: 15_000,
      newBytes: 16_500,
      blockBytes: 4096,
      deltaPageBytes: 4096,
    },
    1,
  ),
];

const BOUNDED = [...REWRITTEN.slice(0, 1), ...VARIANTS.slice(0, 2)];

/** See the head of the file. */
export const ONE_BANK: CutClass = {
  name: 'one-bank',
  run: async (options) =>
    exhaust(options.isBounded ? BOUNDED : [...VARIANTS, ...REWRITTEN], options, {
      tears: options.isBounded ? 1 : 2,
      nestedEvery: options.isBounded ? 60 : 20,
      randomRuns: options.isBounded ? 2 : 40,
    }),
};
