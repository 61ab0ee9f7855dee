/** A vehicle: the real Primary and the real Secondaries, on simulated hardware that loses its power. */
import { readdirSync, truncateSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@immota/base';
import {
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
} from '@immota/uptane';
import {
  type MetadataBundle,
  openSecondary,
  policyConsent,
  type Primary,
  runPrimary,
  type SecondaryEcu,
  type SecondaryFactory,
  type VehicleBundle,
} from '@immota/vehicle';
import type { Chance } from './chance.ts';
import { Door } from './door.ts';
import { Ecu } from './ecu.ts';
import type { Factory, VehicleParts } from './factory.ts';
import type { Faults } from './faults.ts';
import type { Forger } from './forger.ts';
import { ECU_KINDS, type Image } from './images.ts';
import { InVehicleLink } from './in-vehicle-link.ts';
import type { Network } from './network.ts';
import { PowerCut } from './power.ts';
import { describe } from './simulated-cloud.ts';
import { BEGINNING, type SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';

/** What a vehicle of a run is made with. */
export interface VehicleSetup {
  readonly factory: Factory;
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly forger: Forger;
  readonly story: Story;
  readonly network: Network;
  /** Of the run. */
  readonly folder: string;
}

const ORIGIN = 'https://gateway.invalid';
const CHECK_IN_MIN_MS = 200_000;
const CHECK_IN_MAX_MS = 400_000;
const DOWN_MIN_MS = 1000;
const DOWN_MAX_MS = 240_000;
const FULL_CYCLE_MS = 1_800_000;
const FREE_BYTES = 2 ** 40;
/** As the vehicle's code makes downloads durable. */
const DOWNLOAD_CHECKPOINT_BYTES = 1_048_576;

/** See the head of the file. */
export class Vehicle {
  readonly vehicleId: string;
  readonly ecus: readonly Ecu[];
  readonly #setup: VehicleSetup;
  readonly #bundle: VehicleBundle;
  readonly #door: Door;
  readonly #secondaries = new Map<Ecu, SecondaryEcu>();
  readonly #bundles = new Map<Ecu, MetadataBundle[]>();
  readonly #remains: Promise<unknown>[] = [];
  #primary: Primary | undefined;
  #isEnded = false;
  #isCheckingIn = false;

  constructor(setup: VehicleSetup, { vehicleId, credential }: VehicleParts) {
    const { factory, chance, folder } = setup;
    this.#setup = setup;
    this.vehicleId = vehicleId;
    this.#door = new Door(credential.clientPem);
    const names = { vehicleId, folder: join(folder, vehicleId) };
    const shared = { ...setup, images: factory.images };
    this.ecus = ECU_KINDS.map((kind) => new Ecu(shared, chance.fork(kind.suffix), kind, names));
    const { own } = this;
    this.#bundle = {
      vehicleIdentifier: parseVehicleIdentifier(vehicleId),
      ecuIdentifier: parseEcuIdentifier(own.identifier),
      hardwareIdentifier: parseHardwareIdentifier(own.kind.hardware),
      gatewayOrigin: ORIGIN,
      wakeUrl: undefined,
      builtAt: BEGINNING.subtract({ hours: 24 }),
      rootsPem: credential.rootPem,
      credential: { certificatePem: credential.clientPem, privateKeyPem: credential.privateKeyPem },
      pinnedRoots: factory.pinnedRoots,
    };
  }

  /** The T-BOX. */
  get own(): Ecu {
    const [own] = this.ecus;
    if (own === undefined) throw new TypeError('a vehicle has a T-BOX');
    return own;
  }

  /** The lowest version that an ECU runs, by the bytes in its flash. */
  checkSoftware(): number {
    return Math.min(...this.ecus.map((ecu) => ecu.checkSoftware() ?? 0));
  }

  /** Programs all ECUs and starts the vehicle's life. */
  async begin(): Promise<void> {
    const { time, chance } = this.#setup;
    for (const ecu of this.ecus) {
      await ecu.program(this.#firstImage(ecu));
      time.schedule(chance.between(0, DOWN_MIN_MS), () => this.#bootLater(ecu));
    }
    this.#scheduleCheckIn();
  }

  /** No power fails any more, and no clock is wrong from the next boot on. */
  spare(): void {
    for (const ecu of this.ecus) if (ecu.isOn) ecu.power.spare();
  }

  /** Cuts an ECU's power whatever it does. */
  cut(ecu: Ecu): void {
    if (ecu.isOn) ecu.power.cut('any instant');
  }

  /** A workshop puts another ECU in, whatever that one does. */
  replace(ecu: Ecu): void {
    this.#setup.story.tell('ecu-replaced', ecu.identifier);
    this.#bundles.delete(ecu);
    ecu.replace();
  }

  #firstImage({ kind }: Ecu): Image {
    const { images } = this.#setup.factory;
    const image = images.find((one) => one.kind === kind && one.version === 1);
    if (image === undefined) throw new TypeError('every ECU has a first image');
    return image;
  }

  /** Ends everything. */
  async end(): Promise<void> {
    this.#isEnded = true;
    for (const ecu of this.ecus) {
      ecu.onCut = () => this.#letGo(ecu);
      ecu.switchOff();
    }
    await Promise.allSettled(this.#remains);
  }

  #scheduleCheckIn(): void {
    const { time, chance } = this.#setup;
    time.schedule(chance.between(CHECK_IN_MIN_MS, CHECK_IN_MAX_MS), () => {
      if (this.#isEnded) return;
      const primary = this.#primary;
      if (primary !== undefined && !this.#isCheckingIn) {
        this.#watch(() => this.#checkIn(primary), 'check-in');
      }
      this.#scheduleCheckIn();
    });
  }

  async #checkIn(primary: Primary): Promise<void> {
    const { story } = this.#setup;
    this.#isCheckingIn = true;
    let result: Awaited<ReturnType<Primary['checkIn']>>;
    try {
      result = await primary.checkIn();
    } finally {
      this.#isCheckingIn = false;
    }
    const detail = 'fault' in result ? ` ${result.fault.code}` : '';
    story.tell(`check-in ${result.kind}${detail}`, this.vehicleId.slice(-1));
    if (result.kind !== 'nothing-new') this.checkSoftware();
  }

  #bootLater(ecu: Ecu): void {
    ecu.onCut = () => this.#wasCut(ecu);
    const isPrimary = ecu.kind.role === 'primary';
    this.#watch(() => (isPrimary ? this.#bootPrimary(ecu) : this.#bootSecondary(ecu)), 'boot');
  }

  async #bootPrimary(ecu: Ecu): Promise<void> {
    const { network, faults, story, forger, time, chance } = this.#setup;
    await ecu.switchOn();
    const { power } = ecu;
    const links = this.ecus
      .filter((other) => other !== ecu)
      .map((other) => {
        const bundles = this.#bundles.get(other) ?? [];
        this.#bundles.set(other, bundles);
        const find = (): SecondaryEcu | undefined => this.#secondaries.get(other);
        const link = {
          time,
          chance: chance.fork(`link ${other.identifier}`),
          faults,
          forger,
          story,
        };
        const identifier = parseEcuIdentifier(other.identifier);
        return new InVehicleLink({ ...link, primary: ecu, ecu: other, find }, identifier, bundles);
      });
    const subscriber = { vehicleId: this.vehicleId, door: this.#door };
    const primary = await runPrimary({
      bundle: this.#bundle,
      folder: ecu.folder,
      slots: ecu.slots,
      secondaries: links,
      consent: policyConsent('always'),
      policy: { pollIntervalMs: undefined, fullCycleAfterMs: FULL_CYCLE_MS },
      surroundings: ecu.surroundings(),
      makeFetcher: () => network.fetcherFor(subscriber, power),
      // oxlint-disable-next-line require-await -- the port is asynchronous
      findFreeBytes: async () => FREE_BYTES,
      onWrite: () => power.step('state-write'),
    });
    this.#primary = primary;
    story.tell('boot', ecu.identifier);
    ecu.checkSoftware();
  }

  async #bootSecondary(ecu: Ecu): Promise<void> {
    const { story } = this.#setup;
    await ecu.settleIn(this.#firstImage(ecu));
    await ecu.switchOn();
    const { power } = ecu;
    const secondary = await openSecondary({
      factory: this.#secondaryFactory(ecu),
      folder: ecu.folder,
      surroundings: ecu.surroundings(),
      slots: ecu.slots,
      onWrite: () => power.step('state-write'),
    });
    this.#secondaries.set(ecu, secondary);
    story.tell('boot', ecu.identifier);
    ecu.checkSoftware();
  }

  #secondaryFactory({ identifier, kind }: Ecu): SecondaryFactory {
    const { pinnedRoots } = this.#setup.factory;
    const verification = kind.role === 'full' ? 'full' : 'partial';
    return {
      vehicleIdentifier: parseVehicleIdentifier(this.vehicleId),
      ecuIdentifier: parseEcuIdentifier(identifier),
      hardwareIdentifier: parseHardwareIdentifier(kind.hardware),
      verification,
      profile: 'classic',
      builtAt: BEGINNING.subtract({ hours: 24 }),
      directorRoot: pinnedRoots.director,
      imageRoot: verification === 'full' ? pinnedRoots.image : undefined,
    };
  }

  /** The ECU boots after a while, from what its power left. */
  #wasCut(ecu: Ecu): void {
    const { time, chance } = this.#setup;
    if (ecu.kind.role === 'primary') this.#loseDownloads(ecu);
    this.#letGo(ecu);
    time.schedule(chance.between(DOWN_MIN_MS, DOWN_MAX_MS), () => {
      if (!this.#isEnded) this.#bootLater(ecu);
    });
  }

  /** Abandons what ran. What it still holds of this process is let go. */
  #letGo(ecu: Ecu): void {
    const { time } = this.#setup;
    const abandoned = ecu.kind.role === 'primary' ? this.#primary : this.#secondaries.get(ecu);
    if (ecu.kind.role === 'primary') this.#primary = undefined;
    else this.#secondaries.delete(ecu);
    if (abandoned !== undefined) {
      this.#remains.push(time.act(() => abandoned.close()).catch(() => undefined));
    }
  }

  /** Of a download under way, what was not made durable may be missing, or be anything. */
  #loseDownloads({ folder }: Ecu): void {
    const { chance } = this.#setup;
    const downloads = join(folder, 'downloads');
    if (!existsSync(downloads)) return;
    for (const name of readdirSync(downloads).filter((one) => one.endsWith('.part'))) {
      const path = join(downloads, name);
      const { size } = statSync(path);
      const durable =
        Math.floor(Math.max(0, size - 1) / DOWNLOAD_CHECKPOINT_BYTES) * DOWNLOAD_CHECKPOINT_BYTES;
      if (chance.happens(0.5)) truncateSync(path, durable + chance.below(size - durable + 1));
      else {
        truncateSync(path, durable);
        writeFileSync(path, chance.bytes(Math.min(size - durable, 4096)), { flag: 'a' });
      }
    }
  }

  #watch(work: () => Promise<void>, what: string): void {
    this.#setup.time.act(work).catch((error: unknown) => {
      const isExpected =
        error instanceof PowerCut || (error instanceof Fault && error.code === 'CLOSED');
      if (!isExpected)
        this.#setup.story.fail('broken', `${this.vehicleId} ${what}: ${describe(error)}`);
    });
  }
}
