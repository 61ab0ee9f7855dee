/** A Secondary behind a diagnostic server on a wire, its Primary's link, and foreign testers. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseCertificatesPem } from '@immota/pki';
import { DEFAULT_PATIENCE, type UdsProgress } from '@immota/bus';
import {
  createEcuAuthentication,
  createSecondaryPorts,
  createUdsApplication,
  type EcuAuthenticationOptions,
  type LinkCredential,
  openSecondary,
  openUdsClient,
  openUdsSecondaryLink,
  primaryRoleOf,
  type RefusedRequest,
  type SecondaryEcu,
  type SecondaryLink,
  type SecondaryOptions,
  serveUds,
  systemSurroundings,
  type UdsClient,
  type UdsSecondaryLinkOptions,
} from '@immota/vehicle';
import { entropy, makeFolder } from './folder.ts';
import { linkCredentials } from './nodes.ts';
import { layUdsWire, type UdsWire, type UdsWireOptions } from './uds-wire.ts';
import { BRAKE, VEHICLE, type VehicleWorld } from './vehicle-world.ts';

const PRIMARY_ADDRESS = 0x0e80;
const WORKSHOP_ADDRESS = 0x0e01;
/** When certificates have to be valid. */
export const NOW = (): Temporal.Instant => Temporal.Instant.from('2026-11-22T09:00:00Z');

/** See the head of the file. */
export interface UdsNode {
  readonly wire: UdsWire;
  readonly link: SecondaryLink;
  readonly refused: RefusedRequest[];
  readonly fingerprints: Uint8Array[];
  readonly progress: UdsProgress[];
  readonly primary: LinkCredential;
  tester(address?: number): UdsClient;
  /** Starts the ECU again with what is on its disk. */
  restart(): Promise<void>;
  ecu(): SecondaryEcu;
}

/** What a test wants otherwise. */
export interface UdsNodeOptions extends UdsWireOptions {
  readonly transfer?: UdsSecondaryLinkOptions['transfer'];
  readonly flavour?: UdsSecondaryLinkOptions['flavour'];
  /** How long testers wait for the first sign. */
  readonly p2Ms?: number;
  readonly secondary?: Partial<SecondaryOptions>;
  readonly roleOf?: EcuAuthenticationOptions['roleOf'];
}

/** Runs it, and closes it with the test. */
export async function runUdsNode(
  test: Pick<TestContext, 'after'>,
  world: VehicleWorld,
  options: UdsNodeOptions = {},
): Promise<UdsNode> {
  const { primary, secondaries } = await linkCredentials();
  const credential = secondaries.get(BRAKE);
  if (credential === undefined) throw new TypeError('the brake has a credential');
  const wire = layUdsWire(options);
  const surroundings = systemSurroundings();
  const { timer } = surroundings;
  const refused: RefusedRequest[] = [];
  const fingerprints: Uint8Array[] = [];
  const progress: UdsProgress[] = [];
  const failures: unknown[] = [];
  const folder = join(makeFolder(test), 'brake');
  let running: { readonly ecu: SecondaryEcu; readonly stop: () => Promise<void> } | undefined;
  const start = async (): Promise<void> => {
    const ecu = await openSecondary({
      factory: world.factory(),
      folder,
      surroundings,
      ...options.secondary,
    });
    const server = serveUds({
      endpoint: wire.endpoint,
      timer,
      application: createUdsApplication(
        createSecondaryPorts({
          ecu,
          vehicleIdentifier: VEHICLE,
          roles: ['primary', 'workshop'],
          messageMaxBytes: wire.endpoint.messageMaxBytes,
          memoryBytes: 2 ** 32,
          onFingerprint: async (record) => {
            fingerprints.push(record.slice());
            await Promise.resolve();
          },
          authentication: createEcuAuthentication({
            anchors: parseCertificatesPem(credential.authorityPem),
            roleOf: options.roleOf ?? primaryRoleOf,
            credential,
            entropy,
            now: NOW,
            vin: VEHICLE,
            ecuSerialNumber: BRAKE,
          }),
        }),
      ),
      onRefused: (request) => refused.push(request),
      onFailure: (error) => failures.push(error),
    });
    running = {
      ecu,
      stop: async () => {
        await server.close();
        await ecu.close();
      },
    };
  };
  await start();
  const tester = (address = WORKSHOP_ADDRESS): UdsClient =>
    openUdsClient({
      channel: wire.connect(address),
      timer,
      patience: { ...DEFAULT_PATIENCE, p2Ms: options.p2Ms ?? 400 },
    });
  const link = openUdsSecondaryLink({
    ecuIdentifier: BRAKE,
    vehicleIdentifier: VEHICLE,
    connect: async () => Promise.resolve(tester(PRIMARY_ADDRESS)),
    credential: primary,
    entropy,
    timer,
    now: NOW,
    transfer: options.transfer ?? 'memory',
    flavour: options.flavour,
    fingerprint: Uint8Array.of(1, 2, 3),
    returnPauseMs: 5,
    onProgress: (item) => progress.push(item),
  });
  test.after(async () => {
    await link.close();
    await running?.stop();
    if (failures.length > 0) throw failures[0];
  });
  return {
    wire,
    link,
    refused,
    fingerprints,
    progress,
    primary,
    tester,
    restart: async () => {
      await running?.stop();
      await start();
    },
    ecu: () => {
      if (running === undefined) throw new TypeError('the node runs');
      return running.ecu;
    },
  };
}
