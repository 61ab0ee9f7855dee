/**
 * Cuts the bytes of a TCP connection into DoIP messages.
 *
 * Headers are checked in the order of the standard: pattern, type, longest length, memory, length of
 * the type. Memory is taken for bytes that have come and never for those that were announced.
 *
 * @source ISO 13400-2:2019, generic DoIP header handler
 */
import { assert } from '@immota/base';
import { GENERIC_NACK, type GenericNackCode, PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import { decodeHeader, type DoipHeader, HEADER_BYTES, VERSION_2019 } from './header.ts';
import { CONTROL_PAYLOAD_MAX_BYTES, PIECE_MIN_BYTES } from './limits.ts';
import { ADDRESSES_BYTES, type DoipMessage } from './message.ts';
import { decodePayload, hasPayloadLength } from './payload.ts';

/** What one end takes. */
export interface StreamRules {
  /** Payload types that are read. */
  readonly accepted: ReadonlySet<number>;
  /** Payload types that are let pass unread: answering them would make two ends talk for ever. */
  readonly ignored: ReadonlySet<number>;
  readonly payloadMaxBytes: number;
  /** Tells whether there is memory for a message of this length. */
  hasRoom(lengthBytes: number): boolean;
}

/** What the stream gave. */
export type StreamEvent =
  | { readonly kind: 'message'; readonly version: number; readonly message: DoipMessage }
  /** A diagnostic message begins. Before the next event is asked for, it may be skipped. */
  | {
      readonly kind: 'began';
      readonly version: number;
      readonly source: number;
      readonly target: number;
      readonly dataLengthBytes: number;
    }
  /** To be answered by a generic NACK. After `isFatal` the stream is over. */
  | {
      readonly kind: 'refused';
      readonly version: number;
      readonly code: GenericNackCode;
      readonly isFatal: boolean;
    };

type Phase = 'header' | 'addresses' | 'payload' | 'skip' | 'over';

const NOTHING: Uint8Array = new Uint8Array();

/** See the head of the file. */
export class DoipStreamDecoder {
  readonly #rules: StreamRules;
  readonly #head = new Uint8Array(HEADER_BYTES + ADDRESSES_BYTES);
  #headBytes = 0;
  #phase: Phase = 'header';
  #version: number = VERSION_2019;
  #type = 0;
  #lengthBytes = 0;
  #missingBytes = 0;
  #rest: Uint8Array = NOTHING;
  #pieces: Uint8Array[] = [];
  /** Tiny pieces gather here; it doubles, so that a mebibyte of single bytes is copied but twice. */
  #small = NOTHING;
  #smallBytes = 0;

  constructor(rules: StreamRules) {
    this.#rules = rules;
  }

  /** Tells whether a message has begun and not ended. */
  get isWithin(): boolean {
    return this.#phase !== 'over' && (this.#headBytes > 0 || this.#phase !== 'header');
  }

  /** Bytes that the message now under way announced and that are kept until it is whole. */
  get announcedBytes(): number {
    return this.#phase === 'payload' || this.#phase === 'addresses' ? this.#lengthBytes : 0;
  }

  /**
   * Takes what came. All events of the bytes before must have been asked for.
   *
   * @param bytes - kept by reference, and in the messages that `next` gives: not to be written again.
   */
  feed(bytes: Uint8Array): void {
    assert(this.#rest.length === 0, 'all events of earlier bytes were asked for');
    if (this.#phase !== 'over') this.#rest = bytes;
  }

  /** Gives the next event of the bytes that came; undefined when more of them are needed. */
  next(): StreamEvent | undefined {
    while (this.#rest.length > 0) {
      const event = this.#step();
      if (event !== undefined) return event;
    }
    return undefined;
  }

  /** Lets the rest of the diagnostic message that has just begun pass unread. */
  skip(): void {
    assert(this.#phase === 'payload', 'a message has begun');
    this.#phase = 'skip';
  }

  /** Reads no more, ever: the connection is being closed. */
  stop(): void {
    this.#phase = 'over';
    this.#rest = NOTHING;
    this.#forget();
  }

  #step(): StreamEvent | undefined {
    switch (this.#phase) {
      case 'header':
        return this.#fillHead(HEADER_BYTES) ? this.#begin() : undefined;
      case 'addresses':
        return this.#fillHead(HEADER_BYTES + ADDRESSES_BYTES) ? this.#beginDiagnostic() : undefined;
      case 'payload':
        return this.#collect();
      case 'skip':
        this.#take();
        if (this.#missingBytes === 0) this.#reset();
        return undefined;
      case 'over':
        this.#rest = NOTHING;
        return undefined;
    }
  }

  #fillHead(wantedBytes: number): boolean {
    const part = this.#rest.subarray(0, wantedBytes - this.#headBytes);
    this.#head.set(part, this.#headBytes);
    this.#headBytes += part.length;
    this.#rest = this.#rest.subarray(part.length);
    return this.#headBytes === wantedBytes;
  }

  #begin(): StreamEvent | undefined {
    const header = readHeader(this.#head);
    if (header === undefined) return this.#refuse(GENERIC_NACK.incorrectPattern);
    const { version, type, lengthBytes } = header;
    this.#version = version;
    this.#type = type;
    this.#lengthBytes = lengthBytes;
    this.#missingBytes = lengthBytes;
    if (this.#rules.ignored.has(type)) return this.#pass();
    if (!this.#rules.accepted.has(type)) return this.#refuse(GENERIC_NACK.unknownPayloadType);
    const isDiagnostic = type === PAYLOAD_TYPES.diagnosticMessage;
    const maxBytes = isLong(type) ? this.#rules.payloadMaxBytes : CONTROL_PAYLOAD_MAX_BYTES;
    if (lengthBytes > maxBytes) return this.#refuse(GENERIC_NACK.messageTooLarge);
    if (isLong(type) && !this.#rules.hasRoom(lengthBytes)) {
      return this.#refuse(GENERIC_NACK.outOfMemory);
    }
    if (!hasPayloadLength(type, lengthBytes)) return this.#refuse(GENERIC_NACK.invalidLength);
    if (lengthBytes === 0) return this.#finish(NOTHING);
    this.#phase = isDiagnostic ? 'addresses' : 'payload';
    return undefined;
  }

  #beginDiagnostic(): StreamEvent {
    const view = new DataView(this.#head.buffer);
    this.#missingBytes = this.#lengthBytes - ADDRESSES_BYTES;
    this.#phase = 'payload';
    return {
      kind: 'began',
      version: this.#version,
      source: view.getUint16(HEADER_BYTES),
      target: view.getUint16(HEADER_BYTES + 2),
      dataLengthBytes: this.#missingBytes,
    };
  }

  #collect(): StreamEvent | undefined {
    const part = this.#take();
    if (this.#missingBytes === 0 && this.#pieces.length === 0 && this.#smallBytes === 0) {
      // The whole of it lies in one piece: nothing is copied.
      return this.#finish(part);
    }
    if (part.length >= PIECE_MIN_BYTES) {
      this.#closeSmall();
      this.#pieces.push(part);
    } else {
      this.#gather(part);
    }
    if (this.#missingBytes > 0) return undefined;
    this.#closeSmall();
    const [only] = this.#pieces;
    const isOne = this.#pieces.length === 1 && only !== undefined;
    return this.#finish(isOne ? only : join(this.#pieces));
  }

  #finish(bytes: Uint8Array): StreamEvent {
    const version = this.#version;
    const message: DoipMessage =
      this.#type === PAYLOAD_TYPES.diagnosticMessage
        ? this.#diagnostic(bytes)
        : decodePayload(this.#type, bytes);
    this.#reset();
    return { kind: 'message', version, message };
  }

  #diagnostic(userData: Uint8Array): DoipMessage {
    const view = new DataView(this.#head.buffer);
    const source = view.getUint16(HEADER_BYTES);
    const target = view.getUint16(HEADER_BYTES + 2);
    return { kind: 'diagnosticMessage', source, target, userData };
  }

  #take(): Uint8Array {
    const part = this.#rest.subarray(0, this.#missingBytes);
    this.#rest = this.#rest.subarray(part.length);
    this.#missingBytes -= part.length;
    return part;
  }

  #gather(part: Uint8Array): void {
    const neededBytes = this.#smallBytes + part.length;
    if (neededBytes > this.#small.length) {
      const larger = new Uint8Array(Math.max(neededBytes, 2 * this.#small.length));
      larger.set(this.#small.subarray(0, this.#smallBytes));
      this.#small = larger;
    }
    this.#small.set(part, this.#smallBytes);
    this.#smallBytes = neededBytes;
  }

  #closeSmall(): void {
    if (this.#smallBytes > 0) this.#pieces.push(this.#small.subarray(0, this.#smallBytes));
    this.#small = NOTHING;
    this.#smallBytes = 0;
  }

  #refuse(code: GenericNackCode): StreamEvent {
    const isFatal = code === GENERIC_NACK.incorrectPattern || code === GENERIC_NACK.invalidLength;
    const version = this.#version;
    if (isFatal) this.stop();
    else this.#pass();
    return { kind: 'refused', version, code, isFatal };
  }

  #pass(): undefined {
    if (this.#lengthBytes === 0) this.#reset();
    else this.#phase = 'skip';
    return undefined;
  }

  #reset(): void {
    this.#phase = 'header';
    this.#lengthBytes = 0;
    this.#missingBytes = 0;
    this.#forget();
  }

  #forget(): void {
    this.#headBytes = 0;
    this.#pieces = [];
    this.#small = NOTHING;
    this.#smallBytes = 0;
  }
}

/** Zeroing a mebibyte that is written at once costs four times as much as writing it. */
function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  assert(offset === joined.length, 'no byte is left as it was found');
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.length);
}

function readHeader(bytes: Uint8Array): DoipHeader | undefined {
  try {
    return decodeHeader(bytes);
  } catch (error) {
    if (error instanceof DoipFault) return undefined;
    throw error;
  }
}

/** Types whose payload is as long as the data in it. */
function isLong(type: number): boolean {
  return (
    type === PAYLOAD_TYPES.diagnosticMessage ||
    type === PAYLOAD_TYPES.diagnosticAck ||
    type === PAYLOAD_TYPES.diagnosticNack
  );
}
