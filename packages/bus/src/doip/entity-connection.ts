/** What an entity knows of one connection. */
import { AnswerPacer } from './answer-pacer.ts';
import { PAYLOAD_TYPES } from './codes.ts';
import { VERSION_2019 } from './header.ts';
import { INITIAL_INACTIVITY_MS } from './limits.ts';
import { DoipStreamDecoder, type StreamRules } from './stream-decoder.ts';

/** Where a connection stands. */
export type ConnectionState =
  /** Nothing was asked yet. */
  | 'new'
  /** It asked, and the holders of sockets are being checked for life. */
  | 'checking'
  /** It has a socket, and somebody has to say yes. */
  | 'authorizing'
  | 'active';

/** A request for routing. */
export interface ActivationRequest {
  readonly source: number;
  readonly activationType: number;
  readonly oem: Uint8Array | undefined;
}

/** See the head of the file. It changes in place; nobody outside the entity sees it. */
export interface EntityConnection {
  readonly id: number;
  readonly isSecure: boolean;
  readonly decoder: DoipStreamDecoder;
  readonly pacer: AnswerPacer;
  state: ConnectionState;
  version: number;
  /** The address that holds a socket through this connection. */
  tester: number | undefined;
  /** What was asked last. */
  request: ActivationRequest | undefined;
  /** What was granted: with it the connection is active, whatever else it asks for meanwhile. */
  granted: ActivationRequest | undefined;
  isConfirmationPending: boolean;
  /** Holders whose life is being checked for this one, and what it is told if all of them live. */
  readonly waitsFor: Set<number>;
  codeIfAlive: number;
  /** How often authentication was missing. */
  attempts: number;
  /** When each of these is over. */
  initialDeadlineMs: number | undefined;
  generalDeadlineMs: number | undefined;
  aliveDeadlineMs: number | undefined;
  partialDeadlineMs: number | undefined;
  authorizationDeadlineMs: number | undefined;
}

/** What an entity takes by TCP. */
export const ENTITY_ACCEPTED: ReadonlySet<number> = new Set([
  PAYLOAD_TYPES.routingActivationRequest,
  PAYLOAD_TYPES.aliveCheckResponse,
  PAYLOAD_TYPES.diagnosticMessage,
]);
/** A tester may acknowledge what an ECU says; and nobody answers a NACK by a NACK. */
export const ENTITY_IGNORED: ReadonlySet<number> = new Set([
  PAYLOAD_TYPES.genericNack,
  PAYLOAD_TYPES.diagnosticAck,
  PAYLOAD_TYPES.diagnosticNack,
]);

/** Makes the record of a new connection. */
export function openConnection(
  { id, isSecure }: Pick<EntityConnection, 'id' | 'isSecure'>,
  rules: StreamRules,
  atMs: number,
): EntityConnection {
  return {
    id,
    isSecure,
    decoder: new DoipStreamDecoder(rules),
    pacer: new AnswerPacer(),
    state: 'new',
    version: VERSION_2019,
    tester: undefined,
    request: undefined,
    granted: undefined,
    isConfirmationPending: false,
    waitsFor: new Set(),
    codeIfAlive: 0,
    attempts: 0,
    initialDeadlineMs: atMs + INITIAL_INACTIVITY_MS,
    generalDeadlineMs: undefined,
    aliveDeadlineMs: undefined,
    partialDeadlineMs: undefined,
    authorizationDeadlineMs: undefined,
  };
}

/** Tells when something happens to a connection by itself. */
export function deadlineOf(connection: EntityConnection): number | undefined {
  const first = Math.min(
    connection.initialDeadlineMs ?? Infinity,
    connection.generalDeadlineMs ?? Infinity,
    connection.aliveDeadlineMs ?? Infinity,
    connection.partialDeadlineMs ?? Infinity,
    connection.authorizationDeadlineMs ?? Infinity,
    connection.pacer.deadlineMs ?? Infinity,
  );
  return first === Infinity ? undefined : first;
}
