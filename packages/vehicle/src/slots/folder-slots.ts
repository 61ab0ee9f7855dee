/**
 * Two slots as files of a folder, and the boot record that says which of them runs.
 *
 * An image is written beside the running one, tried once it was activated, and runs on trial only when
 * its bytes are still the verified ones and the ECU's own check calls it healthy; otherwise the ECU
 * falls back by itself. Whoever leads the vehicle's transaction makes the trial final or takes it back.
 * At every instant at least the running slot is whole, and the record says so.
 */
import { createHashTap } from '@immota/image';
import { checkMeasurement, hashesAgree, UptaneFault } from '@immota/uptane';
import { boundedCodes } from '../boot/bank-record.ts';
import { examine, type SelfTest, selfTestOf } from '../boot/self-test.ts';
import { measurementOf } from '../download/partial-file.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { BootHealth } from './boot-health.ts';
import {
  type BootRecord,
  loadBootRecord,
  saveBootRecord,
  type SlotContent,
  type SlotName,
} from './boot-record.ts';
import type { SlotImage } from './image-slots.ts';
import {
  CHECKPOINT_BYTES,
  KNOWN_TRIAL_BOOTS_MAX,
  TRIAL_BOOTS_MAX,
  WRITE_LENGTH_BYTES,
} from './limits.ts';
import type { ResumableSlots, ResumableWriter, RunningBytes } from './resumable-slots.ts';
import { type SlotFile, type SlotFiles, filesOfFolder } from './slot-files.ts';
import { FolderWriter } from './folder-writer.ts';

/** How an ECU finds out whether an image that it tries is healthy; throws or says no when not. */
export type HealthCheck = (image: SlotImage) => Promise<boolean>;

/** How to open slots. */
export interface FolderSlotsOptions {
  readonly folder: string;
  /** Asked at each boot of a trial, after the bytes were found whole; every whole image is healthy when left out. */
  readonly healthCheck?: HealthCheck | undefined;
  /** Asked instead, where the ECU can tell its trouble codes too: its health is then part of the outcome. */
  readonly selfTest?: SelfTest | undefined;
  /** The real ones when left out. */
  readonly files?: SlotFiles | undefined;
  /** Smaller ones for ECUs with little memory; those of `limits.ts` when left out. */
  readonly writeLengthBytes?: number | undefined;
  readonly checkpointBytes?: number | undefined;
}

/**
 * Opens the slots of a folder, or makes them.
 *
 * @throws VehicleFault STATE_CORRUPT when the boot record is lost.
 */
export async function openFolderSlots(options: FolderSlotsOptions): Promise<ResumableSlots> {
  const {
    folder,
    healthCheck,
    selfTest = healthCheck === undefined ? undefined : selfTestOf(healthCheck),
    files = filesOfFolder(folder),
    writeLengthBytes = WRITE_LENGTH_BYTES,
    checkpointBytes = CHECKPOINT_BYTES,
  } = options;
  const record = await loadBootRecord(files);
  const isHealthTold = options.selfTest !== undefined;
  const setup = { files, selfTest, isHealthTold, writeLengthBytes, checkpointBytes };
  return new FolderSlots(setup, record);
}

/** What came of a start. */
interface Examined {
  /** Empty when all is well. */
  readonly reason: string;
  readonly health?: BootHealth | undefined;
}

interface SlotSetup {
  readonly files: SlotFiles;
  readonly selfTest: SelfTest | undefined;
  readonly isHealthTold: boolean;
  readonly writeLengthBytes: number;
  readonly checkpointBytes: number;
}

class FolderSlots implements ResumableSlots {
  readonly #setup: SlotSetup;
  readonly #files: SlotFiles;
  #record: BootRecord;

  constructor(setup: SlotSetup, record: BootRecord) {
    this.#setup = setup;
    this.#files = setup.files;
    this.#record = record;
  }

  condition(): ReturnType<ResumableSlots['condition']> {
    const { running, releaseFloor, outcome } = this.#record;
    return {
      running,
      releaseFloor,
      outcome,
      isTrial: this.#findTrial() !== undefined,
      canRevert: true,
    };
  }

  findRunning(): SlotImage | undefined {
    const { running, slots } = this.#record;
    return running === undefined ? undefined : slots[running]?.image;
  }

  findPrepared(): SlotImage | undefined {
    const content = this.#record.slots[this.#other()];
    return content?.state === 'prepared' ? content.image : undefined;
  }

  async openRunning(): Promise<RunningBytes | undefined> {
    const { running, slots } = this.#record;
    const content = running === undefined ? undefined : slots[running];
    if (running === undefined || content === undefined) return undefined;
    const file = await this.#files.openToRead(fileNameOf(running));
    if (file === undefined) return undefined;
    const { lengthBytes } = content.image;
    return {
      lengthBytes,
      read: (offsetBytes, into) => readWhole(file, offsetBytes, into),
      close: () => file.close(),
    };
  }

  findFallback(): SlotImage | undefined {
    const content = this.#record.slots[this.#other()];
    return this.#findTrial() !== undefined && content?.state === 'confirmed'
      ? content.image
      : undefined;
  }

  findReceived(image: SlotImage): number {
    const content = this.#record.slots[this.#other()];
    return content?.state === 'receiving' && isSameImage(content.image, image)
      ? content.durableBytes
      : 0;
  }

  async *readReceived(lengthBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* readSlot(this.#setup, fileNameOf(this.#other()), lengthBytes);
  }

  async write(image: SlotImage): Promise<ResumableWriter> {
    const { releaseFloor } = this.#record;
    // {uptane K7}: a second look; metadata were checked against the same floor.
    if (image.releaseCounter < releaseFloor) {
      throw new UptaneFault(
        'RELEASE_COUNTER',
        `Cannot write "${image.name}": release ${image.releaseCounter} after ${releaseFloor}`,
      );
    }
    this.#checkNotOnTrial();
    // The record gives the slot up before the first byte of it changes.
    const troubleCodesBefore = await this.#readTroubleCodes();
    await this.#setOther({ state: 'receiving', image, durableBytes: 0 }, { troubleCodesBefore });
    return await this.#openWriter(image, 0);
  }

  async resume(image: SlotImage, fromBytes: number): Promise<ResumableWriter> {
    if (fromBytes > this.findReceived(image)) {
      throw new VehicleFault('SLOT_EMPTY', `Cannot resume "${image.name}": it is not there`);
    }
    return await this.#openWriter(image, fromBytes);
  }

  async discardOther(): Promise<void> {
    const content = this.#record.slots[this.#other()];
    // The image that ran before stays: it is what the ECU falls back to.
    if (content === undefined || content.state === 'confirmed') return;
    await this.#setOther(undefined);
  }

  async activate(): Promise<void> {
    this.#checkNotOnTrial();
    const slot = this.#other();
    if (this.#record.slots[slot]?.state !== 'prepared') {
      throw new VehicleFault('SLOT_EMPTY', 'Cannot activate: no image is prepared');
    }
    const troubleCodesBefore = await this.#readTroubleCodes();
    await this.#save({ trial: { slot, boots: 0 }, troubleCodesBefore });
  }

  async boot(): Promise<SlotImage | undefined> {
    if (this.#record.isReverting) await this.#goBack();
    const running = this.#findTrial();
    const trial =
      this.#record.trial ?? (running === undefined ? undefined : { slot: running, boots: 0 });
    if (trial !== undefined && (await this.#try(trial))) return this.findRunning();
    await this.#keepRunningWhole();
    return this.findRunning();
  }

  async confirm(): Promise<void> {
    const { running, slots, isReverting, releaseFloor } = this.#record;
    const content = running === undefined ? undefined : slots[running];
    if (running === undefined || content === undefined || isReverting) {
      throw new VehicleFault('NOT_ON_TRIAL', 'Cannot confirm: no trial runs');
    }
    if (content.state === 'confirmed') return;
    const { image } = content;
    await this.#save({
      slots: { ...slots, [running]: { ...content, state: 'confirmed' } },
      // Only now: an image that is not final must not bar the one before it {uptane K7}.
      releaseFloor: Math.max(releaseFloor, image.releaseCounter),
      outcome: { result: 'confirmed', image, reason: '', ...this.#healthSoFar() },
    });
  }

  async revert(): Promise<void> {
    if (this.#findTrial() === undefined) {
      throw new VehicleFault('NOT_ON_TRIAL', 'Cannot revert: no trial runs');
    }
    if (!this.#record.isReverting) await this.#save({ isReverting: true });
  }

  /** The slot that runs on trial. */
  #findTrial(): SlotName | undefined {
    const { running, slots } = this.#record;
    return running !== undefined && slots[running]?.state === 'trial' ? running : undefined;
  }

  /** The other slot is the way back, and is not given up before the trial is over. */
  #checkNotOnTrial(): void {
    if (this.#findTrial() === undefined) return;
    throw new VehicleFault('ON_TRIAL', 'Cannot write: what runs is on trial');
  }

  /** Ends the trial as it was told to; when what ran before is damaged, the trial runs on. */
  async #goBack(): Promise<void> {
    const slot = this.#findTrial();
    const content = slot === undefined ? undefined : this.#record.slots[slot];
    if (slot === undefined || content === undefined) {
      await this.#save({ isReverting: false });
      return;
    }
    const { image } = content;
    const spare = otherThan(slot);
    const before = this.#record.slots[spare];
    if (before !== undefined && !(await this.#isWhole(spare, before.image))) {
      const reason = 'what ran before is damaged';
      const outcome = { result: 'revert-failed', image, reason, ...this.#healthSoFar() } as const;
      await this.#save({ isReverting: false, outcome });
      return;
    }
    await this.#save({
      slots: { ...this.#record.slots, [slot]: undefined },
      running: before === undefined ? undefined : spare,
      trial: undefined,
      isReverting: false,
      outcome: { result: 'reverted', image, reason: '', ...this.#healthSoFar() },
    });
  }

  /** Tries an image; true when it runs, on trial. */
  async #try({ slot, boots }: NonNullable<BootRecord['trial']>): Promise<boolean> {
    const content = this.#record.slots[slot];
    if (content === undefined) {
      await this.#save({ trial: undefined });
      return false;
    }
    const bootsMax = content.state === 'trial' ? KNOWN_TRIAL_BOOTS_MAX : TRIAL_BOOTS_MAX;
    if (boots >= bootsMax) {
      await this.#fallBack(slot, content, { reason: `it did not come up in ${boots} boots` });
      return false;
    }
    await this.#save({ trial: { slot, boots: boots + 1 } });
    const found = await this.#examine(slot, content, boots);
    if (found.reason !== '') {
      await this.#fallBack(slot, content, found);
      return false;
    }
    const { image } = content;
    const { outcome: former, running } = this.#record;
    const told = found.health === undefined ? {} : { health: found.health };
    await this.#save({
      slots: { ...this.#record.slots, [slot]: { ...content, state: 'trial' } },
      running: slot,
      trial: undefined,
      outcome:
        running === slot
          ? former && { ...former, ...told }
          : { result: 'trial', image, reason: '', ...told },
    });
    return true;
  }

  /** Why an image is not to run, and how the ECU was with it; the reason is empty when all is well. */
  async #examine(slot: SlotName, { image }: SlotContent, resets: number): Promise<Examined> {
    const { selfTest, isHealthTold } = this.#setup;
    const { releaseFloor, troubleCodesBefore } = this.#record;
    if (image.releaseCounter < releaseFloor) return { reason: 'its release is too old' };
    if (!(await this.#isWhole(slot, image))) {
      return { reason: 'its bytes are not the verified ones' };
    }
    const request = { image, selfTest, watchdog: undefined, troubleCodesBefore, resets };
    try {
      const found = await examine(request);
      if (found.kind === 'hung') return { reason: 'it does not answer' };
      return { reason: found.reason, health: isHealthTold ? found.health : undefined };
    } catch {
      return { reason: 'the self test failed: it broke off' };
    }
  }

  async #readTroubleCodes(): Promise<readonly number[] | undefined> {
    const { running, troubleCodesBefore } = this.#record;
    const { selfTest, isHealthTold } = this.#setup;
    // A part without software knows of none: those of when something ran stay.
    if (running === undefined || selfTest === undefined || !isHealthTold) return troubleCodesBefore;
    return boundedCodes(await selfTest.readTroubleCodes());
  }

  #healthSoFar(): { readonly health?: BootHealth } {
    const health = this.#record.outcome?.health;
    return health === undefined ? {} : { health };
  }

  async #fallBack(
    slot: SlotName,
    { image }: SlotContent,
    { reason, health }: Examined,
  ): Promise<void> {
    const { running, slots } = this.#record;
    const spare = otherThan(slot);
    // A trial that ran well until now: what ran before it runs again, once it is found whole.
    const before = slots[spare]?.state === 'confirmed' ? spare : undefined;
    await this.#save({
      slots: { ...slots, [slot]: undefined },
      running: running === slot ? before : running,
      trial: undefined,
      isReverting: false,
      outcome: { result: 'fell-back', image, reason, ...(health === undefined ? {} : { health }) },
    });
  }

  /** The running image is verified at every boot; the one before it stands in when it is damaged. */
  async #keepRunningWhole(): Promise<void> {
    const { running, slots, releaseFloor } = this.#record;
    const content = running === undefined ? undefined : slots[running];
    if (running === undefined || content === undefined) return;
    if (await this.#isWhole(running, content.image)) return;
    const spare = otherThan(running);
    const before = slots[spare];
    const canTakeOver =
      before?.state === 'confirmed' &&
      before.image.releaseCounter >= releaseFloor &&
      (await this.#isWhole(spare, before.image));
    await this.#save({
      slots: { ...slots, [running]: undefined },
      running: canTakeOver ? spare : undefined,
      outcome: { result: 'fell-back', image: content.image, reason: 'its bytes were damaged' },
    });
  }

  async #isWhole(slot: SlotName, image: SlotImage): Promise<boolean> {
    const tap = createHashTap({ sha512: image.hashes.has('sha512') });
    // One byte more than it should have tells a longer file.
    const bytes = readSlot(this.#setup, fileNameOf(slot), image.lengthBytes + 1);
    for await (const part of bytes) tap.update(part);
    try {
      checkMeasurement(image, measurementOf(tap));
      return true;
    } catch (error) {
      if (error instanceof UptaneFault) return false;
      throw error;
    }
  }

  async #openWriter(image: SlotImage, fromBytes: number): Promise<ResumableWriter> {
    const file = await this.#files.openToWrite(fileNameOf(this.#other()));
    await this.#files.syncNames();
    return new FolderWriter({
      file,
      lengthBytes: image.lengthBytes,
      writeLengthBytes: this.#setup.writeLengthBytes,
      checkpointBytes: this.#setup.checkpointBytes,
      fromBytes,
      onDurable: async (durableBytes, isWhole) => {
        const state = isWhole ? 'prepared' : 'receiving';
        await this.#setOther({ state, image, durableBytes });
      },
      onDiscard: async () => this.#setOther(undefined),
    });
  }

  async #setOther(
    content: SlotContent | undefined,
    changes: Partial<BootRecord> = {},
  ): Promise<void> {
    const slots = { ...this.#record.slots, [this.#other()]: content };
    await this.#save({ ...changes, slots, trial: undefined });
  }

  #other(): SlotName {
    return otherThan(this.#record.running ?? 'b');
  }

  async #save(changes: Partial<BootRecord>): Promise<void> {
    const next = { ...this.#record, ...changes, sequence: this.#record.sequence + 1 };
    await saveBootRecord(this.#files, next);
    this.#record = next;
  }
}

function otherThan(slot: SlotName): SlotName {
  return slot === 'a' ? 'b' : 'a';
}

function fileNameOf(slot: SlotName): string {
  return `slot-${slot}.image`;
}

function isSameImage(left: SlotImage, right: SlotImage): boolean {
  return (
    left.name === right.name &&
    left.lengthBytes === right.lengthBytes &&
    left.releaseCounter === right.releaseCounter &&
    hashesAgree(left.hashes, right.hashes)
  );
}

/** Fills bytes from a file; what is missing behind its end stays as it is, and no hash will fit. */
async function readWhole(file: SlotFile, offsetBytes: number, into: Uint8Array): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const count = await file.read(into.subarray(filled), offsetBytes + filled);
    if (count === 0) return;
    filled += count;
  }
}

/** Reads at most so many bytes; a part is valid until the next one is asked for. */
async function* readSlot(
  { files, writeLengthBytes }: SlotSetup,
  name: string,
  lengthMaxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file: SlotFile | undefined = await files.openToRead(name);
  if (file === undefined) return;
  try {
    const buffer = new Uint8Array(writeLengthBytes);
    for (let position = 0; position < lengthMaxBytes;) {
      const room = buffer.subarray(0, Math.min(buffer.length, lengthMaxBytes - position));
      const count = await file.read(room, position);
      if (count === 0) return;
      position += count;
      yield room.subarray(0, count);
    }
  } finally {
    await file.close();
  }
}
