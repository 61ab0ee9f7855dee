/** An ECU with a file system on the bench: two slots in files, on a disk that forgets what is not synced. */
import {
  openFolderSlots,
  type ResumableSlots,
  type SlotImage,
  type SlotName,
} from '@immota/vehicle';
import { Chance } from '../chance.ts';
import { Flash } from '../disk.ts';
import { Power } from '../power.ts';
import type { Cut, CutBench, Wellness } from './cut-bench.ts';
import type { CutOptions } from './cut-report.ts';
import type { Variant } from './exhaust.ts';
import { plantFiles } from './planted.ts';
import { createSamples } from './samples.ts';

const WRITE_BYTES = 1024;
const CHECKPOINT_BYTES = 2048;
/** What changes nothing needs no cut of its own: it is the same as one before the next change. */
const READING: ReadonlySet<string> = new Set(['flash-open', 'flash-read', 'flash-close']);

/** Files on a disk. */
export const LINUX_VARIANT: Variant = {
  name: 'files',
  samples: createSamples(5000, 7000),
  // What a cut leaves is all in the seed: nothing, half or all of what was not synced.
  kinds: ['torn'],
  create: (options) => new LinuxBench(new Flash(new Chance('disk')), options, 0),
};

class WritePower extends Power {
  override step(name: string): void {
    if (READING.has(name)) this.check();
    else super.step(name);
  }
}

class LinuxBench implements CutBench {
  readonly isSingle = false;
  readonly #options: CutOptions;
  #flash: Flash;
  #power: Power;
  #planned: Cut | undefined;
  #cuts: number;

  constructor(flash: Flash, options: CutOptions, cuts: number) {
    this.#flash = flash;
    this.#options = options;
    this.#cuts = cuts;
    this.#power = new WritePower(() => undefined);
  }

  get isCutPlanned(): boolean {
    return this.#planned !== undefined;
  }

  async start(wellnessOf: (image: SlotImage) => Wellness): Promise<ResumableSlots> {
    const power = this.#power;
    return await openFolderSlots({
      folder: '',
      files: plantFiles(this.#options.plant, this.#flash.filesUnder(power)),
      writeLengthBytes: WRITE_BYTES,
      checkpointBytes: CHECKPOINT_BYTES,
      healthCheck: async (image) => {
        await Promise.resolve();
        const wellness = wellnessOf(image);
        if (wellness === 'hanging') {
          power.cut('watchdog');
          power.check();
        }
        return wellness === 'well';
      },
    });
  }

  failPower(cut: Cut | undefined): void {
    this.#planned = cut;
    const onCut = (): void => this.#strike();
    this.#power = new WritePower(onCut, cut === undefined ? undefined : cut.operation - 1);
  }

  powerOn(): void {
    if (this.#power.isOn) return;
    const { steps } = this.#power;
    const planned = this.#planned;
    const left = planned === undefined ? 0 : Math.max(1, planned.operation - steps);
    this.failPower(planned === undefined ? undefined : { ...planned, operation: left });
  }

  copy(): CutBench {
    const chance = new Chance(`disk ${this.#options.seed} ${this.#cuts}`);
    return new LinuxBench(this.#flash.copy(chance), this.#options, this.#cuts);
  }

  readSlot(slot: SlotName, lengthBytes: number): Uint8Array {
    const bytes = this.#flash.read(`slot-${slot}.image`) ?? new Uint8Array();
    return bytes.subarray(0, lengthBytes);
  }

  isLoaderWhole(): boolean {
    // It is no part of this storage.
    return true;
  }

  /** A watchdog ends the software, and not the disk: only a planned cut loses anything. */
  #strike(): void {
    const planned = this.#planned;
    if (planned === undefined || this.#power.steps < planned.operation) return;
    this.#planned = undefined;
    this.#cuts += 1;
    const chance = new Chance(`disk ${planned.seed} ${planned.operation} ${this.#cuts}`);
    this.#flash = this.#flash.copy(chance);
    this.#flash.losePower();
  }
}
