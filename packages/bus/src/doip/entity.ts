/**
 * A DoIP entity's end of all its TCP connections: who may speak, and what becomes of what is said.
 *
 * @source ISO 13400-2:2019, socket handler, routing activation handler, alive check, diagnostic
 * message handler
 */
import { assert, unreachable } from '@immota/base';
import { DOIP_NACK, type DoipNackCode } from './codes.ts';
import { ActivationTable } from './activation.ts';
import type { MessageParts } from './answer-pacer.ts';
import {
  deadlineOf,
  ENTITY_ACCEPTED,
  ENTITY_IGNORED,
  type EntityConnection,
  openConnection,
} from './entity-connection.ts';
import type { DoipEntityInput, DoipEntityOptions, DoipEntityOutput } from './entity-port.ts';
import {
  DATA_MAX_BYTES,
  GENERAL_INACTIVITY_MS,
  MEMORY_MAX_BYTES,
  PARTIAL_MESSAGE_MAX_MS,
  SOCKETS_MAX,
  STRANGERS_MAX,
} from './limits.ts';
import { type DoipMessage, encodeDiagnosticHead, encodeMessage } from './message.ts';
import type { StreamEvent, StreamRules } from './stream-decoder.ts';

const NOTHING: Uint8Array = new Uint8Array();
const ACKNOWLEDGED = 0x00;

/** See the head of the file. */
export class DoipEntity {
  readonly #options: DoipEntityOptions;
  readonly #table: ActivationTable;
  readonly #rules: StreamRules;
  #outputs: DoipEntityOutput[] = [];

  constructor(options: DoipEntityOptions) {
    this.#options = options;
    this.#table = new ActivationTable(options, (output) => this.#outputs.push(output));
    this.#rules = {
      accepted: ENTITY_ACCEPTED,
      ignored: ENTITY_IGNORED,
      payloadMaxBytes: options.dataMaxBytes ?? DATA_MAX_BYTES,
      hasRoom: (lengthBytes) => this.#hasRoom(lengthBytes),
    };
  }

  /** Testers that hold a socket now (NCTS). */
  get socketsOpen(): number {
    return this.#table.registeredCount;
  }

  /** Testers that may hold one at a time (MCTS). */
  get socketsMax(): number {
    return this.#options.socketsMax ?? SOCKETS_MAX;
  }

  /** Bytes of the longest payload (MDS). */
  get dataMaxBytes(): number {
    return this.#rules.payloadMaxBytes;
  }

  /** When `elapse` has to be called next. */
  get deadlineMs(): number | undefined {
    let first = Infinity;
    for (const connection of this.#table.connections.values()) {
      first = Math.min(first, deadlineOf(connection) ?? Infinity);
    }
    return first === Infinity ? undefined : first;
  }

  /**
   * Takes what happened.
   *
   * @param atMs - the present, of a clock that never goes back.
   * @returns what to do, in order.
   */
  handle(input: DoipEntityInput, atMs: number): readonly DoipEntityOutput[] {
    this.#outputs = [];
    if (input.kind === 'opened') {
      this.#open(input.connection, input.isSecure, atMs);
      return this.#outputs;
    }
    const connection = this.#table.connections.get(input.connection);
    // It was closed while this was on its way.
    if (connection === undefined) return [];
    switch (input.kind) {
      case 'bytes':
        this.#read(connection, input.bytes, atMs);
        break;
      case 'closed':
        this.#table.remove(connection, atMs);
        break;
      case 'authorized':
        this.#table.settle(connection, input.verdict, atMs);
        break;
      case 'accepted':
        this.#acknowledge(connection, input.target, atMs);
        break;
      case 'refused':
        this.#refuse(connection, input, atMs);
        break;
      case 'answered':
        this.#answer(connection, input.source, input.userData, atMs);
        break;
      default:
        unreachable(input);
    }
    return this.#outputs;
  }

  /** Does what is due. */
  elapse(atMs: number): readonly DoipEntityOutput[] {
    this.#outputs = [];
    // Closing one may settle others: each is looked up again.
    for (const { id } of this.#table.connections.values().toArray()) {
      const connection = this.#table.connections.get(id);
      if (connection === undefined) continue;
      this.#put(connection, connection.pacer.elapse(atMs));
      this.#table.elapse(connection, atMs);
    }
    return this.#outputs;
  }

  #open(id: number, isSecure: boolean, atMs: number): void {
    const { connections } = this.#table;
    assert(!connections.has(id), 'each connection has a number of its own');
    connections.set(id, openConnection({ id, isSecure }, this.#rules, atMs));
    const strangers = connections.values().filter(({ tester }) => tester === undefined);
    const [oldest, ...others] = strangers.toArray();
    const strangersMax = this.#options.strangersMax ?? STRANGERS_MAX;
    // Who opens connections and says nothing must not keep others out.
    if (oldest !== undefined && others.length >= strangersMax) {
      this.#table.close(oldest, 'crowded', atMs);
    }
  }

  #read(connection: EntityConnection, bytes: Uint8Array, atMs: number): void {
    const { decoder } = connection;
    let isNew = connection.partialDeadlineMs === undefined;
    decoder.feed(bytes);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      connection.version = event.version;
      if (event.kind !== 'began') isNew = true;
      this.#take(connection, event, atMs);
    }
    if (!decoder.isWithin) connection.partialDeadlineMs = undefined;
    else if (isNew) connection.partialDeadlineMs = atMs + PARTIAL_MESSAGE_MAX_MS;
  }

  #take(connection: EntityConnection, event: StreamEvent, atMs: number): void {
    switch (event.kind) {
      case 'refused':
        this.#send(connection, { kind: 'genericNack', code: event.code }, atMs);
        if (event.isFatal) this.#table.close(connection, 'malformed', atMs);
        break;
      case 'began':
        this.#begin(connection, event, atMs);
        break;
      case 'message':
        this.#receive(connection, event.message, atMs);
        break;
      default:
        unreachable(event);
    }
  }

  #begin(
    connection: EntityConnection,
    event: Extract<StreamEvent, { kind: 'began' }>,
    atMs: number,
  ): void {
    const { source, target, dataLengthBytes, version } = event;
    connection.pacer.noteRequest(version, atMs);
    if (connection.granted?.source !== source) {
      const code = DOIP_NACK.invalidSource;
      this.#send(connection, nack({ source: target, target: source, code }), atMs);
      this.#table.close(connection, 'spoofedSource', atMs);
      return;
    }
    const code = this.#options.admit(target, dataLengthBytes);
    if (code === undefined) return;
    this.#refuse(connection, { target, code }, atMs);
    connection.decoder.skip();
  }

  #receive(connection: EntityConnection, message: DoipMessage, atMs: number): void {
    if (connection.tester !== undefined) this.#prolong(connection, atMs);
    if (message.kind === 'routingActivationRequest') {
      this.#table.request(connection, { ...message, oem: message.oem }, atMs);
    } else if (message.kind === 'aliveCheckResponse') {
      this.#table.confirmAlive(connection, message.source, atMs);
    } else if (message.kind === 'diagnosticMessage') {
      const { source: tester, target, userData } = message;
      this.#outputs.push({
        kind: 'received',
        connection: connection.id,
        tester,
        target,
        userData,
      });
    }
  }

  #acknowledge(connection: EntityConnection, source: number, atMs: number): void {
    const tester = connection.granted?.source;
    if (tester === undefined) return;
    const kind = 'diagnosticAck';
    const answer = { kind, source, target: tester, code: ACKNOWLEDGED, previous: NOTHING } as const;
    this.#send(connection, answer, atMs);
  }

  #refuse(
    connection: EntityConnection,
    refusal: { readonly target: number; readonly code: DoipNackCode },
    atMs: number,
  ): void {
    const tester = connection.granted?.source;
    if (tester === undefined) return;
    const { target: source, code } = refusal;
    this.#send(connection, nack({ source, target: tester, code }), atMs);
  }

  #answer(connection: EntityConnection, source: number, userData: Uint8Array, atMs: number): void {
    const { granted, version } = connection;
    if (granted === undefined) return;
    this.#prolong(connection, atMs);
    const head = encodeDiagnosticHead({ source, target: granted.source, version }, userData.length);
    this.#put(connection, connection.pacer.put([head, userData], atMs));
  }

  #prolong(connection: EntityConnection, atMs: number): void {
    connection.generalDeadlineMs = atMs + GENERAL_INACTIVITY_MS;
  }

  #send(connection: EntityConnection, message: DoipMessage, atMs: number): void {
    const bytes = [encodeMessage(message, connection.version)];
    this.#put(connection, connection.pacer.pass(bytes, atMs));
  }

  #put({ id: connection }: EntityConnection, messages: readonly MessageParts[]): void {
    for (const bytes of messages) this.#outputs.push({ kind: 'send', connection, bytes });
  }

  #hasRoom(lengthBytes: number): boolean {
    let announcedBytes = lengthBytes;
    for (const { decoder } of this.#table.connections.values()) {
      announcedBytes += decoder.announcedBytes;
    }
    return announcedBytes <= (this.#options.memoryMaxBytes ?? MEMORY_MAX_BYTES);
  }
}

function nack(route: {
  readonly source: number;
  readonly target: number;
  readonly code: DoipNackCode;
}): DoipMessage {
  return { kind: 'diagnosticNack', ...route, previous: NOTHING };
}
