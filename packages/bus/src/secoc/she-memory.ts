/** The keys of a unit with a Secure Hardware Extension (SHE 1.1, chapter 4). */
import type { AesKey } from './cmac.ts';

/** What a slot's key may be used for, in the order of the wire. */
export const SHE_FLAGS = [
  /** The key is never replaced again. */
  'write-protected',
  /** Not usable after a boot that was not verified. */
  'boot-protected',
  /** Not usable while a debugger is attached. */
  'debugger-protected',
  /** For authenticators, and not for encryption. */
  'authenticates',
  /** Updates for any unit are refused. */
  'own-unit-only',
] as const;

/** See SHE_FLAGS. */
export type SheFlag = (typeof SHE_FLAGS)[number];

/** What lies in a slot. */
export interface SheSlot {
  readonly key: AesKey;
  readonly counter: number;
  readonly flags: ReadonlySet<SheFlag>;
}

/** The unit's number, and its slots: 1 the master's, 2 and 3 of the boot, 4 to 13 for use. */
export interface SheMemory {
  /** 15 bytes. */
  readonly unit: Uint8Array;
  readonly slots: ReadonlyMap<number, SheSlot>;
}
