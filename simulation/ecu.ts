/**
 * One ECU's hardware: flash, a folder for its state, and power that comes and goes. What it runs is read
 * from its flash and held against the genuine images, whatever the ECU says of itself.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Entropy } from '@immota/base';
import { parseTargetName } from '@immota/uptane';
import { openFolderSlots, type ResumableSlots, type Surroundings } from '@immota/vehicle';
import type { Chance } from './chance.ts';
import { Flash } from './disk.ts';
import type { Faults } from './faults.ts';
import { digestOf, type EcuKind, type Image } from './images.ts';
import { Power } from './power.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';

/** What all ECUs of a run share. */
export interface EcuSetup {
  readonly time: SimulatedTime;
  readonly faults: Faults;
  readonly story: Story;
  readonly images: readonly Image[];
}

const WRITE_BYTES = 65_536;
const CHECKPOINT_BYTES = 131_072;
const CUTS_MAX = 3;
/** Steps of a busy ECU until its power fails: an update takes some hundreds. */
const STEPS_MAX = 900;
const SKEW_MAX_MS = 400 * 24 * 3_600_000;

/** See the head of the file. */
export class Ecu {
  readonly kind: EcuKind;
  readonly identifier: string;
  readonly folder: string;
  readonly #setup: EcuSetup;
  readonly #chance: Chance;
  #flash: Flash;
  readonly #stateName: string;
  #power: Power | undefined;
  #slots: ResumableSlots | undefined;
  #cutsLeft: number;
  #boots = 0;
  #skewMs = 0;
  #highest = 0;
  #isSick = false;
  #isOver = false;
  #isAnother = false;
  /** Called at the instant of a cut. */
  onCut: () => void = () => undefined;

  constructor(
    setup: EcuSetup,
    chance: Chance,
    kind: EcuKind,
    names: { readonly vehicleId: string; readonly folder: string },
  ) {
    this.kind = kind;
    this.#setup = setup;
    this.#chance = chance;
    this.identifier = `${names.vehicleId}-${kind.suffix}`;
    this.folder = join(names.folder, kind.suffix);
    this.#flash = new Flash(chance.fork('flash'));
    this.#stateName = kind.role === 'primary' ? 'state.db' : 'state.sqlite';
    this.#cutsLeft = chance.below(CUTS_MAX + 1);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** The power it runs on; one that is off when it does not. */
  get power(): Power {
    if (this.#power === undefined) throw new TypeError('it was never switched on');
    return this.#power;
  }

  /** Whether it runs. */
  get isOn(): boolean {
    return this.#power?.isOn === true;
  }

  /** Its slots since the last boot. */
  get slots(): ResumableSlots {
    if (this.#slots === undefined) throw new TypeError('it was never booted');
    return this.#slots;
  }

  /** Writes the first software, as the factory does. */
  async program(image: Image): Promise<void> {
    const slots = await this.#openSlots(new Power(() => undefined), false);
    const { name, plain, version, sha256, sha512 } = image;
    const writer = await slots.write({
      name: parseTargetName(name),
      lengthBytes: plain.length,
      hashes: new Map([
        ['sha256', sha256],
        ['sha512', sha512],
      ]),
      releaseCounter: version,
    });
    await writer.write(plain);
    await writer.finish();
    await slots.activate();
    await slots.boot();
    await slots.confirm();
    this.#slots = slots;
  }

  /** Switches it on: a new power, what the old one left, and slots that are not booted yet. */
  async switchOn(): Promise<void> {
    const { faults } = this.#setup;
    this.#boots += 1;
    this.#restoreState();
    const mayFail = faults.has(this.kind.role === 'primary' ? 'primary-power' : 'secondary-power');
    const isDoomed = mayFail && this.#cutsLeft > 0;
    const steps = isDoomed ? this.#chance.below(STEPS_MAX) : undefined;
    this.#power = new Power((step) => this.#wasCut(step), steps);
    this.#skewMs = faults.has('clock-skew') ? this.#chance.between(-SKEW_MAX_MS, SKEW_MAX_MS) : 0;
    this.#isSick = faults.has('unhealthy-once') && this.#boots === 1 && this.#chance.happens(0.3);
    this.#slots = await this.#openSlots(this.#power, true);
  }

  /** Puts another ECU in its place: nothing is left of it, and the other has never run. */
  replace(): void {
    this.#isAnother = true;
    if (this.isOn) this.power.cut('workshop');
  }

  /** Makes it the other ECU, if one was put in. */
  async settleIn(image: Image): Promise<void> {
    if (!this.#isAnother) return;
    this.#isAnother = false;
    this.#boots += 1;
    this.#flash = new Flash(this.#chance.fork(`flash ${this.#boots}`));
    this.#highest = 0;
    rmSync(this.folder, { recursive: true });
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    await this.program(image);
  }

  /** Ends its power without a word, when a run is over. */
  switchOff(): void {
    this.#isOver = true;
    if (this.isOn) this.power.cut('end');
  }

  /** Time and chance as this boot of it has them. */
  surroundings(): Surroundings {
    const { time } = this.#setup;
    const { power } = this;
    const skew = { milliseconds: Math.round(this.#skewMs) };
    const source = this.#chance.fork(`entropy ${this.#boots}`);
    const entropy: Entropy = {
      bytes: (lengthBytes) => {
        power.step('draw');
        return source.bytes(lengthBytes);
      },
    };
    return {
      clock: { now: () => time.now().add(skew) },
      timer: time.timerFor(() => power.isOn),
      entropy,
    };
  }

  /** The version it runs, by the bytes in its flash; tells of what nobody has verified. */
  checkSoftware(): number | undefined {
    const { story, images } = this.#setup;
    const { running, isTrial } = this.slots.condition();
    const claimed = this.slots.findRunning();
    if (running === undefined || claimed === undefined) {
      story.fail('unverified', `${this.identifier} runs nothing`);
      return undefined;
    }
    const bytes = this.#flash.read(`slot-${running}.image`) ?? new Uint8Array();
    const sha256 = digestOf('sha256', bytes);
    const image = images.find((one) => one.sha256 === sha256);
    if (image === undefined || image.kind !== this.kind || image.name !== claimed.name) {
      story.fail('unverified', `${this.identifier} runs other bytes than any "${claimed.name}"`);
      return undefined;
    }
    if (image.version < this.#highest) {
      story.fail(
        'unverified',
        `${this.identifier} went back from ${this.#highest} to ${image.version}`,
      );
    }
    // A trial may be taken back.
    if (!isTrial) this.#highest = Math.max(this.#highest, image.version);
    return image.version;
  }

  async #openSlots(power: Power, isInService: boolean): Promise<ResumableSlots> {
    return await openFolderSlots({
      folder: this.folder,
      files: this.#flash.filesUnder(power),
      writeLengthBytes: WRITE_BYTES,
      checkpointBytes: CHECKPOINT_BYTES,
      healthCheck: async () => {
        await Promise.resolve();
        const isHealthy = !(isInService && this.#isSick);
        this.#isSick = false;
        if (!isHealthy) this.#setup.story.tell('unhealthy-once', this.identifier);
        return isHealthy;
      },
    });
  }

  #wasCut(step: string): void {
    if (this.#isOver) {
      this.onCut();
      return;
    }
    this.#cutsLeft -= 1;
    this.#setup.story.tell(`power-cut-${this.kind.role}`, `${this.identifier} at ${step}`);
    this.#saveState();
    this.#flash.losePower();
    this.onCut();
  }

  /** The state's file as it is at this instant; the abandoned process cannot reach the copy. */
  #saveState(): void {
    const path = join(this.folder, this.#stateName);
    if (existsSync(path)) copyFileSync(path, `${path}.cut`);
    else rmSync(`${path}.cut`, { force: true });
  }

  #restoreState(): void {
    const path = join(this.folder, this.#stateName);
    if (this.#boots === 1) return;
    // Another file, so that what the abandoned process still holds locks nothing.
    rmSync(path, { force: true });
    rmSync(`${path}-journal`, { force: true });
    if (existsSync(`${path}.cut`)) renameSync(`${path}.cut`, path);
  }
}
