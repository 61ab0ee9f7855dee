/**
 * A DoIP entity's end of UDP: tells who it is when it starts and when it is asked, and no more often
 * than a vehicle needs, so that nobody makes a vehicle shout at others.
 *
 * @source ISO 13400-2:2019, vehicle announcement and identification, entity status, power mode
 */
import { equalBytes } from '@immota/base';
import { GENERIC_NACK, PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import { decodeHeader, HEADER_BYTES, VERSION_2019, VERSION_DEFAULT } from './header.ts';
import {
  ANNOUNCE_COUNT,
  ANNOUNCE_INTERVAL_MS,
  ANNOUNCE_WAIT_MAX_MS,
  ANSWERS_BURST,
  ANSWERS_PENDING_MAX,
  ANSWERS_PER_S,
  CONTROL_PAYLOAD_MAX_BYTES,
} from './limits.ts';
import { type DoipIdentity, type DoipMessage, encodeMessage } from './message.ts';
import { decodePayload, hasPayloadLength } from './payload.ts';

/** What an entity tells. */
export interface DoipIdentificationOptions {
  readonly identity: DoipIdentity;
  /** 0x10: routing activation for central security is needed; 0x00, as when left out: nothing. */
  readonly furtherAction?: number | undefined;
  readonly isGateway: boolean;
  readonly socketsMax: number;
  readonly dataMaxBytes: number;
  /** Sockets that are taken now. */
  socketsOpen(): number;
  /** 0: not ready; 1: ready; 2: not supported. */
  powerMode(): number;
  /** A number from 0 up to, not including, 1, that others cannot foretell. */
  draw(): number;
}

/** What an entity says by UDP. */
export interface DoipDatagram {
  /** As it came in; undefined means everybody. */
  readonly to: string | undefined;
  readonly bytes: Uint8Array;
}

/** Never answered: they are answers themselves, and a network is full of those of others. */
const ANSWERS: ReadonlySet<number> = new Set([
  PAYLOAD_TYPES.genericNack,
  PAYLOAD_TYPES.announcement,
  PAYLOAD_TYPES.entityStatusResponse,
  PAYLOAD_TYPES.powerModeResponse,
]);
const QUESTIONS: ReadonlySet<number> = new Set([
  PAYLOAD_TYPES.identificationRequest,
  PAYLOAD_TYPES.identificationRequestByEid,
  PAYLOAD_TYPES.identificationRequestByVin,
  PAYLOAD_TYPES.entityStatusRequest,
  PAYLOAD_TYPES.powerModeRequest,
]);

/** See the head of the file. */
export class DoipIdentification {
  readonly #options: DoipIdentificationOptions;
  /** Identifications on their way, by who asked: one each, however often it asks. */
  readonly #pending = new Map<string, { readonly atMs: number; readonly version: number }>();
  #announcementsLeft = 0;
  #announceAtMs = Infinity;
  #tokens: number = ANSWERS_BURST;
  #tokensAtMs = 0;

  constructor(options: DoipIdentificationOptions) {
    this.#options = options;
  }

  /** When `elapse` has to be called next. */
  get deadlineMs(): number | undefined {
    let first = this.#announceAtMs;
    for (const { atMs } of this.#pending.values()) first = Math.min(first, atMs);
    return first === Infinity ? undefined : first;
  }

  /** Begins to announce: three times, after a wait that chance decides. */
  start(atMs: number): void {
    this.#announcementsLeft = ANNOUNCE_COUNT;
    this.#announceAtMs = atMs + this.#drawWait();
  }

  /**
   * Takes a datagram.
   *
   * @param from - who sent it, in words that `DoipDatagram.to` repeats.
   */
  handle(from: string, bytes: Uint8Array, atMs: number): readonly DoipDatagram[] {
    const question = readQuestion(bytes);
    if (question === undefined) return [];
    const { version, message } = question;
    if (message.kind.startsWith('identificationRequest')) {
      if (this.#isMeant(message)) this.#defer(from, version, atMs);
      return [];
    }
    const answer = this.#answer(message);
    if (answer === undefined || !this.#spend(atMs)) return [];
    return [{ to: from, bytes: encodeMessage(answer, version) }];
  }

  /** Does what is due. */
  elapse(atMs: number): readonly DoipDatagram[] {
    const datagrams: DoipDatagram[] = [];
    if (atMs >= this.#announceAtMs) {
      this.#announcementsLeft -= 1;
      this.#announceAtMs = this.#announcementsLeft > 0 ? atMs + ANNOUNCE_INTERVAL_MS : Infinity;
      datagrams.push({ to: undefined, bytes: encodeMessage(this.#announcement()) });
    }
    for (const [to, { atMs: dueMs, version }] of this.#pending) {
      if (atMs < dueMs) continue;
      this.#pending.delete(to);
      datagrams.push({ to, bytes: encodeMessage(this.#announcement(), version) });
    }
    return datagrams;
  }

  #answer(message: DoipMessage): DoipMessage | undefined {
    const { isGateway, socketsMax, dataMaxBytes } = this.#options;
    if (message.kind === 'entityStatusRequest') {
      return {
        kind: 'entityStatusResponse',
        nodeType: isGateway ? 0 : 1,
        socketsMax,
        socketsOpen: this.#options.socketsOpen(),
        dataMaxBytes,
      };
    }
    if (message.kind === 'powerModeRequest') {
      return { kind: 'powerModeResponse', mode: this.#options.powerMode() };
    }
    return message.kind === 'genericNack' ? message : undefined;
  }

  #announcement(): DoipMessage {
    const { identity, furtherAction = 0 } = this.#options;
    return { kind: 'announcement', ...identity, furtherAction, syncStatus: 0 };
  }

  #isMeant(message: DoipMessage): boolean {
    const { identity } = this.#options;
    if (message.kind === 'identificationRequestByEid') {
      return equalBytes(message.eid, identity.eid);
    }
    if (message.kind === 'identificationRequestByVin') {
      return message.vin !== undefined && message.vin === identity.vin;
    }
    return true;
  }

  #defer(from: string, version: number, atMs: number): void {
    if (this.#pending.has(from) || this.#pending.size >= ANSWERS_PENDING_MAX) return;
    if (!this.#spend(atMs)) return;
    this.#pending.set(from, { atMs: atMs + this.#drawWait(), version });
  }

  #drawWait(): number {
    return this.#options.draw() * ANNOUNCE_WAIT_MAX_MS;
  }

  /** Takes one answer from what may be said in this second. */
  #spend(atMs: number): boolean {
    const grown = this.#tokens + ((atMs - this.#tokensAtMs) * ANSWERS_PER_S) / 1000;
    this.#tokens = Math.min(ANSWERS_BURST, grown);
    this.#tokensAtMs = atMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

interface Question {
  readonly version: number;
  readonly message: DoipMessage;
}

/** Reads a question, or makes the NACK that it deserves; undefined for what nobody answers. */
function readQuestion(bytes: Uint8Array): Question | undefined {
  try {
    const header = decodeHeader(bytes, true);
    const { type, lengthBytes } = header;
    const isDefault = header.version === VERSION_DEFAULT;
    const version = isDefault ? VERSION_2019 : header.version;
    if (ANSWERS.has(type)) return undefined;
    if (isDefault && type > PAYLOAD_TYPES.identificationRequestByVin) {
      return nack(GENERIC_NACK.incorrectPattern);
    }
    if (!QUESTIONS.has(type)) return nack(GENERIC_NACK.unknownPayloadType, version);
    if (lengthBytes > CONTROL_PAYLOAD_MAX_BYTES) {
      return nack(GENERIC_NACK.messageTooLarge, version);
    }
    const payload = bytes.subarray(HEADER_BYTES);
    if (payload.length !== lengthBytes || !hasPayloadLength(type, lengthBytes)) {
      return nack(GENERIC_NACK.invalidLength, version);
    }
    return { version, message: decodePayload(type, payload) };
  } catch (error) {
    if (!(error instanceof DoipFault)) throw error;
    // A VIN that does not print is nobody's.
    if (error.code === 'FIELD_RANGE') return undefined;
    return nack(GENERIC_NACK.incorrectPattern);
  }
}

function nack(code: number, version: number = VERSION_2019): Question {
  return { version, message: { kind: 'genericNack', code } };
}
