/**
 * One ECU as a node of its own: its Secondary, its storage, and a server of UDS on each carrier that it
 * is joined to. It knows nothing of the others.
 */
import { join } from 'node:path';
import { parseCertificatesPem } from '@immota/pki';
import type { SelfTest } from '../boot/self-test.ts';
import type { DiagnosticEndpoint } from '../diagnostics/channel.ts';
import {
  createEcuAuthentication,
  primaryRoleOf,
} from '../diagnostics/certificate-authentication.ts';
import { createSecondaryPorts, type EcuIdentification } from '../diagnostics/secondary-ports.ts';
import { type RefusedRequest, type RunningUdsServer, serveUds } from '../diagnostics/serve-uds.ts';
import { createUdsApplication } from '../diagnostics/uds-application.ts';
import { PRIMARY_NAME } from '../link/link-credentials.ts';
import type { Surroundings, Timer } from '../ports.ts';
import { openSecondary, type SecondaryEcu } from '../secondary/secondary-ecu.ts';
import type { SecondaryBundle } from '../secondary/secondary-bundle.ts';
import type { SecondaryListener } from '../secondary/secondary-options.ts';
import type { HealthCheck } from '../slots/folder-slots.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import { openEcuStorage } from './ecu-storage.ts';
import type { Rxswin } from '../state/rxswins.ts';
import type { StoragePlan } from './topology.ts';

/** What a node is made of. */
export interface EcuNodeOptions {
  readonly bundle: SecondaryBundle;
  /** Its own disk: state, keys and storage. Made when it is missing. */
  readonly folder: string;
  readonly storage: StoragePlan;
  readonly surroundings: Surroundings;
  /**
   * The regulated software that this ECU is part of from the factory on (UN R156), if it is of any: for
   * testers alone, or by regulation, so that it is reported too.
   */
  readonly rxswin?: string | readonly Rxswin[] | undefined;
  /** False for a bench whose flash takes no time; true when left out. */
  readonly isFlashPaced?: boolean | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  /** Asked instead, where the ECU can tell its trouble codes too. */
  readonly selfTest?: SelfTest | undefined;
  readonly onProgress?: SecondaryListener | undefined;
  /** Hears what testers were refused. */
  readonly onRefused?: ((refused: RefusedRequest) => void) | undefined;
  /** Hears of bugs: a tester gets a refusal then. */
  readonly onFailure: (error: unknown) => void;
}

/** See the head of the file. */
export interface EcuNode {
  readonly ecu: SecondaryEcu;
  /**
   * Serves testers of a carrier from now on.
   *
   * @param timer - the carrier's own time where it has one; the node's when left out.
   */
  serve(endpoint: DiagnosticEndpoint, timer?: Timer): void;
  close(): Promise<void>;
}

/** Starts a node: it boots what it has. @throws as `openSecondary` and `openEcuStorage`. */
export async function startEcuNode(options: EcuNodeOptions): Promise<EcuNode> {
  const { bundle, folder, surroundings, healthCheck, rxswin } = options;
  const { factory, credential } = bundle;
  const storage = await openEcuStorage({
    folder,
    plan: options.storage,
    hardwareIdentifier: factory.hardwareIdentifier,
    timer: options.isFlashPaced === false ? undefined : surroundings.timer,
    healthCheck,
    selfTest: options.selfTest,
  });
  let ecu: SecondaryEcu;
  try {
    ecu = await openSecondary({
      factory,
      folder: join(folder, 'secondary'),
      surroundings,
      slots: storage.slots,
      factoryRxswins: typeof rxswin === 'string' ? undefined : rxswin,
      onProgress: options.onProgress,
    });
  } catch (error) {
    storage.close();
    throw error;
  }
  const authentication = createEcuAuthentication({
    anchors: parseCertificatesPem(credential.authorityPem),
    roleOf: primaryRoleOf,
    credential,
    entropy: surroundings.entropy,
    // An ECU may start without a clock; what it judges here has no end (ADR 60).
    now: () => factory.builtAt,
    vin: factory.vehicleIdentifier,
    ecuSerialNumber: factory.ecuIdentifier,
  });
  const servers: RunningUdsServer[] = [];
  return {
    ecu,
    serve: (endpoint, timer = surroundings.timer) => {
      const ports = createSecondaryPorts({
        ecu,
        vehicleIdentifier: factory.vehicleIdentifier,
        authentication,
        roles: [PRIMARY_NAME],
        messageMaxBytes: endpoint.messageMaxBytes,
        memoryBytes: storage.capacityBytes,
        identify: () => identityOf(storage.slots, ecu.findRxswins() ?? rxswin),
      });
      servers.push(
        serveUds({
          endpoint,
          application: createUdsApplication(ports),
          timer,
          onRefused: options.onRefused,
          onFailure: options.onFailure,
        }),
      );
    },
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
      await ecu.close();
      storage.close();
    },
  };
}

/** What testers of any maker read. */
function identityOf(
  slots: Pick<ResumableSlots, 'findRunning'>,
  rxswins: string | readonly Rxswin[] | undefined,
): EcuIdentification {
  const running = slots.findRunning();
  return {
    softwareNumber: running?.name,
    softwareVersion: running?.releaseCounter.toString(),
    rxswin: rxswinText(rxswins),
  };
}

/** One after the other: {14229-1:2020 C.1} leaves the form to the maker. */
function rxswinText(rxswins: string | readonly Rxswin[] | undefined): string | undefined {
  if (rxswins === undefined || typeof rxswins === 'string') return rxswins;
  return rxswins.length === 0 ? undefined : rxswins.map(({ rxswin }) => rxswin).join(';');
}
