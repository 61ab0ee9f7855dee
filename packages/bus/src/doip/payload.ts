/** Reads payloads: which lengths a type has, and what lies where. */
import { PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import type { DoipMessage } from './message.ts';

interface Shape {
  /** Lengths that this type may have, apart from `isOpen`. */
  readonly lengths: readonly number[];
  /** True when more may follow the longest of them. */
  readonly isOpen?: boolean;
  read(payload: Fields): DoipMessage;
}

/** Unset bytes of a VIN are all zeros or all ones. */
const VIN_UNSET: ReadonlySet<number> = new Set([0x00, 0xff]);
const VIN_CHARACTERS = 17;

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [
    PAYLOAD_TYPES.genericNack,
    { lengths: [1], read: (fields) => ({ kind: 'genericNack', code: fields.number(0, 1) }) },
  ],
  [
    PAYLOAD_TYPES.identificationRequest,
    { lengths: [0], read: () => ({ kind: 'identificationRequest' }) },
  ],
  [
    PAYLOAD_TYPES.identificationRequestByEid,
    {
      lengths: [6],
      read: (fields) => ({ kind: 'identificationRequestByEid', eid: fields.bytes(0, 6) }),
    },
  ],
  [
    PAYLOAD_TYPES.identificationRequestByVin,
    {
      lengths: [VIN_CHARACTERS],
      read: (fields) => ({ kind: 'identificationRequestByVin', vin: fields.vin(0) }),
    },
  ],
  [PAYLOAD_TYPES.announcement, { lengths: [32, 33], read: readAnnouncement }],
  [
    PAYLOAD_TYPES.routingActivationRequest,
    {
      lengths: [7, 11],
      read: (fields) => ({
        kind: 'routingActivationRequest',
        source: fields.number(0, 2),
        activationType: fields.number(2, 1),
        ...(fields.lengthBytes > 7 && { oem: fields.bytes(7, 4) }),
      }),
    },
  ],
  [
    PAYLOAD_TYPES.routingActivationResponse,
    {
      lengths: [9, 13],
      read: (fields) => ({
        kind: 'routingActivationResponse',
        tester: fields.number(0, 2),
        entity: fields.number(2, 2),
        code: fields.number(4, 1),
        ...(fields.lengthBytes > 9 && { oem: fields.bytes(9, 4) }),
      }),
    },
  ],
  [PAYLOAD_TYPES.aliveCheckRequest, { lengths: [0], read: () => ({ kind: 'aliveCheckRequest' }) }],
  [
    PAYLOAD_TYPES.aliveCheckResponse,
    {
      lengths: [2],
      read: (fields) => ({ kind: 'aliveCheckResponse', source: fields.number(0, 2) }),
    },
  ],
  [
    PAYLOAD_TYPES.entityStatusRequest,
    { lengths: [0], read: () => ({ kind: 'entityStatusRequest' }) },
  ],
  [
    PAYLOAD_TYPES.entityStatusResponse,
    {
      lengths: [3, 7],
      read: (fields) => ({
        kind: 'entityStatusResponse',
        nodeType: fields.number(0, 1),
        socketsMax: fields.number(1, 1),
        socketsOpen: fields.number(2, 1),
        ...(fields.lengthBytes > 3 && { dataMaxBytes: fields.number(3, 4) }),
      }),
    },
  ],
  [PAYLOAD_TYPES.powerModeRequest, { lengths: [0], read: () => ({ kind: 'powerModeRequest' }) }],
  [
    PAYLOAD_TYPES.powerModeResponse,
    { lengths: [1], read: (fields) => ({ kind: 'powerModeResponse', mode: fields.number(0, 1) }) },
  ],
  [
    PAYLOAD_TYPES.diagnosticMessage,
    {
      // Two addresses and at least one byte: a request without a service is none.
      lengths: [5],
      isOpen: true,
      read: (fields) => ({
        kind: 'diagnosticMessage',
        source: fields.number(0, 2),
        target: fields.number(2, 2),
        userData: fields.rest(4),
      }),
    },
  ],
  [PAYLOAD_TYPES.diagnosticAck, answerShape('diagnosticAck')],
  [PAYLOAD_TYPES.diagnosticNack, answerShape('diagnosticNack')],
]);

/** Tells whether a payload of this type may have this length. */
export function hasPayloadLength(type: number, lengthBytes: number): boolean {
  const shape = SHAPES.get(type);
  if (shape === undefined) return false;
  if (shape.isOpen === true) return lengthBytes >= Math.max(...shape.lengths);
  return shape.lengths.includes(lengthBytes);
}

/**
 * Reads a payload.
 *
 * @param type - from the header.
 * @returns the message; the data of diagnostic messages and their answers are views of `payload`.
 * @throws DoipFault PAYLOAD_TYPE, PAYLOAD_LENGTH, FIELD_RANGE.
 */
export function decodePayload(type: number, payload: Uint8Array): DoipMessage {
  const shape = SHAPES.get(type);
  if (shape === undefined) {
    throw new DoipFault('PAYLOAD_TYPE', `Cannot read DoIP message: type ${type.toString(16)}`);
  }
  if (!hasPayloadLength(type, payload.length)) {
    const what = `${payload.length} bytes of type ${type.toString(16)}`;
    throw new DoipFault('PAYLOAD_LENGTH', `Cannot read DoIP message: ${what}`);
  }
  return shape.read(new Fields(payload));
}

/** Reads what lies at an offset; all offsets are within the lengths above. */
class Fields {
  readonly lengthBytes: number;
  readonly #payload: Uint8Array;
  readonly #view: DataView;

  constructor(payload: Uint8Array) {
    this.#payload = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.lengthBytes = payload.length;
  }

  number(offset: number, lengthBytes: 1 | 2 | 4): number {
    if (lengthBytes === 1) return this.#view.getUint8(offset);
    return lengthBytes === 2 ? this.#view.getUint16(offset) : this.#view.getUint32(offset);
  }

  /** A copy: these few bytes outlive the read that brought them. */
  bytes(offset: number, lengthBytes: number): Uint8Array {
    return Uint8Array.from(this.#payload.subarray(offset, offset + lengthBytes));
  }

  /** A view: these may be a mebibyte. */
  rest(offset: number): Uint8Array {
    return this.#payload.subarray(offset);
  }

  vin(offset: number): string | undefined {
    const bytes = this.#payload.subarray(offset, offset + VIN_CHARACTERS);
    const [first = 0] = bytes;
    if (VIN_UNSET.has(first) && bytes.every((byte) => byte === first)) return undefined;
    // It ends in logs and on screens: what does not print is refused.
    if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) {
      throw new DoipFault('FIELD_RANGE', 'Cannot read DoIP message: the VIN does not print');
    }
    return String.fromCodePoint(...bytes);
  }
}

function readAnnouncement(fields: Fields): DoipMessage {
  return {
    kind: 'announcement',
    vin: fields.vin(0),
    logicalAddress: fields.number(17, 2),
    eid: fields.bytes(19, 6),
    gid: fields.bytes(25, 6),
    furtherAction: fields.number(31, 1),
    ...(fields.lengthBytes > 32 && { syncStatus: fields.number(32, 1) }),
  };
}

function answerShape(kind: 'diagnosticAck' | 'diagnosticNack'): Shape {
  return {
    lengths: [5],
    isOpen: true,
    read: (fields) => ({
      kind,
      source: fields.number(0, 2),
      target: fields.number(2, 2),
      code: fields.number(4, 1),
      previous: fields.rest(5),
    }),
  };
}
