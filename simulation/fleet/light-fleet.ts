/** A fleet of light vehicles: made through the cloud's own authority, sent to the gateway in rounds. */
import { type Cloud, issueCredentials, saveVehicle } from '@immota/cloud';
import { encodeCredentialFiles, parseDeviceId } from '@immota/pki';
import { type Behaviour, LightVehicle } from './light-vehicle.ts';

/** What a fleet is made of. */
export interface LightFleetPlan {
  /** The device gateway. */
  readonly gateway: string;
  readonly vehicles: number;
  /** Begins every id. */
  readonly prefix?: string;
  /** Taken in turn, so that each occurs as often as any other. */
  readonly models: readonly string[];
  readonly markets: readonly string[];
  /** Of every vehicle; the first is the T-BOX's. */
  readonly hardwareIds: readonly string[];
  /** What an ECU runs from the factory: by its hardware and the vehicle's number. */
  readonly factoryImage: (hardwareId: string, index: number) => FactoryImage;
  readonly behaviour?: (index: number) => Behaviour;
  /** Heard for each vehicle that is made. */
  readonly onMade?: (count: number) => void;
}

/** An image by its name and what its report says of it. */
export interface FactoryImage {
  readonly name: string;
  readonly sha256: string;
  readonly lengthBytes: number;
}

/** How a round went. */
export interface Round {
  readonly contacts: number;
  /** ECUs that got another image. */
  readonly installed: number;
  /** What vehicles refused, or could not send; by its words. */
  readonly problems: ReadonlyMap<string, number>;
}

/** Connections at once: a machine of two cores gains nothing by more. */
const LANES = 8;

/** Makes a fleet; those that the cloud knows already get new credentials, and keys that it does not know. */
export async function makeLightFleet(
  cloud: Cloud,
  plan: LightFleetPlan,
): Promise<readonly LightVehicle[]> {
  const roots = {
    director: cloud.store.director().root.bytes,
    image: cloud.store.image('aktualizr').root.bytes,
  };
  const vehicles: LightVehicle[] = [];
  for (let index = 0; index < plan.vehicles; index += 1) {
    const vehicleId = `${plan.prefix ?? 'LIGHT'}${String(index + 1).padStart(7, '0')}`;
    const credentials = await issueCredentials(cloud.context, parseDeviceId(vehicleId));
    const files = encodeCredentialFiles(credentials);
    const market = plan.markets[Math.floor(index / plan.models.length) % plan.markets.length];
    await saveVehicle(cloud.context, {
      vehicleId,
      vin: undefined,
      model: plan.models[index % plan.models.length] ?? '',
      market: market ?? '',
      tags: undefined,
    });
    vehicles.push(
      new LightVehicle({
        vehicleId,
        gateway: plan.gateway,
        tls: { ca: files.rootPem, cert: files.clientPem, key: files.privateKeyPem },
        roots,
        behaviour: plan.behaviour?.(index),
        ecus: plan.hardwareIds.map((hardwareId) => ({
          ecuId: `${vehicleId}-${hardwareId}`,
          hardwareId,
          image: plan.factoryImage(hardwareId, index),
        })),
      }),
    );
    plan.onMade?.(index + 1);
  }
  return vehicles;
}

/**
 * Lets every vehicle check in once, a few at a time.
 *
 * @param signal - ends the round after the vehicles that are at it.
 */
export async function checkInAll(
  vehicles: readonly LightVehicle[],
  signal?: AbortSignal,
): Promise<Round> {
  const queue = vehicles.values();
  let contacts = 0;
  let installed = 0;
  const problems = new Map<string, number>();
  const work = async (): Promise<void> => {
    for (const vehicle of queue) {
      if (signal?.aborted === true) return;
      try {
        installed += await vehicle.checkIn();
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        problems.set(words, (problems.get(words) ?? 0) + 1);
      }
      contacts += 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
  return { contacts, installed, problems };
}
