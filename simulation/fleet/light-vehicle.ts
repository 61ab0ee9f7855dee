/**
 * A vehicle without a vehicle in it: keys, reports and verification are real, and so are the sockets; ECUs
 * are a few fields, and an installation is a decision. For fleets that one machine could not carry otherwise.
 *
 * What it leaves out: image bytes are not downloaded (it reports the hash that it was assigned), and time
 * is the machine's and not attested. Whole vehicles are in `immota vehicle run`.
 */
import { Agent, request as sendRequest } from 'node:https';
import { DEVICE_PATHS, type Registration } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { generateSigner, type SoftwareSigner } from '@immota/pki';
import {
  AKTUALIZR,
  type EcuIdentifier,
  type FullVerification,
  type HardwareIdentifier,
  type HashFunction,
  limits,
  metadataFileName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  runWorkflow,
  signManifest,
  signMetadata,
  signReport,
  type VehicleIdentifier,
  type VerifiedAssignment,
  type VerifiedUpdate,
  verifyFully,
  type WorkflowStep,
} from '@immota/uptane';

/** How a vehicle goes about its updates. */
export interface Behaviour {
  /** The code of every installation that fails; undefined for one that succeeds. */
  readonly failsWith?: string | undefined;
  /** Trouble codes that stay after an update that booted. */
  readonly troubleCodes?: readonly string[] | undefined;
  /** What its owner says. */
  readonly owner?: 'accepts' | 'postpones' | 'declines' | undefined;
}

/** What a vehicle is made of. */
export interface LightVehicleOptions {
  readonly vehicleId: string;
  readonly ecus: readonly {
    readonly ecuId: string;
    readonly hardwareId: string;
    readonly image: {
      readonly name: string;
      readonly sha256: string;
      readonly lengthBytes: number;
    };
  }[];
  /** The device gateway. */
  readonly gateway: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly roots: { readonly director: Uint8Array; readonly image: Uint8Array };
  readonly behaviour?: Behaviour | undefined;
}

interface LightEcu {
  readonly id: EcuIdentifier;
  readonly hardwareId: HardwareIdentifier;
  readonly signer: SoftwareSigner;
  image: LightVehicleOptions['ecus'][number]['image'];
  releaseCounter: number;
  counter: number;
  /** How its last installation went, as it tells in its report. */
  outcome: JsonObject | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const EPOCH = Temporal.Instant.fromEpochMilliseconds(0);
const ANSWER_MAX_BYTES = limits.TARGETS_MAX_BYTES;
/** At the end of its SubjectPublicKeyInfo. */
const ED25519_KEY_BYTES = 32;

/** See the head of the file. Its first ECU is the Primary. */
export class LightVehicle {
  readonly vehicleId: VehicleIdentifier;
  behaviour: Behaviour;
  readonly #options: LightVehicleOptions;
  readonly #ecus: readonly LightEcu[];
  readonly #stored = new Map<string, Uint8Array>();
  #isRegistered = false;
  #report: JsonObject | undefined;
  #progress: JsonObject | undefined;
  /** Offers that its owner answered. */
  readonly #answered = new Set<string>();

  constructor(options: LightVehicleOptions) {
    this.#options = options;
    this.vehicleId = parseVehicleIdentifier(options.vehicleId);
    this.behaviour = options.behaviour ?? {};
    this.#ecus = options.ecus.map(({ ecuId, hardwareId, image }) => ({
      id: parseEcuIdentifier(ecuId),
      hardwareId: parseHardwareIdentifier(hardwareId),
      signer: generateSigner('ed25519'),
      image,
      releaseCounter: 0,
      counter: 0,
      outcome: undefined,
    }));
  }

  /** What each ECU truly runs, by hardware. */
  running(): ReadonlyMap<string, string> {
    return new Map(this.#ecus.map(({ hardwareId, image }) => [hardwareId, image.name]));
  }

  /** Takes an ECU back to another image, as a roll-back or a workshop would. */
  runInstead(hardwareId: string, image: LightEcu['image']): void {
    for (const ecu of this.#ecus) {
      if (ecu.hardwareId === hardwareId) Object.assign(ecu, { image, outcome: undefined });
    }
  }

  /**
   * One contact: says what it runs, fetches and verifies what it is offered, and carries it out.
   *
   * @returns how many ECUs got another image.
   * @throws UptaneFault when what it is offered is not to be trusted.
   */
  async checkIn(): Promise<number> {
    const agent = new Agent({ ...this.#options.tls, keepAlive: true, maxSockets: 1 });
    try {
      if (!this.#isRegistered) await this.#register(agent);
      await this.#sendManifest(agent);
      const { assignments, directorTargets } = await this.#verify(agent);
      if (assignments.length === 0) return 0;
      const { correlationId } = directorTargets.body.custom;
      if (typeof correlationId !== 'string') throw new TypeError('an offer has a correlation id');
      if (!(await this.#hasConsent(agent, correlationId))) {
        await this.#sendManifest(agent);
        return 0;
      }
      const installed = this.#install(assignments, correlationId);
      await this.#sendManifest(agent);
      return installed;
    } finally {
      agent.destroy();
    }
  }

  async #register(agent: Agent): Promise<void> {
    const [primary] = this.#ecus;
    if (primary === undefined) throw new RangeError('a vehicle has a Primary');
    const registration: Registration = {
      primary_ecu_serial: primary.id,
      ecus: this.#ecus.map(({ id, hardwareId, signer }) => ({
        ecu_serial: id,
        hardware_identifier: hardwareId,
        clientKey: clientKeyOf(signer),
      })),
    };
    const body = Buffer.from(JSON.stringify(registration));
    const { status } = await this.#ask(agent, 'POST', DEVICE_PATHS.ecus, body);
    if (status >= 300) throw new TypeError(`registration was answered with ${status}`);
    this.#isRegistered = true;
  }

  async #sendManifest(agent: Agent): Promise<void> {
    const [primary] = this.#ecus;
    if (primary === undefined) throw new RangeError('a vehicle has a Primary');
    const reports = new Map<EcuIdentifier, JsonObject>();
    for (const ecu of this.#ecus) reports.set(ecu.id, await reportOf(ecu));
    const manifest = await signManifest(
      {
        vehicleIdentifier: this.vehicleId,
        primaryEcuIdentifier: primary.id,
        reports,
        installationReport: this.#report,
        custom: this.#progress === undefined ? undefined : { progress: this.#progress },
      },
      primary.signer,
    );
    const { status } = await this.#ask(agent, 'PUT', DEVICE_PATHS.manifest, manifest);
    if (status >= 300) throw new TypeError(`a manifest was answered with ${status}`);
    this.#report = undefined;
    this.#progress = undefined;
  }

  async #verify(agent: Agent): Promise<VerifiedUpdate> {
    const { roots } = this.#options;
    const now = Temporal.Now.instant();
    const repository = { dialect: AKTUALIZR, now, chain: 'full' } as const;
    const verification: FullVerification = {
      director: { ...repository, pinnedRoot: roots.director },
      image: { ...repository, pinnedRoot: roots.image },
      vehicleIdentifier: this.vehicleId,
      ecus: new Map(
        this.#ecus.map(({ id, hardwareId, releaseCounter }) => [
          id,
          { hardwareIdentifier: hardwareId, releaseCounter },
        ]),
      ),
      strangers: 'refuse',
      isInstalled: ({ ecuIdentifier, file }) =>
        this.#ecus.find(({ id }) => id === ecuIdentifier)?.image.sha256 ===
        file.hashes.get('sha256'),
    };
    return await runWorkflow(verifyFully(verification), (step) => this.#perform(agent, step));
  }

  async #perform(agent: Agent, step: WorkflowStep): Promise<Uint8Array | undefined> {
    if (step.kind === 'fetch') {
      const folder = step.repository === 'director' ? '/director/' : '/repo/';
      const path = folder + metadataFileName(AKTUALIZR, step.file);
      const { status, body } = await this.#ask(agent, 'GET', path);
      return status === 200 ? body : undefined;
    }
    const name = `${step.repository}/${step.role}`;
    if (step.kind === 'load') return this.#stored.get(name);
    if (step.kind === 'save') this.#stored.set(name, step.metadata.bytes);
    else this.#stored.delete(name);
    return undefined;
  }

  async #hasConsent(agent: Agent, correlationId: string): Promise<boolean> {
    const { owner = 'accepts' } = this.behaviour;
    if (owner === 'accepts' && this.#answered.has(correlationId)) return true;
    const decision = { accepts: 'accepted', postpones: 'postponed', declines: 'declined' }[owner];
    for (const step of ['download', 'install'] as const) {
      const receipt = {
        _type: 'Consent',
        correlationId,
        step,
        decision,
        textSha256: '0'.repeat(64),
        locale: 'en',
        actor: 'owner',
        decidedAt: Temporal.Now.instant().toString({ smallestUnit: 'second' }),
      };
      const [primary] = this.#ecus;
      if (primary === undefined) throw new RangeError('a vehicle has a Primary');
      const signed = await signMetadata(AKTUALIZR, receipt, [primary.signer]);
      await this.#ask(agent, 'POST', DEVICE_PATHS.consents, signed);
    }
    this.#answered.add(correlationId);
    if (owner === 'accepts') return true;
    const state = owner === 'declines' ? 'CONSENT_DECLINED' : 'AWAITING_CONSENT';
    this.#progress = { correlationId, state, measured: {} };
    return false;
  }

  #install(assignments: readonly VerifiedAssignment[], correlationId: string): number {
    const { failsWith, troubleCodes = [] } = this.behaviour;
    const items = assignments.map(({ ecuIdentifier }) => ({
      ecu: ecuIdentifier,
      result: resultOf(failsWith),
    }));
    this.#report = {
      content_type: 'application/vnd.com.here.otac.installationReport.v1',
      report: { correlation_id: correlationId, raw_report: '', result: resultOf(failsWith), items },
    };
    for (const { ecuIdentifier, name, file, releaseCounter } of assignments) {
      const ecu = this.#ecus.find(({ id }) => id === ecuIdentifier);
      if (ecu === undefined) continue;
      ecu.outcome = {
        name,
        result: failsWith === undefined ? 'confirmed' : 'fell-back',
        reason: failsWith ?? '',
        health: {
          isSelfTestPassed: failsWith === undefined,
          resets: 0,
          troubleCodesBefore: [],
          troubleCodesAfter: troubleCodes,
        },
      };
      if (failsWith !== undefined) continue;
      const sha256 = file.hashes.get('sha256') ?? '';
      ecu.image = { name, sha256, lengthBytes: file.lengthBytes };
      ecu.releaseCounter = releaseCounter;
    }
    return failsWith === undefined ? assignments.length : 0;
  }

  async #ask(agent: Agent, method: string, path: string, body?: Uint8Array): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = sendRequest(
      this.#options.gateway + path,
      { agent, method, headers: body === undefined ? {} : { 'content-length': body.length } },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > ANSWER_MAX_BYTES) response.destroy(new RangeError('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
    return await promise;
  }
}

async function reportOf(ecu: LightEcu): Promise<JsonObject> {
  ecu.counter += 1;
  const { name, sha256, lengthBytes } = ecu.image;
  const boot = { health: ecu.outcome?.['result'] === 'fell-back' ? 'fallback' : 'healthy' };
  return await signReport(
    {
      ecuIdentifier: ecu.id,
      installedImage: {
        name: parseTargetName(name),
        lengthBytes,
        hashes: new Map<HashFunction, string>([['sha256', sha256]]),
      },
      attacksDetected: '',
      timeAttested: EPOCH,
      timePrevious: EPOCH,
      counter: ecu.counter,
      custom: {
        releaseCounter: ecu.releaseCounter,
        trial: false,
        boot,
        ...(ecu.outcome === undefined ? {} : { lastInstallation: ecu.outcome }),
      },
    },
    ecu.signer,
  );
}

function resultOf(failsWith: string | undefined): JsonObject {
  const isSuccess = failsWith === undefined;
  return {
    success: isSuccess,
    code: failsWith ?? 'OK',
    description: isSuccess ? 'every ECU booted its image' : 'an ECU booted its old image again',
  };
}

/** A key as the dialect's clients register it: Ed25519 in hexadecimal capitals. */
function clientKeyOf(signer: SoftwareSigner): Registration['ecus'][number]['clientKey'] {
  const point = Buffer.from(signer.publicKeyDer).subarray(-ED25519_KEY_BYTES);
  return { keytype: 'ED25519', keyval: { public: point.toString('hex').toUpperCase() } };
}
