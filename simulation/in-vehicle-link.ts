/**
 * What lies between a T-BOX and an ECU of the same vehicle: calls and answers may be lost, transfers
 * break, ECUs lose their power, and a node that somebody has taken over tries its luck.
 */
import { Fault } from '@immota/base';
import { parseTargetName } from '@immota/uptane';
import {
  type ImageOffer,
  type MetadataBundle,
  type SecondaryEcu,
  type SecondaryInfo,
  type SecondaryLink,
  type SecondaryStatus,
  VehicleFault,
} from '@immota/vehicle';
import type { Chance } from './chance.ts';
import type { Ecu } from './ecu.ts';
import type { Faults, LinkFault } from './faults.ts';
import type { Forger } from './forger.ts';
import { imageName, lengthOf, VERSIONS } from './images.ts';
import { PowerCut } from './power.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';

/** What a link is made of. */
export interface LinkSetup {
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly forger: Forger;
  readonly story: Story;
  readonly primary: Ecu;
  readonly ecu: Ecu;
  /** Undefined while the ECU is off or boots. */
  readonly find: () => SecondaryEcu | undefined;
}

const CALL_MS = 4;
const PART_MS = 20;
const KEPT_BUNDLES = 8;

/** See the head of the file. */
export class InVehicleLink implements SecondaryLink {
  readonly ecuIdentifier: SecondaryLink['ecuIdentifier'];
  readonly #setup: LinkSetup;
  /** Metadata that passed here, for whoever replays them. */
  readonly #bundles: MetadataBundle[];

  constructor(
    setup: LinkSetup,
    ecuIdentifier: SecondaryLink['ecuIdentifier'],
    bundles: MetadataBundle[],
  ) {
    this.#setup = setup;
    this.#bundles = bundles;
    this.ecuIdentifier = ecuIdentifier;
  }

  getInfo(): Promise<SecondaryInfo> {
    return this.#call('info', (ecu) => ecu.getInfo());
  }

  report(nonce: string): ReturnType<SecondaryLink['report']> {
    return this.#call('report', (ecu) => ecu.report(nonce));
  }

  drawTimeNonce(): Promise<string> {
    return this.#call('drawTimeNonce', (ecu) => ecu.drawTimeNonce());
  }

  putTime(attestation: Uint8Array): Promise<void> {
    return this.#call('putTime', (ecu) => ecu.putTime(attestation));
  }

  putMetadata(bundle: MetadataBundle): Promise<void> {
    this.#bundles.push(bundle);
    if (this.#bundles.length > KEPT_BUNDLES) this.#bundles.splice(1, 1);
    return this.#call('putMetadata', (ecu) => ecu.putMetadata(bundle));
  }

  sendImage(offer: ImageOffer): Promise<void> {
    return this.#call('sendImage', (ecu, fault) => ecu.sendImage(this.#watch(offer, fault)));
  }

  activate(): Promise<void> {
    return this.#call('activate', (ecu) => ecu.activate());
  }

  confirm(): Promise<void> {
    return this.#call('confirm', (ecu) => ecu.confirm());
  }

  revert(): Promise<void> {
    return this.#call('revert', (ecu) => ecu.revert());
  }

  status(): Promise<SecondaryStatus> {
    return this.#call('status', (ecu) => ecu.status());
  }

  async close(): Promise<void> {
    // The ECU runs on.
  }

  async #call<Result>(
    name: string,
    act: (ecu: SecondaryEcu, fault: LinkFault | undefined) => Promise<Result>,
  ): Promise<Result> {
    const { time, faults, story, primary, find } = this.#setup;
    const { power } = primary;
    power.step('call');
    const fault = faults.drawLink();
    if (fault !== undefined) story.tell(fault, `${this.ecuIdentifier} ${name}`);
    await time.wait(CALL_MS, power.signal);
    const ecu = find();
    if (ecu === undefined || fault === 'link-request-lost') throw this.#unreachable();
    await this.#attack(ecu, fault);
    // It may have lost its power over that: what is left of it here answers nobody.
    if (find() !== ecu) throw this.#unreachable();
    let result: Result;
    try {
      result = await act(ecu, fault);
    } catch (error) {
      power.check();
      throw this.#translate(error);
    }
    power.step('answered');
    if (fault === 'link-answer-lost') throw this.#unreachable();
    return result;
  }

  /** None of this may succeed; what it spoils must heal. */
  async #attack(ecu: SecondaryEcu, fault: LinkFault | undefined): Promise<void> {
    const { chance, forger } = this.#setup;
    const { kind } = this.#setup.ecu;
    try {
      if (fault === 'link-replayed' && this.#bundles.length > 0) {
        await ecu.putMetadata(chance.pick(this.#bundles));
      } else if (fault === 'link-planted') {
        const version = chance.pick(VERSIONS);
        const bytes = forger.plant(lengthOf(kind, version));
        await ecu.sendImage({
          name: parseTargetName(imageName(kind, version)),
          lengthBytes: bytes.length,
          open: async function* open(offsetBytes) {
            await Promise.resolve();
            yield bytes.subarray(offsetBytes);
          },
        });
      } else if (fault === 'link-activated') {
        await ecu.activate();
      }
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof PowerCut)) throw error;
    }
  }

  #watch(offer: ImageOffer, fault: LinkFault | undefined): ImageOffer {
    const { time, chance, primary, ecu } = this.#setup;
    const { power } = primary;
    const either = AbortSignal.any([power.signal, ecu.power.signal]);
    return {
      ...offer,
      open: async function* open(offsetBytes) {
        for await (const bytes of offer.open(offsetBytes)) {
          await time.wait(PART_MS, either).catch(() => undefined);
          if (!power.isOn) throw broken();
          power.step('pull');
          if (fault === 'link-transfer-broken' && chance.happens(0.5)) throw broken();
          yield bytes;
        }
      },
    };
  }

  /** As the link over TCP does: a broken transfer is no refusal. */
  #translate(error: unknown): unknown {
    if (error instanceof PowerCut) return this.#unreachable();
    if (!(error instanceof Fault)) return error;
    if (error.code === 'NETWORK') return this.#unreachable();
    const message = `Cannot have it done: the ECU says ${String(error.code)}: ${error.message}`;
    return new VehicleFault('ECU_REFUSED', message);
  }

  #unreachable(): VehicleFault {
    return new VehicleFault('ECU_UNREACHABLE', `Cannot reach "${this.ecuIdentifier}"`);
  }
}

function broken(): VehicleFault {
  return new VehicleFault('NETWORK', 'Cannot pull: the link broke');
}
