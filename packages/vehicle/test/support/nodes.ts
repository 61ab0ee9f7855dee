/** A Secondary that runs, and the Primary's link to it: real TCP, real TLS, real files. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { findFaultCode, type JsonObject, parseJson } from '@immota/base';
import { parseRecipientPublicKey, type RecipientPublicKey } from '@immota/image';
import { decodeReport, type EcuVersionReport } from '@immota/uptane';
import {
  connectSecondary,
  createVehicleLinkCredentials,
  type RunSecondaryOptions,
  runSecondary,
  type SecondaryLink,
  type SecondaryServer,
  type VehicleLinkCredentials,
} from '@immota/vehicle';
import { entropy, makeFolder } from './folder.ts';
import { manualSurroundings } from './manual-timer.ts';
import { BRAKE, VEHICLE, type VehicleWorld } from './vehicle-world.ts';

let made: Promise<VehicleLinkCredentials> | undefined;

/** The vehicle's link credentials; made once, since they are the same for all tests. */
export async function linkCredentials(): Promise<VehicleLinkCredentials> {
  made ??= createVehicleLinkCredentials({
    vehicleIdentifier: VEHICLE,
    secondaries: [BRAKE],
    entropy,
  });
  return await made;
}

/** A node and its link. */
export interface RunningNode {
  readonly folder: string;
  readonly port: number;
  readonly link: SecondaryLink;
  /** Starts the node again with what it has on its disk. */
  readonly restart: (changes?: Partial<RunSecondaryOptions>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What a test wants otherwise. */
export type NodeChanges = Partial<RunSecondaryOptions> & {
  /** Where the Primary connects to, when a wire lies before the node. */
  readonly linkPort?: (port: number) => Promise<number>;
};

/** Runs a node, and closes it with the test. */
export async function runNode(
  test: Pick<TestContext, 'after'>,
  world: VehicleWorld,
  { linkPort, ...changes }: NodeChanges = {},
): Promise<RunningNode> {
  const folder = join(makeFolder(test), 'brake');
  const { primary, secondaries } = await linkCredentials();
  const credential = secondaries.get(BRAKE);
  if (credential === undefined) throw new TypeError('the brake has a credential');
  const surroundings = changes.surroundings ?? manualSurroundings();
  let server: SecondaryServer | undefined;
  const start = async (others: Partial<RunSecondaryOptions>): Promise<void> => {
    server = await runSecondary({
      factory: world.factory(),
      folder,
      credential,
      surroundings,
      ...changes,
      ...others,
      ...(server === undefined ? {} : { port: server.port }),
    });
  };
  await start({});
  const port = server?.port ?? 0;
  const link = connectSecondary({
    host: '127.0.0.1',
    port: (await linkPort?.(port)) ?? port,
    ecuIdentifier: BRAKE,
    credential: primary,
    timer: surroundings.timer,
  });
  let isRunning = true;
  const stop = async (): Promise<void> => {
    if (isRunning) await server?.close();
    isRunning = false;
  };
  test.after(async () => {
    await link.close();
    await stop();
  });
  return {
    folder,
    port,
    link,
    stop,
    restart: async (others = {}) => {
      await stop();
      await start(others);
      isRunning = true;
      await reconnected(link);
    },
  };
}

/** The link hears of the end of its old connection when it uses it, or just before. */
async function reconnected(link: SecondaryLink): Promise<void> {
  for (let attempts = 0; ; attempts += 1) {
    try {
      await link.status();
      return;
    } catch (error) {
      if (findFaultCode(error) !== 'ECU_UNREACHABLE' || attempts === 9) throw error;
    }
  }
}

/** The key that content keys are wrapped for, out of the ECU's own document. */
export async function recipientOf(link: SecondaryLink): Promise<RecipientPublicKey> {
  const { encryptionKeyDocument } = await link.getInfo();
  const document = parseJson(encryptionKeyDocument ?? new Uint8Array(), 65_536) as {
    readonly signed: { readonly method: string; readonly public: string };
  };
  const profile = document.signed.method === 'hpke-xwing' ? 'hybrid' : 'classic';
  const raw = Buffer.from(document.signed.public, 'base64').toString('base64url');
  return parseRecipientPublicKey(`${profile}:${raw}`);
}

/** Asks for a report and reads it. */
export async function readReport(
  link: SecondaryLink,
  nonce: string = Buffer.from(entropy.bytes(16)).toString('hex'),
): Promise<{ readonly report: EcuVersionReport; readonly document: JsonObject }> {
  const document = await link.report(nonce);
  return { report: decodeReport(document).report, document };
}

/** Brings time and metadata to an ECU, as the Primary does. */
export async function handOver(link: SecondaryLink, world: VehicleWorld): Promise<void> {
  await link.putTime(await world.attest(await link.drawTimeNonce()));
  await link.putMetadata(world.bundle());
}
