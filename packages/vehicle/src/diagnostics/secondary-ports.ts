/**
 * A Secondary behind a diagnostic server: every order of its Primary as a service of UDS. The ECU
 * verifies all that comes as it does over any link; rights keep strangers from its parsers and its
 * flash, and prove nothing about software.
 */
import { concatBytes, Fault, utf8 } from '@immota/base';
import {
  type AccessRule,
  DATA_IDENTIFIERS,
  type UdsContext,
  UdsFault,
  type UdsSession,
  uintBytes,
} from '@immota/bus';
import {
  decodeBundle,
  encodeInfo,
  encodeJson,
  encodeRefusal,
  encodeStatus,
} from '../link/message.ts';
import { BUNDLE_MAX_BYTES } from '../link/limits.ts';
import type { SecondaryLink } from '../link/secondary-link.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { DOCUMENT_MAX_BYTES } from './limits.ts';
import { type ImageAnnouncement, ImageIntake } from './image-intake.ts';
import { createSecondaryFiles } from './secondary-files.ts';
import {
  decodeAnnouncement,
  encodeDocument,
  FORMAT_DELTA,
  FORMAT_ENCRYPTED,
  FORMAT_PLAIN,
  ROUTINE_DONE,
  SECONDARY_BLOCK,
  SECONDARY_DATA,
  SECONDARY_ROUTINES,
} from './secondary-identifiers.ts';
import { refuse } from './uds-application.ts';
import type {
  AuthenticationPort,
  DataPort,
  DtcPort,
  MemoryPort,
  ResetPort,
  RoutinePort,
  UdsPorts,
} from './uds-ports.ts';

/** What is put behind the server. */
export interface SecondaryPortsOptions {
  readonly ecu: SecondaryLink;
  readonly vehicleIdentifier: string;
  readonly authentication: AuthenticationPort;
  /** Roles that may give orders. */
  readonly roles: readonly string[];
  /** Bytes of the longest answer of the carrier. */
  readonly messageMaxBytes: number;
  /** Of the slot; images beyond it are not asked for. */
  readonly memoryBytes: number;
  readonly dtcs?: DtcPort | undefined;
  /** Hears who programs, before anything is erased; durable when it fulfils. */
  readonly onFingerprint?: ((record: Uint8Array, context: UdsContext) => Promise<void>) | undefined;
  /** What the ECU says of itself; undefined where it has nothing to say. */
  readonly identify?: (() => EcuIdentification) | undefined;
  /** Restarts an ECU that has nothing to activate. */
  readonly restart?: (() => Promise<void>) | undefined;
}

/** Read by testers of any maker {14229-1:2020 C.1}. */
export interface EcuIdentification {
  /** The name of the image that runs. */
  readonly softwareNumber: string | undefined;
  /** Its release counter. */
  readonly softwareVersion: string | undefined;
  /** RXSWIN: the regulated software that this ECU is part of (UN R156). */
  readonly rxswin: string | undefined;
}

/** Makes the ports. Images come as memory or as a file, as the tester likes. */
export function createSecondaryPorts(options: SecondaryPortsOptions): UdsPorts {
  return new SecondaryServer(options).ports();
}

const ANYBODY: AccessRule = { sessions: ['default', 'programming', 'extended'] };
const NONCE_BYTES = { min: 16, max: 32 } as const;
const FINGERPRINT_MAX_BYTES = 64;
const ANNOUNCEMENT_MAX_BYTES = 1024;
const DOCUMENT_HEAD_BYTES = 4;
const DATA_FORMATS = [FORMAT_PLAIN, FORMAT_ENCRYPTED].flatMap((format) => [
  format,
  FORMAT_DELTA | format,
]);
const DONE: Uint8Array = Uint8Array.of(ROUTINE_DONE);
const NOT_DONE: Uint8Array = Uint8Array.of(1);
const NOTHING: Uint8Array = new Uint8Array();
const SESSION_CODES = { default: 1, programming: 2, extended: 3 } as const;

class SecondaryServer {
  readonly #options: SecondaryPortsOptions;
  readonly #rights: AccessRule;
  readonly #intake = new ImageIntake();
  #announcement: ImageAnnouncement | undefined;
  #refusal: Uint8Array = NOTHING;
  #report: Uint8Array = NOTHING;
  #isActivating = false;

  constructor(options: SecondaryPortsOptions) {
    this.#options = options;
    this.#rights = { sessions: ['programming', 'extended'], roles: options.roles };
  }

  ports(): UdsPorts {
    const { authentication, dtcs, ecu } = this.#options;
    return {
      data: this.#data(),
      routines: this.#routines(),
      memory: this.#memory(),
      files: createSecondaryFiles({
        access: this.#rights,
        receive: {
          metadata: async (bytes) =>
            this.#attempt(async () => ecu.putMetadata(decodeBundle(bytes))),
          time: async (bytes) => this.#attempt(async () => ecu.putTime(bytes)),
        },
        receiveMaxBytes: { metadata: BUNDLE_MAX_BYTES, time: DOCUMENT_MAX_BYTES },
        documents: {
          info: async () => encodeInfo(await ecu.getInfo()),
          report: () => Promise.resolve(this.#report),
        },
        image: {
          lengthBytes: () => this.#announcement?.lengthBytes,
          begin: async () => this.#beginImage(),
          write: async (offsetBytes, data) => this.#writeImage(offsetBytes, data),
          finish: async () => this.#attempt(async () => this.#intake.finish(), 'transfer'),
          abort: async () => this.#intake.abort(),
        },
      }),
      dtcs,
      resets: this.#resets(),
      authentication,
      enterSession: async () => {
        this.#announcement = undefined;
        this.#isActivating = false;
        await this.#intake.abort();
      },
    };
  }

  #data(): ReadonlyMap<number, DataPort> {
    const { ecu, vehicleIdentifier, onFingerprint } = this.#options;
    const said = (part: keyof EcuIdentification): DataPort =>
      text(() => Promise.resolve(this.#options.identify?.()[part] ?? refuse('requestOutOfRange')));
    return new Map<number, DataPort>([
      [DATA_IDENTIFIERS.vin, text(() => Promise.resolve(vehicleIdentifier))],
      [DATA_IDENTIFIERS.ecuSerialNumber, text(() => Promise.resolve(ecu.ecuIdentifier))],
      [
        DATA_IDENTIFIERS.ecuHardwareNumber,
        text(async () => (await ecu.getInfo()).hardwareIdentifier),
      ],
      [DATA_IDENTIFIERS.ecuSoftwareNumber, said('softwareNumber')],
      [DATA_IDENTIFIERS.ecuSoftwareVersionNumber, said('softwareVersion')],
      [DATA_IDENTIFIERS.regulationXSoftwareIdentification, said('rxswin')],
      [
        DATA_IDENTIFIERS.activeDiagnosticSession,
        open(({ session }) => Promise.resolve(Uint8Array.of(sessionByte(session)))),
      ],
      [SECONDARY_DATA.info, open(async () => encodeInfo(await ecu.getInfo()))],
      [SECONDARY_DATA.status, open(async () => encodeStatus(await ecu.status()))],
      [SECONDARY_DATA.refusal, open(() => Promise.resolve(this.#refusal))],
      [
        SECONDARY_DATA.announcement,
        {
          write: {
            access: this.#rights,
            lengthMinBytes: 1,
            lengthMaxBytes: ANNOUNCEMENT_MAX_BYTES,
            perform: async (record) => this.#attempt(async () => this.#announce(record)),
          },
        },
      ],
      [
        SECONDARY_DATA.fingerprint,
        {
          write: {
            access: this.#rights,
            lengthMinBytes: 1,
            lengthMaxBytes: FINGERPRINT_MAX_BYTES,
            perform: async (record, context) => onFingerprint?.(record, context),
          },
        },
      ],
    ]);
  }

  #routines(): ReadonlyMap<number, RoutinePort> {
    const { ecu, messageMaxBytes } = this.#options;
    const order = (
      perform: (option: Uint8Array) => Promise<Uint8Array>,
      optionMinBytes = 0,
      optionMaxBytes = optionMinBytes,
    ): RoutinePort => ({
      access: this.#rights,
      controls: ['start'],
      optionMinBytes,
      optionMaxBytes,
      perform: async (_control, option) => this.#attempt(async () => perform(option)),
    });
    const roomBytes = messageMaxBytes - DOCUMENT_HEAD_BYTES;
    return new Map<number, RoutinePort>([
      [
        SECONDARY_ROUTINES.report,
        order(
          async (nonce) => {
            this.#report = encodeJson(await ecu.report(nonce.toHex()));
            return encodeDocument(this.#report, roomBytes);
          },
          NONCE_BYTES.min,
          NONCE_BYTES.max,
        ),
      ],
      [
        SECONDARY_ROUTINES.drawTimeNonce,
        order(async () => concatBytes([DONE, Uint8Array.fromHex(await ecu.drawTimeNonce())])),
      ],
      [
        SECONDARY_ROUTINES.putTime,
        order(
          async (attestation) => {
            await ecu.putTime(attestation);
            return DONE;
          },
          1,
          DOCUMENT_MAX_BYTES,
        ),
      ],
      [SECONDARY_ROUTINES.activate, order(async () => this.#armActivation())],
      [
        SECONDARY_ROUTINES.confirm,
        order(async () => {
          await ecu.confirm();
          return DONE;
        }),
      ],
      [
        SECONDARY_ROUTINES.revert,
        order(async () => {
          await ecu.revert();
          return DONE;
        }),
      ],
    ]);
  }

  #memory(): MemoryPort {
    const { ecu, memoryBytes } = this.#options;
    let baseBytes = 0;
    return {
      access: this.#rights,
      blocks: new Map([
        [SECONDARY_BLOCK, { address: 0, sizeBytes: memoryBytes, dataFormats: DATA_FORMATS }],
      ]),
      erase: async () => {
        const positionBytes = await this.#beginImage();
        const lengthBytes = this.#announcement?.lengthBytes ?? positionBytes;
        return {
          region: { address: positionBytes, sizeBytes: lengthBytes - positionBytes },
          record: concatBytes([DONE, uintBytes(positionBytes, 8)]),
        };
      },
      open: (_block, { address, dataFormat }) => {
        // What was announced is what comes: an image is not written as a delta, nor a delta as an image.
        const isDelta = (dataFormat & 0xf0) === FORMAT_DELTA;
        if (isDelta !== (this.#announcement?.isDelta === true)) return refuse('requestOutOfRange');
        baseBytes = address;
        return Promise.resolve();
      },
      write: async (offsetBytes, data) => this.#writeImage(baseBytes + offsetBytes, data),
      finish: () => Promise.resolve(NOTHING),
      abort: async () => this.#intake.abort(),
      check: async () => {
        try {
          await this.#attempt(async () => this.#intake.finish(), 'transfer');
          return { isGood: true, record: DONE };
        } catch (error) {
          if (!(error instanceof UdsFault)) throw error;
          return { isGood: false, record: NOT_DONE };
        }
      },
      checkDependencies: async () => ((await ecu.status()).phase === 'prepared' ? DONE : NOT_DONE),
    };
  }

  #resets(): ResetPort {
    const { ecu, restart } = this.#options;
    return {
      access: this.#rights,
      resets: ['hard'],
      prepare: () => Promise.resolve(),
      perform: async () => {
        const isActivating = this.#isActivating;
        this.#isActivating = false;
        this.#announcement = undefined;
        await this.#intake.abort();
        if (!isActivating) {
          await restart?.();
          return;
        }
        try {
          await this.#attempt(async () => ecu.activate());
        } catch (error) {
          // Whoever asks reads the refusal, and the next report says what runs.
          if (!(error instanceof UdsFault)) throw error;
        }
      },
    };
  }

  #announce(record: Uint8Array): Promise<void> {
    const announcement = decodeAnnouncement(record);
    if (announcement.lengthBytes > this.#options.memoryBytes) {
      throw new VehicleFault('ECU_REFUSED', 'Cannot take image: it is larger than the slot');
    }
    this.#announcement = announcement;
    return Promise.resolve();
  }

  async #beginImage(): Promise<number> {
    const announcement = this.#announcement;
    const { ecu } = this.#options;
    return await this.#attempt(async () => {
      if (announcement === undefined) {
        throw new VehicleFault('ECU_REFUSED', 'Cannot take image: none was announced');
      }
      return await this.#intake.begin(announcement, async (offer) => ecu.sendImage(offer));
    });
  }

  async #writeImage(offsetBytes: number, data: Uint8Array): Promise<void> {
    await this.#attempt(async () => this.#intake.write(offsetBytes, data), 'transfer');
  }

  async #armActivation(): Promise<Uint8Array> {
    if ((await this.#options.ecu.status()).phase !== 'prepared') {
      throw new VehicleFault('SLOT_EMPTY', 'Cannot activate: no image is prepared');
    }
    this.#isActivating = true;
    return DONE;
  }

  /** Turns the ECU's refusal into a code of UDS, and keeps its own for whoever asks. */
  async #attempt<Result>(
    act: () => Promise<Result>,
    kind: 'order' | 'transfer' = 'order',
  ): Promise<Result> {
    this.#refusal = NOTHING;
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Fault) || error instanceof UdsFault) throw error;
      this.#refusal = encodeRefusal({ code: String(error.code), message: error.message });
      return refuse(kind === 'order' ? 'conditionsNotCorrect' : 'generalProgrammingFailure');
    }
  }
}

function open(perform: (context: UdsContext) => Promise<Uint8Array>): DataPort {
  return { read: { access: ANYBODY, perform } };
}

function text(value: () => Promise<string>): DataPort {
  return open(async () => utf8(await value()));
}

function sessionByte(session: UdsSession): number {
  return SESSION_CODES[session];
}
