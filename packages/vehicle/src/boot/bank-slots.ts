/**
 * The boot loader of a microcontroller with one or two banks of flash, and the programming of them. It
 * is never erased itself, so whatever happens to a bank, it starts, and takes an image.
 *
 * At every start it verifies what it would jump to: the seal, the bytes, the release counter. An image
 * on trial has spent one of its starts, durably, before it gets the processor.
 */
import { assert } from '@immota/base';
import { UptaneFault } from '@immota/uptane';
import { FlashFault } from '../flash/flash-fault.ts';
import type { BootHealth } from '../slots/boot-health.ts';
import type { SlotName } from '../slots/boot-record.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { KNOWN_TRIAL_BOOTS_MAX, TRIAL_BOOTS_MAX } from '../slots/limits.ts';
import type { InPlaceWriter, ResumableWriter, RunningBytes } from '../slots/resumable-slots.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { Bank } from './bank.ts';
import {
  type BankContent,
  type BankOutcome,
  type BankRecord,
  boundedCodes,
} from './bank-record.ts';
import { BankRewriter } from './bank-rewriter.ts';
import type { BankCondition, BankSlots, BankSlotsSetup } from './bank-slots-setup.ts';
import { BankWriter } from './bank-writer.ts';
import { identityOf, isSameImage } from './image-statement.ts';
import { examine } from './self-test.ts';

const NAMES: readonly SlotName[] = ['a', 'b'];

/** See the head of the file. Opened by `openTwoBankSlots` and `openOneBankSlots`. */
export class FlashBankSlots implements BankSlots {
  readonly #setup: BankSlotsSetup;
  #record: BankRecord;
  /** What the seals say, where it is what the record says. */
  readonly #images: (SlotImage | undefined)[];

  constructor(
    setup: BankSlotsSetup,
    record: BankRecord,
    images: readonly (SlotImage | undefined)[],
  ) {
    this.#setup = setup;
    this.#record = record;
    this.#images = [...images];
  }

  condition(): BankCondition {
    const { running, releaseFloor, outcome } = this.#record;
    const isTrial = this.#findTrial() !== undefined;
    return {
      running: running === undefined ? undefined : NAMES[running],
      releaseFloor,
      outcome,
      isTrial,
      canRevert: !this.#isSingle(),
      mode: running === undefined ? 'loader' : isTrial ? 'trial' : 'final',
      deltaPageBytes: this.#setup.pages?.pageBytes,
    };
  }

  findRunning(): SlotImage | undefined {
    const { running } = this.#record;
    return running === undefined ? undefined : this.#images[running];
  }

  /** With one bank nothing can be read while it is written. */
  async openRunning(): Promise<RunningBytes | undefined> {
    const { running } = this.#record;
    const image = this.findRunning();
    await Promise.resolve();
    if (running === undefined || image === undefined || this.#setup.banks.length < 2) {
      return undefined;
    }
    const bank = this.#bank(running);
    return {
      lengthBytes: image.lengthBytes,
      read: async (offsetBytes, into) => bank.readAt(offsetBytes, into),
      close: () => Promise.resolve(),
    };
  }

  findPrepared(): SlotImage | undefined {
    const bank = this.#other();
    return this.#record.banks[bank]?.state === 'prepared' ? this.#images[bank] : undefined;
  }

  findFallback(): SlotImage | undefined {
    if (this.#isSingle()) return this.#record.fallback;
    const bank = this.#other();
    const isWayBack = this.#findTrial() !== undefined && this.#stateOf(bank) === 'confirmed';
    return isWayBack ? this.#images[bank] : undefined;
  }

  findReceived(image: SlotImage): number {
    const content = this.#record.banks[this.#other()];
    return content?.state === 'receiving' && isIdentity(content, image) ? content.durableBytes : 0;
  }

  async *readReceived(lengthBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#bank(this.#other()).read(lengthBytes);
  }

  async write(image: SlotImage): Promise<ResumableWriter> {
    this.#checkFloor(image);
    // With one bank, what was final last is the one image that may end a trial.
    const isRestoring = this.#isSingle() && isSameImage(this.#record.fallback, image);
    if (!isRestoring) this.#checkNotOnTrial();
    const bank = this.#other();
    this.#bank(bank).checkRoom(image);
    this.#setup.checkRecordRoom(image);
    const content = { state: 'receiving', identity: identityOf(image), durableBytes: 0 } as const;
    const fallback = this.#fallbackWhileWriting();
    const troubleCodesBefore = await this.#readTroubleCodes();
    // The record gives the bank up, then its seal is broken, then its first byte may change.
    await this.#setOther(content, { fallback, troubleCodesBefore });
    return await this.#openWriter(image, 0);
  }

  async resume(image: SlotImage, fromBytes: number): Promise<ResumableWriter> {
    const receivedBytes = this.findReceived(image);
    if (receivedBytes === 0 || fromBytes > receivedBytes) {
      throw new VehicleFault('SLOT_EMPTY', `Cannot resume "${image.name}": it is not there`);
    }
    return await this.#openWriter(image, fromBytes);
  }

  async rewrite(image: SlotImage): Promise<InPlaceWriter | undefined> {
    const { pages, flash, blockBytes } = this.#setup;
    const content = this.#record.banks[0];
    const isResumed = content?.state === 'rewriting' && isIdentity(content, image);
    const final = content?.state === 'confirmed' ? this.#images[0] : undefined;
    const base = isResumed ? this.#record.fallback : final;
    if (pages === undefined || base === undefined) return undefined;
    this.#checkFloor(image);
    this.#bank(0).checkRoom(image);
    this.#setup.checkRecordRoom(image);
    const identity = identityOf(image);
    const progress = isResumed
      ? (content.rewrite ?? { pagesDone: 0, staged: undefined })
      : undefined;
    const rewriting = { state: 'rewriting', identity, durableBytes: 0, rewrite: progress } as const;
    const rewriter = new BankRewriter({
      flash,
      bank: this.#bank(0),
      pages,
      base,
      image,
      progress,
      blockBytes,
      onBegin: async () => {
        const troubleCodesBefore = await this.#readTroubleCodes();
        await this.#setOther(rewriting, { fallback: base, troubleCodesBefore });
        this.#images[0] = undefined;
      },
      onProgress: async (rewrite) => {
        await this.#setup.records.saveRewrite(0, rewrite);
        const banks = withBank(this.#record.banks, 0, { ...rewriting, rewrite });
        this.#record = { ...this.#record, banks };
      },
      onSealed: async () => this.#setPrepared(0, image),
      onDiscard: async () => this.#setOther(undefined),
    });
    await rewriter.recover();
    return rewriter;
  }

  async discardOther(): Promise<void> {
    const state = this.#stateOf(this.#other());
    // What runs, and what an ECU goes back to, stay.
    const isOnItsWay = state === 'receiving' || state === 'prepared' || state === 'rewriting';
    if (isOnItsWay) await this.#setOther(undefined);
  }

  async activate(): Promise<void> {
    this.#checkNotOnTrial();
    const bank = this.#other();
    if (this.#stateOf(bank) !== 'prepared') {
      throw new VehicleFault('SLOT_EMPTY', 'Cannot activate: no image is prepared');
    }
    const troubleCodesBefore = await this.#readTroubleCodes();
    await this.#save({ trial: { bank, boots: 0 }, troubleCodesBefore });
  }

  async boot(): Promise<SlotImage | undefined> {
    if (this.#record.isReverting) await this.#goBack();
    for (let start = 0; start <= KNOWN_TRIAL_BOOTS_MAX; start += 1) {
      const running = this.#findTrial();
      const known = running === undefined ? undefined : { bank: running, boots: 0 };
      const trial = this.#record.trial ?? known;
      const ending = trial === undefined ? 'over' : await this.#try(trial);
      if (ending === 'runs') return this.findRunning();
      if (ending === 'over') break;
      // The watchdog has reset the ECU: it starts again.
    }
    await this.#keepRunningWhole();
    return this.findRunning();
  }

  async confirm(): Promise<void> {
    const { running, banks, isReverting, releaseFloor } = this.#record;
    const content = running === undefined ? undefined : banks[running];
    const image = this.findRunning();
    if (running === undefined || content === undefined || image === undefined || isReverting) {
      throw new VehicleFault('NOT_ON_TRIAL', 'Cannot confirm: no trial runs');
    }
    if (content.state === 'confirmed') return;
    const health = this.#record.outcome?.health;
    await this.#save({
      banks: withBank(banks, running, { ...content, state: 'confirmed' }),
      // Only now: an image that is not final must not bar the one before it {uptane K7}.
      releaseFloor: Math.max(releaseFloor, image.releaseCounter),
      fallback: undefined,
      outcome: { result: 'confirmed', image, reason: '', health },
    });
  }

  async revert(): Promise<void> {
    if (this.#findTrial() === undefined) {
      throw new VehicleFault('NOT_ON_TRIAL', 'Cannot revert: no trial runs');
    }
    if (this.#isSingle()) {
      throw new VehicleFault('CANNOT_REVERT', 'Cannot revert: there is one bank alone');
    }
    if (!this.#record.isReverting) await this.#save({ isReverting: true });
  }

  /** Ends the trial as it was told to; when what ran before is damaged, the trial runs on. */
  async #goBack(): Promise<void> {
    const bank = this.#findTrial();
    const image = this.findRunning();
    if (bank === undefined || image === undefined) {
      await this.#save({ isReverting: false });
      return;
    }
    const spare = this.#otherThan(bank);
    const isThere = this.#stateOf(spare) === 'confirmed';
    const health = this.#record.outcome?.health;
    if (isThere && (await this.#findFault(spare)) !== undefined) {
      const reason = 'what ran before is damaged';
      const outcome = { result: 'revert-failed', image, reason, health } as const;
      await this.#save({ isReverting: false, outcome });
      return;
    }
    await this.#save({
      banks: withBank(this.#record.banks, bank, undefined),
      running: isThere ? spare : undefined,
      trial: undefined,
      isReverting: false,
      outcome: { result: 'reverted', image, reason: '', health },
    });
  }

  /** Starts an image on trial. `reset` when the watchdog ended it, `over` when it is given up. */
  async #try({
    bank,
    boots,
  }: NonNullable<BankRecord['trial']>): Promise<'runs' | 'reset' | 'over'> {
    const content = this.#record.banks[bank];
    const image = this.#images[bank];
    if (content === undefined || content.state === 'receiving' || content.state === 'rewriting') {
      await this.#save({ trial: undefined });
      return 'over';
    }
    const bootsMax = content.state === 'trial' ? KNOWN_TRIAL_BOOTS_MAX : TRIAL_BOOTS_MAX;
    if (boots >= bootsMax) {
      return await this.#fallBack(bank, `it did not come up in ${boots} starts`);
    }
    const fault = await this.#findFault(bank);
    if (fault !== undefined || image === undefined) return await this.#fallBack(bank, fault ?? '');
    // Durable before the jump, or there is no jump: else a hanging image would hang for ever.
    if (!(await this.#trySave({ trial: { bank, boots: boots + 1 } }))) return 'over';
    const { selfTest, watchdog } = this.#setup;
    const { troubleCodesBefore } = this.#record;
    const found = await examine({ image, selfTest, watchdog, troubleCodesBefore, resets: boots });
    if (found.kind === 'hung') return 'reset';
    const { health, reason } = found;
    const isRestored = this.#isSingle() && isSameImage(this.#record.fallback, image);
    if (reason !== '' && !isRestored) return await this.#fallBack(bank, reason, health);
    await this.#settleTrial({ bank, content, image, isRestored, health, reason });
    return 'runs';
  }

  async #settleTrial(trial: {
    readonly bank: number;
    readonly content: BankContent;
    readonly image: SlotImage;
    /** It was final before, and is again. */
    readonly isRestored: boolean;
    readonly health: BootHealth;
    readonly reason: string;
  }): Promise<void> {
    const { bank, content, image, isRestored, health, reason } = trial;
    const { banks, outcome: former } = this.#record;
    const state = isRestored ? 'confirmed' : 'trial';
    const taken = former === undefined || isSameImage(former.image, image) ? image : former.image;
    const because = former?.result === 'fell-back' ? former.reason : reason;
    const outcome: BankOutcome = isRestored
      ? { result: 'reverted', image: taken, reason: because, health }
      : { result: 'trial', image, reason: '', health };
    await this.#save({
      banks: withBank(banks, bank, { ...content, state }),
      running: bank,
      trial: undefined,
      fallback: isRestored ? undefined : this.#record.fallback,
      outcome: !isRestored && former?.result === 'revert-failed' ? { ...former, health } : outcome,
    });
  }

  /** Why the loader must not jump into a bank; undefined when it may. */
  async #findFault(bank: number): Promise<string | undefined> {
    const content = this.#record.banks[bank];
    const image = await this.#bank(bank).findSealed();
    if (content === undefined || image === undefined || !isIdentity(content, image)) {
      return 'its seal is not genuine';
    }
    // {uptane K7}: however it came there.
    if (image.releaseCounter < this.#record.releaseFloor) return 'its release is too old';
    if (!(await this.#bank(bank).isWhole(image))) return 'its bytes are not the verified ones';
    return undefined;
  }

  async #fallBack(bank: number, reason: string, health?: BootHealth): Promise<'over'> {
    const { running, banks } = this.#record;
    const image = this.#images[bank];
    const spare = this.#otherThan(bank);
    // A trial that ran well until now: what ran before it runs again, once it is found whole.
    const before = this.#stateOf(spare) === 'confirmed' && spare !== bank ? spare : undefined;
    const outcome =
      image === undefined ? undefined : ({ result: 'fell-back', image, reason, health } as const);
    await this.#trySave({
      banks: withBank(banks, bank, undefined),
      running: running === bank ? before : running,
      trial: undefined,
      isReverting: false,
      outcome: outcome ?? this.#record.outcome,
    });
    return 'over';
  }

  /** The running image is verified at every start; the one before it stands in when it is damaged. */
  async #keepRunningWhole(): Promise<void> {
    const { running, banks, fallback } = this.#record;
    if (running === undefined) return;
    const reason = await this.#findFault(running);
    if (reason === undefined) return;
    const spare = this.#otherThan(running);
    const canTakeOver =
      spare !== running &&
      this.#stateOf(spare) === 'confirmed' &&
      (await this.#findFault(spare)) === undefined;
    const image = this.#images[running];
    const former = this.#record.outcome;
    const lost = image === undefined ? former : undefined;
    await this.#trySave({
      banks: withBank(banks, running, undefined),
      running: canTakeOver ? spare : undefined,
      // With one bank the image that was lost is what is to be written again.
      fallback: this.#isSingle() && this.#stateOf(running) === 'confirmed' ? image : fallback,
      outcome: lost ?? (image && { result: 'fell-back', image, reason, health: undefined }),
    });
  }

  async #openWriter(image: SlotImage, fromBytes: number): Promise<ResumableWriter> {
    const bank = this.#other();
    const { blockBytes, progressBytes } = this.#setup;
    const durableBytes = this.findReceived(image);
    await this.#bank(bank).breakSeal();
    this.#images[bank] = undefined;
    const identity = identityOf(image);
    return new BankWriter({
      bank: this.#bank(bank),
      image,
      fromBytes,
      durableBytes,
      blockBytes,
      progressBytes,
      onProgress: async (bytes) => {
        await this.#setup.records.saveProgress(bank, bytes);
        const content = { state: 'receiving', identity, durableBytes: bytes } as const;
        this.#record = { ...this.#record, banks: withBank(this.#record.banks, bank, content) };
      },
      onSealed: async () => this.#setPrepared(bank, image),
      onDiscard: async () => this.#setOther(undefined),
    });
  }

  async #setPrepared(bank: number, image: SlotImage): Promise<void> {
    const identity = identityOf(image);
    await this.#setOther({ state: 'prepared', identity, durableBytes: image.lengthBytes });
    this.#images[bank] = image;
  }

  /** {uptane K7}: a second look; metadata were checked against the same floor. */
  #checkFloor({ name, releaseCounter }: SlotImage): void {
    const { releaseFloor } = this.#record;
    if (releaseCounter >= releaseFloor) return;
    throw new UptaneFault(
      'RELEASE_COUNTER',
      `Cannot write "${name}": release ${releaseCounter} after ${releaseFloor}`,
    );
  }

  /** With one bank, writing it ends what ran. */
  async #setOther(
    content: BankContent | undefined,
    changes: Partial<BankRecord> = {},
  ): Promise<void> {
    const { banks, running } = this.#record;
    const bank = this.#other();
    await this.#save({
      ...changes,
      banks: withBank(banks, bank, content),
      running: this.#isSingle() ? undefined : running,
      trial: undefined,
    });
  }

  /** What was final last stays known while the one bank holds something else. */
  #fallbackWhileWriting(): SlotImage | undefined {
    if (!this.#isSingle()) return undefined;
    return this.#stateOf(0) === 'confirmed' ? this.#images[0] : this.#record.fallback;
  }

  async #readTroubleCodes(): Promise<readonly number[] | undefined> {
    // The boot loader alone knows of none: those of when something ran stay.
    const { running, troubleCodesBefore } = this.#record;
    const { selfTest } = this.#setup;
    if (running === undefined || selfTest === undefined) return troubleCodesBefore;
    return boundedCodes(await selfTest.readTroubleCodes());
  }

  /** The bank that runs on trial. */
  #findTrial(): number | undefined {
    const { running } = this.#record;
    return running !== undefined && this.#stateOf(running) === 'trial' ? running : undefined;
  }

  /** The other bank is the way back, and is not given up before the trial is over. */
  #checkNotOnTrial(): void {
    if (this.#findTrial() === undefined) return;
    throw new VehicleFault('ON_TRIAL', 'Cannot write: what runs is on trial');
  }

  #isSingle(): boolean {
    return this.#setup.banks.length === 1;
  }

  #other(): number {
    return this.#isSingle() ? 0 : this.#otherThan(this.#record.running ?? 1);
  }

  #otherThan(bank: number): number {
    return this.#isSingle() ? 0 : 1 - bank;
  }

  #stateOf(bank: number): BankContent['state'] | undefined {
    return this.#record.banks[bank]?.state;
  }

  #bank(index: number): Bank {
    const bank = this.#setup.banks[index];
    assert(bank !== undefined, 'a record names banks that there are');
    return bank;
  }

  /** For a start that must not end in a worn record: false when it is known in memory alone. */
  async #trySave(changes: Partial<BankRecord>): Promise<boolean> {
    try {
      await this.#save(changes);
      return true;
    } catch (error) {
      if (!(error instanceof FlashFault)) throw error;
      if (changes.trial === undefined) this.#record = { ...this.#record, ...changes };
      return false;
    }
  }

  async #save(changes: Partial<BankRecord>): Promise<void> {
    const next = { ...this.#record, ...changes };
    await this.#setup.records.save(next);
    this.#record = next;
  }
}

function withBank(
  banks: BankRecord['banks'],
  bank: number,
  content: BankContent | undefined,
): BankRecord['banks'] {
  return banks.map((is, index) => (index === bank ? content : is));
}

function isIdentity({ identity }: BankContent, image: SlotImage): boolean {
  return Buffer.compare(identity, identityOf(image)) === 0;
}
