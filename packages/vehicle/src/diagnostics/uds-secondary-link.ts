/**
 * A Secondary over UDS, as its Primary sees it. Orders are routines, documents data records or files,
 * an image the full programming sequence or a resumed file; each under rights that a certificate gives.
 */
import { type Entropy, findFaultCode, type JsonObject } from '@immota/base';
import {
  ask,
  awaitReturn,
  controlRoutine,
  gainRights,
  nameResponseCode,
  programEcu,
  readData,
  readFile,
  resetEcu,
  RESPONSE_CODES,
  sendFile,
  startSession,
  type TransferSource,
  UdsFault,
  type UdsProcedure,
  type UdsProgress,
  writeData,
} from '@immota/bus';
import { isEncryptedImage } from '@immota/image';
import type { EcuIdentifier } from '@immota/uptane';
import { type LinkCredential, linkNameOf } from '../link/link-credentials.ts';
import {
  decodeDocument,
  decodeInfo,
  decodeRefusal,
  decodeStatus,
  encodeBundle,
} from '../link/message.ts';
import type { MetadataBundle } from '../link/metadata-bundle.ts';
import type {
  ImageOffer,
  SecondaryInfo,
  SecondaryLink,
  SecondaryStatus,
} from '../link/secondary-link.ts';
import { type Timer, wait } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { certificateOf, proveToEcu } from './certificate-authentication.ts';
import {
  DOCUMENT_MAX_BYTES,
  IMAGE_HEAD_BYTES,
  RETURN_ATTEMPTS_MAX,
  RETURN_PAUSE_MS,
  TRANSFER_ATTEMPTS_IDLE,
} from './limits.ts';
import { OfferReader } from './offer-reader.ts';
import {
  decodeDocumentAnswer,
  encodeAnnouncement,
  FORMAT_DELTA,
  FORMAT_ENCRYPTED,
  FORMAT_PLAIN,
  SECONDARY_BLOCK,
  SECONDARY_DATA,
  SECONDARY_FILES,
  SECONDARY_ROUTINES,
} from './secondary-identifiers.ts';
import type { UdsClient, UdsEnvironment } from './uds-client.ts';

/** How to reach a Secondary, and how its images go. */
export interface UdsSecondaryLinkOptions {
  readonly ecuIdentifier: EcuIdentifier;
  /** Goes into the proof of who we are. */
  readonly vehicleIdentifier: string;
  /** Opens a client; called again when a carrier failed. */
  readonly connect: () => Promise<UdsClient>;
  /** The Primary's, as over the in-vehicle link. */
  readonly credential: LinkCredential;
  readonly entropy: Entropy;
  readonly timer: Timer;
  readonly now: () => Temporal.Instant;
  /** `memory`: a microcontroller, by erase and download; `file`: a file system, by a resumed file. */
  readonly transfer: 'memory' | 'file';
  /** For memory: `silent` while the vehicle drives, `programming` for one bank; silent when left out. */
  readonly flavour?: 'silent' | 'programming' | undefined;
  /** Written before the first erasure: who programs, and when. */
  readonly fingerprint?: Uint8Array | undefined;
  readonly onProgress?: ((progress: UdsProgress) => void) | undefined;
  /** Pause between questions whether a restarting ECU is back; `limits.ts` when left out. */
  readonly returnPauseMs?: number | undefined;
}

/** Makes a link. Nothing is sent before the first order. */
export function openUdsSecondaryLink(options: UdsSecondaryLinkOptions): SecondaryLink {
  return new UdsLink(options);
}

const NOTHING: Uint8Array = new Uint8Array();
const IMAGE = 'image';

class UdsLink implements SecondaryLink {
  readonly ecuIdentifier: EcuIdentifier;
  readonly takesDeltas = true;
  readonly #options: UdsSecondaryLinkOptions;
  #client: Promise<UdsClient> | undefined;
  #isClosed = false;

  constructor(options: UdsSecondaryLinkOptions) {
    this.#options = options;
    this.ecuIdentifier = options.ecuIdentifier;
  }

  async getInfo(): Promise<SecondaryInfo> {
    return await this.#translated(async () => {
      const client = await this.#connect();
      try {
        return decodeInfo(await client.ask(readData(SECONDARY_DATA.info)));
      } catch (error) {
        if (!isTooLong(error)) throw error;
      }
      return decodeInfo(await this.#ordered(readDocument(SECONDARY_FILES.info)));
    });
  }

  async report(nonce: string): Promise<JsonObject> {
    return await this.#translated(async () =>
      decodeDocument(await this.#ordered(readReport(Uint8Array.fromHex(nonce)))),
    );
  }

  async drawTimeNonce(): Promise<string> {
    const record = await this.#routine(SECONDARY_ROUTINES.drawTimeNonce);
    return record.subarray(1).toHex();
  }

  async putTime(attestation: Uint8Array): Promise<void> {
    await this.#translated(async () => {
      const { messageMaxBytes } = await this.#connect();
      const call = controlRoutine('start', SECONDARY_ROUTINES.putTime, attestation);
      if (call.bytes.length <= messageMaxBytes) await this.#ordered(ask(call));
      else await this.#sendWhole(SECONDARY_FILES.time, attestation);
    });
  }

  async putMetadata(bundle: MetadataBundle): Promise<void> {
    await this.#translated(async () => {
      await this.#sendWhole(SECONDARY_FILES.metadata, encodeBundle(bundle));
    });
  }

  /** The ECU says from where on: a transfer that broke off goes on where it stopped. */
  async sendImage(offer: ImageOffer): Promise<void> {
    let furthestBytes = -1;
    for (let idle = 0; ; idle += 1) {
      let reachedBytes = 0;
      try {
        await this.#translated(async () => {
          await this.#sendOnce(offer, (doneBytes) => {
            reachedBytes = doneBytes;
          });
        });
        return;
      } catch (error) {
        if (findFaultCode(error) !== 'ECU_UNREACHABLE' || this.#isClosed) throw error;
        if (reachedBytes > furthestBytes) idle = 0;
        furthestBytes = Math.max(furthestBytes, reachedBytes);
        if (idle >= TRANSFER_ATTEMPTS_IDLE) throw error;
      }
      await wait(this.#options.timer, this.#returnPauseMs);
    }
  }

  async activate(): Promise<void> {
    await this.#translated(async () => {
      const returnPauseMs = this.#returnPauseMs;
      await this.#ordered(restart({ returnAttempts: RETURN_ATTEMPTS_MAX, returnPauseMs }));
      // What the new image made of the order, it says now.
      const refusal = await this.#findRefusal();
      if (refusal !== undefined) throw refusal;
    });
  }

  async confirm(): Promise<void> {
    await this.#routine(SECONDARY_ROUTINES.confirm);
  }

  async revert(): Promise<void> {
    await this.#routine(SECONDARY_ROUTINES.revert);
  }

  async status(): Promise<SecondaryStatus> {
    return await this.#translated(async () => {
      const client = await this.#connect();
      return decodeStatus(await client.ask(readData(SECONDARY_DATA.status)));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#client;
    this.#client = undefined;
    try {
      await (await opening)?.close();
    } catch {
      // It never opened: there is nothing to close.
    }
  }

  get #returnPauseMs(): number {
    return this.#options.returnPauseMs ?? RETURN_PAUSE_MS;
  }

  async #connect(): Promise<UdsClient> {
    if (this.#isClosed) throw new VehicleFault('CLOSED', 'Cannot ask ECU: the link is closed');
    this.#client ??= this.#options.connect();
    const opening = this.#client;
    try {
      return await opening;
    } catch (error) {
      if (this.#client === opening) this.#client = undefined;
      throw error;
    }
  }

  async #routine(routine: number): Promise<Uint8Array> {
    return await this.#translated(async () => this.#ordered(ask(controlRoutine('start', routine))));
  }

  /** Carries an order out in a session of its own, with rights. */
  async #ordered<Result>(
    order: UdsProcedure<Result>,
    read?: UdsEnvironment['read'],
  ): Promise<Result> {
    const client = await this.#connect();
    const environment = { ...this.#environment(), ...(read === undefined ? {} : { read }) };
    return await client.run(withRights(order, this.#credential()), environment);
  }

  async #sendWhole(path: string, bytes: Uint8Array): Promise<void> {
    const source = { source: path, dataFormat: FORMAT_PLAIN, lengthBytes: bytes.length };
    await this.#ordered(sendFile(path, 'add', source), (_source, offsetBytes, lengthBytes) =>
      Promise.resolve(bytes.subarray(offsetBytes, offsetBytes + lengthBytes)),
    );
  }

  async #sendOnce(offer: ImageOffer, onDone: (doneBytes: number) => void): Promise<void> {
    const { fingerprint, transfer, flavour = 'silent', onProgress } = this.#options;
    const reader = new OfferReader(offer);
    try {
      const head = await reader.read(0, Math.min(IMAGE_HEAD_BYTES, offer.lengthBytes));
      const { name, lengthBytes, isDelta } = offer;
      const image = { name, lengthBytes, ...(isDelta === true ? { isDelta } : {}) };
      const encryption = isEncryptedImage(head) ? FORMAT_ENCRYPTED : FORMAT_PLAIN;
      const dataFormat = isDelta === true ? FORMAT_DELTA | encryption : encryption;
      const source: TransferSource = { source: IMAGE, dataFormat, lengthBytes };
      const announcement = encodeAnnouncement({ ...image, head });
      const fingerprints = [
        ...(fingerprint === undefined
          ? []
          : [{ identifier: SECONDARY_DATA.fingerprint, record: fingerprint }]),
        { identifier: SECONDARY_DATA.announcement, record: announcement },
      ];
      const environment: UdsEnvironment = {
        ...this.#environment(),
        read: async (_source, offsetBytes, wantedBytes) => reader.read(offsetBytes, wantedBytes),
        onProgress: (progress) => {
          if (progress.kind === 'transferred') onDone(progress.doneBytes);
          onProgress?.(progress);
        },
      };
      const credential = this.#credential();
      const procedure =
        transfer === 'file'
          ? withRights(sendAnnounced(fingerprints, source), credential)
          : programEcu({
              flavour,
              credential,
              identification: [],
              fingerprints,
              isPreconditionChecked: false,
              blocks: [{ ...source, block: SECONDARY_BLOCK, address: 0, checkOption: NOTHING }],
              activation: undefined,
            });
      const client = await this.#connect();
      await client.run(procedure, environment);
    } finally {
      await reader.close();
    }
  }

  #credential(): Parameters<typeof gainRights>[0] {
    const certificate = certificateOf(this.#options.credential);
    return { kind: 'certificate', certificate, isBidirectional: true };
  }

  #environment(): UdsEnvironment {
    const { credential, entropy, vehicleIdentifier, now, onProgress } = this.#options;
    const { ecuIdentifier } = this;
    return {
      entropy,
      onProgress,
      prove: async (step) =>
        proveToEcu(step, {
          credential,
          vin: vehicleIdentifier,
          ecuSerialNumber: ecuIdentifier,
          ecuDnsName: linkNameOf(ecuIdentifier),
          now,
        }),
    };
  }

  /** Says in the words of the port what went wrong. */
  async #translated<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      throw await this.#translate(error);
    }
  }

  async #translate(error: unknown): Promise<unknown> {
    const ecu = `"${this.ecuIdentifier}"`;
    if (error instanceof VehicleFault && error.code === 'LINK_PROTOCOL') {
      return new VehicleFault('ECU_UNTRUSTED', `Cannot trust ${ecu}: ${error.message}`, {
        cause: error,
      });
    }
    if (!(error instanceof UdsFault)) return error;
    switch (error.code) {
      case 'REFUSED':
      case 'ROUTINE_FAILED': {
        const refusal = await this.#findRefusal(error);
        const code = nameResponseCode(error.responseCode ?? RESPONSE_CODES.generalReject);
        const message = `Cannot go on with ${ecu}: ${code}`;
        return refusal ?? new VehicleFault('ECU_REFUSED', message, { cause: error });
      }
      case 'ANSWER_UNEXPECTED':
      case 'MESSAGE_MALFORMED':
        return new VehicleFault('ECU_UNTRUSTED', `Cannot trust ${ecu}: ${error.message}`, {
          cause: error,
        });
      case 'CLOSED':
      case 'TIMEOUT':
      case 'PENDING_EXHAUSTED':
      case 'BUSY':
        if (error.code === 'CLOSED') await this.#forgetClient();
        return new VehicleFault('ECU_UNREACHABLE', `Cannot reach ${ecu}: ${error.message}`, {
          cause: error,
        });
      case 'VALUE_RANGE':
      default:
        return error;
    }
  }

  /** Asks for the ECU's own code. A broken transfer is no refusal: the ECU would go on. */
  async #findRefusal(cause?: unknown): Promise<VehicleFault | undefined> {
    try {
      const client = await this.#connect();
      const record = await client.ask(readData(SECONDARY_DATA.refusal));
      if (record.length === 0) return undefined;
      const { code, message } = decodeRefusal(record);
      const kind = code === 'NETWORK' ? 'ECU_UNREACHABLE' : 'ECU_REFUSED';
      return new VehicleFault(kind, `Cannot go on with ECU: ${code}: ${message}`, { cause });
    } catch {
      return undefined;
    }
  }

  async #forgetClient(): Promise<void> {
    const opening = this.#client;
    this.#client = undefined;
    try {
      await (await opening)?.close();
    } catch {
      // It is gone already.
    }
  }
}

/** Begins a session, gains rights, and leaves nothing open, whatever comes of the order. */
function* withRights<Result>(
  order: UdsProcedure<Result>,
  credential: Parameters<typeof gainRights>[0],
): UdsProcedure<Result> {
  yield* ask(startSession('extended'));
  yield { kind: 'keepSession', isKept: true };
  try {
    yield* gainRights(credential);
    const result = yield* order;
    yield* ask(startSession('default'));
    return result;
  } catch (error) {
    try {
      yield* ask(startSession('default'));
    } catch (second) {
      if (!(second instanceof UdsFault)) throw second;
    }
    throw error;
  }
}

function* readDocument(path: string): UdsProcedure<Uint8Array> {
  return yield* readFile({ mode: 'read', path }, DOCUMENT_MAX_BYTES);
}

function* readReport(nonce: Uint8Array): UdsProcedure<Uint8Array> {
  const answer = yield* ask(controlRoutine('start', SECONDARY_ROUTINES.report, nonce));
  return decodeDocumentAnswer(answer) ?? (yield* readDocument(SECONDARY_FILES.report));
}

function* sendAnnounced(
  records: readonly { readonly identifier: number; readonly record: Uint8Array }[],
  source: TransferSource,
): UdsProcedure<undefined> {
  for (const { identifier, record } of records) yield* ask(writeData(identifier, record));
  return yield* sendFile(SECONDARY_FILES.image, 'resume', source);
}

function* restart(patience: Parameters<typeof awaitReturn>[0]): UdsProcedure<undefined> {
  yield* ask(controlRoutine('start', SECONDARY_ROUTINES.activate));
  yield* ask(resetEcu('hard'));
  return yield* awaitReturn(patience);
}

function isTooLong(error: unknown): boolean {
  return error instanceof UdsFault && error.responseCode === RESPONSE_CODES.responseTooLong;
}
