/** Bytes of DoIP by hand, and an entity to try them on. */
import {
  type DoipActivationRule,
  DoipEntity,
  type DoipEntityInput,
  type DoipEntityOptions,
  type DoipEntityOutput,
} from '../../src/index.ts';
import { PAYLOAD_TYPES } from '../../src/doip/codes.ts';
import { decodeHeader, HEADER_BYTES, VERSION_2019, writeHeader } from '../../src/doip/header.ts';
import { type DoipMessage, encodeMessage } from '../../src/doip/message.ts';
import { decodePayload } from '../../src/doip/payload.ts';

export const ENTITY = 0x1000;
export const ECU = 0x2000;
export const TESTER = 0x0e80;
export const OTHER = 0x0e81;

/** A header that claims what it likes. */
export function head(
  type: number,
  lengthBytes: number,
  version: number = VERSION_2019,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, { version, type, lengthBytes });
  return bytes;
}

export function activation(source: number, activationType = 0): Uint8Array {
  return encodeMessage({ kind: 'routingActivationRequest', source, activationType });
}

export function diagnostic(
  source: number,
  target: number,
  userData: Uint8Array = Uint8Array.of(0x3e, 0),
): Uint8Array {
  return encodeMessage({ kind: 'diagnosticMessage', source, target, userData });
}

/** Reads one message. */
export function read(bytes: Uint8Array): DoipMessage {
  const { type } = decodeHeader(bytes, true);
  return decodePayload(type, bytes.subarray(HEADER_BYTES));
}

const RULES: ReadonlyMap<number, DoipActivationRule> = new Map([
  [0x00, { needsTls: false, needsAuthorization: false }],
  [0x01, { needsTls: true, needsAuthorization: false }],
  [0xe0, { needsTls: false, needsAuthorization: true }],
]);

/** An entity, with what it says and does in words that are short to compare. */
export class TestEntity {
  readonly machine: DoipEntity;
  atMs = 0;
  /** The outputs of the last step. */
  outputs: readonly DoipEntityOutput[] = [];

  constructor(options: Partial<DoipEntityOptions> = {}) {
    this.machine = new DoipEntity({
      logicalAddress: ENTITY,
      isTester: (address) => address >= 0x0e00 && address <= 0x0fff,
      activationTypes: RULES,
      admit: (target, length) => (target === ECU ? (length > 4000 ? 0x04 : undefined) : 0x03),
      dataMaxBytes: 8192,
      ...options,
    });
  }

  handle(input: DoipEntityInput): readonly string[] {
    this.outputs = this.machine.handle(input, this.atMs);
    return this.outputs.map((output) => tell(output));
  }

  open(connection: number, isSecure = false): readonly string[] {
    return this.handle({ kind: 'opened', connection, isSecure });
  }

  bytes(connection: number, bytes: Uint8Array): readonly string[] {
    return this.handle({ kind: 'bytes', connection, bytes });
  }

  /** Opens a connection and activates it. */
  activate(connection: number, source: number = TESTER): void {
    this.open(connection);
    this.bytes(connection, activation(source));
  }

  /** Moves time on, and does all that is due on the way. */
  pass(milliseconds: number): readonly string[] {
    const endMs = this.atMs + milliseconds;
    const told: string[] = [];
    for (;;) {
      const { deadlineMs } = this.machine;
      if (deadlineMs === undefined || deadlineMs > endMs) break;
      this.atMs = Math.max(this.atMs, deadlineMs);
      told.push(...this.machine.elapse(this.atMs).map((output) => tell(output)));
    }
    this.atMs = endMs;
    return told;
  }
}

/** An output in a few words: the connection, what it is, and its code. */
function tell(output: DoipEntityOutput): string {
  if (output.kind === 'send') {
    const bytes = Buffer.concat(output.bytes);
    return `${output.connection} ${tellMessage(read(bytes))}`;
  }
  if (output.kind === 'close') return `${output.connection} close ${output.reason}`;
  if (output.kind === 'received') {
    return `${output.connection} received ${hex(output.tester)}→${hex(output.target)} ${output.userData.length}`;
  }
  return `${output.connection} ${output.kind} ${hex(output.tester)}`;
}

export function tellMessage(message: DoipMessage): string {
  if (message.kind === 'diagnosticMessage') {
    return `${message.kind} ${hex(message.source)}→${hex(message.target)} ${message.userData.length}`;
  }
  return 'code' in message ? `${message.kind} ${hex(message.code)}` : message.kind;
}

export function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

export const TYPES: readonly number[] = Object.values(PAYLOAD_TYPES);
