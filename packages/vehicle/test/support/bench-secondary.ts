/**
 * A Secondary on a bench: keys, store and verification of its own, driven by direct calls instead of a
 * bus. It stands for an ECU of another maker; ours is tested with its own link.
 */
import { join } from 'node:path';
import { Fault, isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { openImage, unwrapContentKey } from '@immota/image';
import {
  AKTUALIZR,
  anchorRoot,
  checkImage,
  decodeRoot,
  type EcuIdentifier,
  type HardwareIdentifier,
  type HashFunction,
  type Measurement,
  limits,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  runWorkflow,
  signReport,
  type VehicleIdentifier,
  type VerifiedAssignment,
  verifyFully,
  verifyTime,
} from '@immota/uptane';
import {
  type EcuKeys,
  fetchFromBundle,
  type ImageOffer,
  loadEcuKeys,
  type MetadataBundle,
  openState,
  type SecondaryInfo,
  type SecondaryLink,
  type SecondaryStatus,
  signEncryptionKey,
  type StateValue,
  VehicleFault,
  type VehicleState,
} from '@immota/vehicle';
import { entropy } from './folder.ts';
import { NOW } from './surroundings.ts';

export interface BenchOptions {
  readonly folder: string;
  readonly ecuIdentifier: string;
  readonly hardwareIdentifier: string;
  readonly vehicleIdentifier: VehicleIdentifier;
  readonly pinnedRoots: { readonly director: Uint8Array; readonly image: Uint8Array };
  /** Called at each step that changes something: a test may stop the power there. */
  readonly onStep?: () => void;
}

interface StoredImage {
  readonly name: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly releaseCounter: number;
}

/** What ran before a trial; nothing when it was never programmed. */
interface Before {
  readonly image: StoredImage | null;
}

const BEFORE: StateValue<Before> = {
  name: 'before',
  encode: ({ image }): JsonValue => ({ image: image === null ? null : { ...image } }),
  decode: (json) => (isJsonObject(json) ? (json as unknown as Before) : undefined),
};
const slot = (name: string): StateValue<StoredImage> => ({
  name,
  encode: (value): JsonValue => ({ ...value }),
  decode: (json) => (isJsonObject(json) ? (json as unknown as StoredImage) : undefined),
});
const COUNTER: StateValue<number> = {
  name: 'counter',
  encode: (value) => value,
  decode: (json) => Number(json),
};
const FLOOR: StateValue<string> = {
  name: 'time',
  encode: (value) => value,
  decode: (json) => (typeof json === 'string' ? json : undefined),
};

/** The ECU behind the link. */
export class BenchSecondary implements SecondaryLink {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly keys: EcuKeys;
  readonly received: string[] = [];
  readonly #options: BenchOptions;
  readonly #state: VehicleState;
  #assignment: VerifiedAssignment | undefined;
  #nonce: string | undefined;
  /** Faults by method: what happens instead, once. */
  readonly broken = new Map<keyof SecondaryLink, Fault<string>>();
  /** What a sick image does: the ECU falls back at its boot. */
  bootsOld = false;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.ecuIdentifier = parseEcuIdentifier(options.ecuIdentifier);
    this.hardwareIdentifier = parseHardwareIdentifier(options.hardwareIdentifier);
    this.keys = loadEcuKeys(join(options.folder, 'keys'), { profile: 'classic', entropy });
    this.#state = openState(join(options.folder, 'state.db'), { onWrite: options.onStep });
  }

  get running(): StoredImage | undefined {
    return this.#state.values.load(slot('running'));
  }

  get time(): string | undefined {
    return this.#state.values.load(FLOOR);
  }

  async getInfo(): Promise<SecondaryInfo> {
    this.#begin('getInfo');
    const { algorithm, publicKeyDer } = this.keys.identity;
    return {
      ecuIdentifier: this.ecuIdentifier,
      hardwareIdentifier: this.hardwareIdentifier,
      verification: 'full',
      identity: { algorithm, publicKeyDer },
      encryptionKeyDocument: await signEncryptionKey(this.ecuIdentifier, this.keys),
    };
  }

  async report(nonce: string): Promise<JsonObject> {
    this.#begin('report');
    const counter = (this.#state.values.load(COUNTER) ?? 0) + 1;
    this.#state.values.save(COUNTER, counter);
    const { running } = this;
    const time = Temporal.Instant.from(this.time ?? NOW.toString());
    const report = {
      ecuIdentifier: this.ecuIdentifier,
      installedImage: {
        name: parseTargetName(running?.name ?? 'noimage'),
        lengthBytes: running?.lengthBytes ?? 0,
        hashes: new Map<HashFunction, string>([['sha256', running?.sha256 ?? '0'.repeat(64)]]),
      },
      attacksDetected: '',
      timeAttested: time,
      timePrevious: time,
      counter,
      custom: {
        nonce,
        releaseCounter: running?.releaseCounter ?? 0,
        trial: this.#state.values.load(BEFORE) !== undefined,
      },
    };
    return await signReport(report, this.keys.identity);
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async drawTimeNonce(): Promise<string> {
    this.#begin('drawTimeNonce');
    this.#nonce = entropy.bytes(16).toHex();
    return this.#nonce;
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async putTime(attestation: Uint8Array): Promise<void> {
    this.#begin('putTime');
    const bytes =
      this.#state.metadata.load('director', 'root') ?? this.#options.pinnedRoots.director;
    const root = anchorRoot(decodeRoot(AKTUALIZR, bytes, limits.ROOT_MAX_BYTES));
    const floor = Temporal.Instant.from(this.time ?? '2020-01-01T00:00:00Z');
    const now = verifyTime(attestation, { root, nonce: this.#nonce ?? '', floor });
    this.#state.values.save(FLOOR, now.toString());
  }

  async putMetadata(bundle: MetadataBundle): Promise<void> {
    this.#begin('putMetadata');
    const now = Temporal.Instant.from(this.time ?? NOW.toString());
    const { pinnedRoots, vehicleIdentifier } = this.#options;
    const shared = { dialect: AKTUALIZR, now, chain: 'full' } as const;
    const workflow = verifyFully({
      director: { ...shared, pinnedRoot: pinnedRoots.director },
      image: { ...shared, pinnedRoot: pinnedRoots.image },
      vehicleIdentifier,
      ecus: new Map([
        [
          this.ecuIdentifier,
          {
            hardwareIdentifier: this.hardwareIdentifier,
            releaseCounter: this.running?.releaseCounter ?? 0,
          },
        ],
      ]),
      strangers: 'ignore',
      isInstalled: ({ file }) => this.running?.sha256 === file.hashes.get('sha256'),
    });
    try {
      const update = await runWorkflow(workflow, (step) =>
        Promise.resolve(
          step.kind === 'fetch'
            ? fetchFromBundle(bundle, step)
            : this.#state.metadata.perform(step),
        ),
      );
      [this.#assignment] = update.assignments;
    } catch (error) {
      throw refusal(error);
    }
  }

  async sendImage(offer: ImageOffer): Promise<void> {
    this.#begin('sendImage');
    const assignment = this.#assignment;
    if (assignment === undefined || offer.name !== assignment.name) {
      throw new VehicleFault('ECU_REFUSED', 'Cannot take image: nobody assigned it');
    }
    this.received.push(offer.name);
    try {
      checkImage(assignment, await this.#measure(assignment, offer));
    } catch (error) {
      throw refusal(error);
    }
    const { name, file, releaseCounter } = assignment;
    this.#state.values.save(slot('prepared'), {
      name,
      lengthBytes: file.lengthBytes,
      sha256: file.hashes.get('sha256') ?? '',
      releaseCounter,
    });
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async activate(): Promise<void> {
    this.#begin('activate');
    const prepared = this.#state.values.load(slot('prepared'));
    if (prepared === undefined) throw new VehicleFault('ECU_REFUSED', 'Cannot activate: nothing');
    this.#state.transaction(() => {
      this.#state.values.remove(slot('prepared'));
      if (this.bootsOld) return;
      this.#state.values.save(BEFORE, { image: this.running ?? null });
      this.#state.values.save(slot('running'), prepared);
    });
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async confirm(): Promise<void> {
    this.#begin('confirm');
    this.#state.values.remove(BEFORE);
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async revert(): Promise<void> {
    this.#begin('revert');
    const before = this.#state.values.load(BEFORE);
    this.#state.transaction(() => {
      this.#state.values.remove(slot('prepared'));
      if (before === undefined) return;
      this.#state.values.remove(BEFORE);
      if (before.image === null) this.#state.values.remove(slot('running'));
      else this.#state.values.save(slot('running'), before.image);
    });
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async status(): Promise<SecondaryStatus> {
    this.#begin('status');
    const prepared = this.#state.values.load(slot('prepared'));
    const resting = this.#state.values.load(BEFORE) === undefined ? 'idle' : 'trial';
    return {
      phase: prepared === undefined ? resting : 'prepared',
      preparedSha256: prepared?.sha256,
      canRevert: true,
    };
  }

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async close(): Promise<void> {
    this.#state.close();
  }

  #begin(method: keyof SecondaryLink): void {
    this.#options.onStep?.();
    const fault = this.broken.get(method);
    if (fault !== undefined) throw fault;
  }

  async #measure(assignment: VerifiedAssignment, offer: ImageOffer): Promise<Measurement> {
    const { file, ecuIdentifier, hardwareIdentifier } = assignment;
    const imageSha256 = file.hashes.get('sha256') ?? '';
    const wrapped = assignment.assignment.wrappedKey?.value ?? new Uint8Array();
    const context = { ecuIdentifier, hardwareIdentifier, imageSha256 };
    const key = unwrapContentKey(wrapped, this.keys.decryption, context);
    const opened = openImage(offer.open(0), {
      key,
      lengthMaxBytes: offer.lengthBytes,
      sha512: true,
    });
    for await (const bytes of opened) if (bytes.length > 0) this.#options.onStep?.();
    const { lengthBytes, sha256, sha512 } = opened.digest();
    const hashes = new Map<HashFunction, string>([['sha256', sha256]]);
    if (sha512 !== undefined) hashes.set('sha512', sha512);
    return { lengthBytes, hashes };
  }
}

/** What an ECU's refusal looks like across a link. */
function refusal(error: unknown): unknown {
  if (!(error instanceof Fault) || error instanceof VehicleFault) return error;
  return new VehicleFault('ECU_REFUSED', `Cannot go on: ${error.code}`, { cause: error });
}
