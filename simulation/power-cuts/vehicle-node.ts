/**
 * One ECU of a vehicle on the bench, as the T-BOX reaches it: one request after the other, and no answer
 * while its power is off. It starts again when somebody next asks.
 */
import {
  FlashPowerCut,
  installImage,
  type Participant,
  type ResumableSlots,
  type Standing,
  type TransactionEcu,
  VehicleFault,
} from '@immota/vehicle';
import { PowerCut } from '../power.ts';
import type { CutBench, Wellness } from './cut-bench.ts';
import type { Sample, SamplePair } from './samples.ts';

/** An ECU before its story. */
export interface NodeSetup {
  readonly name: string;
  readonly kind: 'self' | 'banked' | 'in-place';
  readonly bench: CutBench;
  readonly samples: SamplePair;
  /** How its new image is when it starts. */
  readonly wellness: Wellness;
}

const PIECE_BYTES = 700;

/** See the head of the file. */
export class VehicleNode {
  readonly name: string;
  readonly kind: NodeSetup['kind'];
  readonly bench: CutBench;
  readonly samples: SamplePair;
  readonly #wellness: Wellness;
  #slots: ResumableSlots | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Called when it has started. */
  onStart: (node: VehicleNode, slots: ResumableSlots) => void = () => undefined;

  constructor(setup: NodeSetup) {
    this.name = setup.name;
    this.kind = setup.kind;
    this.bench = setup.bench;
    this.samples = setup.samples;
    this.#wellness = setup.wellness;
  }

  /** Asks it something, when what was asked before is done. @throws VehicleFault ECU_UNREACHABLE. */
  async ask<Answer>(act: (slots: ResumableSlots) => Promise<Answer>): Promise<Answer> {
    const before = this.#last.catch(() => undefined);
    const asked = before.then(() => this.#powered(async () => await act(await this.start())));
    this.#last = asked;
    return await asked;
  }

  /** Its slots, once it has started. */
  async start(): Promise<ResumableSlots> {
    if (this.#slots !== undefined) return this.#slots;
    this.bench.powerOn();
    const slots = await this.bench.start(({ name }) =>
      name === this.samples.new.image.name ? this.#wellness : 'well',
    );
    await slots.boot();
    this.#slots = slots;
    this.onStart(this, slots);
    return slots;
  }

  /** Ends what runs in it; it starts anew when somebody asks. */
  stop(): void {
    this.#slots = undefined;
  }

  /** How it stands, seen without asking it; `?` while it is off. */
  look(): Standing | '?' {
    return this.#slots === undefined ? '?' : this.standing(this.#slots);
  }

  /** How it stands, as its report would say. */
  standing(slots: ResumableSlots): Standing {
    const name = this.samples.new.image.name;
    if (slots.findPrepared()?.name === name) return 'prepared';
    const running = slots.findRunning()?.name;
    if (running === name) return slots.condition().isTrial ? 'new-trial' : 'new-final';
    return running === this.samples.old.image.name ? 'old' : 'other';
  }

  /** What a transaction can do with it, which has the bytes of the old image or not. */
  participant({ old }: Pick<TransactionEcu, 'old'>): Participant {
    const { samples, kind } = this;
    const boot = async (): Promise<void> => {
      if (kind === 'self') return;
      this.stop();
      await this.start();
    };
    return {
      observe: () => this.ask(async (slots) => this.standing(slots)),
      prepare: () =>
        this.ask(async (slots) => {
          const standing = this.standing(slots);
          // As an ECU answers: what it has, or runs on trial, it does not take again.
          if (standing === 'prepared' || standing === 'new-trial') return;
          await install(slots, samples.new);
        }),
      activate: () =>
        this.ask(async (slots) => {
          await slots.activate();
          await boot();
        }),
      confirm: () => this.ask((slots) => slots.confirm()),
      rollBack: () =>
        this.ask(async (slots) => {
          await slots.discardOther();
          const { isTrial, canRevert } = slots.condition();
          if (isTrial && canRevert) {
            await slots.revert();
            await boot();
          } else if (kind === 'in-place' && this.standing(slots) !== 'old') {
            if (old.served === null) throw new VehicleFault('SLOT_EMPTY', 'Cannot write: not kept');
            await install(slots, samples.old);
            await slots.activate();
            await boot();
          }
        }),
    };
  }

  async #powered<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof FlashPowerCut) && !(error instanceof PowerCut)) throw error;
      this.stop();
      // The T-BOX's own power is the T-BOX's own end.
      if (this.kind === 'self') throw new PowerCut('the T-BOX is off');
      throw new VehicleFault('ECU_UNREACHABLE', `Cannot reach "${this.name}"`);
    }
  }
}

async function install(slots: ResumableSlots, { image, bytes }: Sample): Promise<void> {
  await installImage(slots, {
    image,
    servedLengthBytes: image.lengthBytes,
    contentKey: undefined,
    open: async function* open(offset) {
      for (let at = offset; at < bytes.length; at += PIECE_BYTES) {
        await Promise.resolve();
        yield bytes.subarray(at, at + PIECE_BYTES);
      }
    },
  });
}
