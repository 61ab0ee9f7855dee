/**
 * Who holds which socket: routing activation, checks for life, and the ends of connections.
 *
 * @source ISO 13400-2:2019, TCP_DATA socket handler and routing activation handler
 */
import { assert } from '@immota/base';
import { DOIP_ACTIVATION } from './codes.ts';
import type { ActivationRequest, EntityConnection } from './entity-connection.ts';
import type {
  DoipActivationVerdict,
  DoipCloseReason,
  DoipEntityOptions,
  DoipEntityOutput,
} from './entity-port.ts';
import {
  ALIVE_CHECK_MS,
  CONFIRMATION_MAX_MS,
  CONTROL_MS,
  GENERAL_INACTIVITY_MS,
  INITIAL_INACTIVITY_MS,
  SOCKETS_MAX,
} from './limits.ts';
import { encodeMessage } from './message.ts';

/** Tries without authentication that one connection has: who has no key has none the third time. */
const ATTEMPTS_MAX = 3;

/** See the head of the file. */
export class ActivationTable {
  readonly connections: Map<number, EntityConnection> = new Map();
  readonly #options: DoipEntityOptions;
  readonly #put: (output: DoipEntityOutput) => void;

  constructor(options: DoipEntityOptions, put: (output: DoipEntityOutput) => void) {
    assert((options.socketsMax ?? SOCKETS_MAX) >= 1, 'an entity has a socket');
    this.#options = options;
    this.#put = put;
  }

  /** Sockets that are taken. */
  get registeredCount(): number {
    let count = 0;
    for (const { tester } of this.connections.values()) if (tester !== undefined) count += 1;
    return count;
  }

  /** A connection asks for routing. */
  request(connection: EntityConnection, request: ActivationRequest, atMs: number): void {
    const known = connection.tester ?? connection.request?.source;
    if (connection.state !== 'new' && known !== request.source) {
      this.#deny(connection, { request, code: DOIP_ACTIVATION.sourceDiffers }, atMs);
      return;
    }
    const code = this.#findRefusal(connection, request);
    if (code !== undefined) {
      this.#deny(connection, { request, code }, atMs);
      return;
    }
    const { state } = connection;
    if (state === 'checking') return;
    if (state === 'authorizing') {
      if (connection.isConfirmationPending)
        this.#respond(connection, request.source, DOIP_ACTIVATION.confirmationPending);
      return;
    }
    const isAgain = connection.granted?.activationType === request.activationType;
    connection.request = request;
    connection.initialDeadlineMs = undefined;
    if (state === 'new') this.#place(connection, request, atMs);
    else if (isAgain) this.#respond(connection, request.source, DOIP_ACTIVATION.activated);
    // Another type on an active connection has to be earned as if it were the first.
    else this.#authorize(connection, request, atMs);
  }

  /** Somebody has said yes or no to a connection. */
  settle(connection: EntityConnection, verdict: DoipActivationVerdict, atMs: number): void {
    const { request } = connection;
    if (connection.state !== 'authorizing' || request === undefined) return;
    switch (verdict) {
      case 'granted':
        this.#activate(connection, request, atMs);
        return;
      case 'confirmationPending':
        connection.isConfirmationPending = true;
        connection.authorizationDeadlineMs = atMs + CONFIRMATION_MAX_MS;
        this.#respond(connection, request.source, DOIP_ACTIVATION.confirmationPending);
        return;
      case 'rejected':
        this.#deny(connection, { request, code: DOIP_ACTIVATION.confirmationRejected }, atMs);
        return;
      case 'authenticationMissing':
        this.#askAgain(connection, request, atMs);
    }
  }

  /** A connection says that it lives. */
  confirmAlive(connection: EntityConnection, source: number, atMs: number): void {
    if (connection.tester === undefined) return;
    if (connection.tester !== source) {
      this.close(connection, 'spoofedSource', atMs);
      return;
    }
    connection.aliveDeadlineMs = undefined;
    for (const waiting of this.#waitingFor(connection)) {
      waiting.waitsFor.delete(connection.id);
      const { request, codeIfAlive: code } = waiting;
      if (waiting.waitsFor.size === 0 && request !== undefined) {
        this.#deny(waiting, { request, code }, atMs);
      }
    }
  }

  /** Does what is due on a connection. */
  elapse(connection: EntityConnection, atMs: number): void {
    const isDue = (deadlineMs: number | undefined): boolean => atMs >= (deadlineMs ?? Infinity);
    if (isDue(connection.initialDeadlineMs)) this.close(connection, 'initialInactivity', atMs);
    else if (isDue(connection.aliveDeadlineMs)) this.close(connection, 'dead', atMs);
    else if (isDue(connection.partialDeadlineMs)) this.close(connection, 'partialMessage', atMs);
    else if (isDue(connection.generalDeadlineMs)) this.close(connection, 'generalInactivity', atMs);
    else if (isDue(connection.authorizationDeadlineMs)) this.settle(connection, 'rejected', atMs);
  }

  /** Ends a connection. */
  close(connection: EntityConnection, reason: DoipCloseReason, atMs: number): void {
    this.#put({ kind: 'close', connection: connection.id, reason });
    this.remove(connection, atMs);
  }

  /** Forgets a connection; whoever waited for its place gets it. */
  remove(connection: EntityConnection, atMs: number): void {
    connection.decoder.stop();
    if (this.connections.delete(connection.id)) this.#freeSocket(connection, atMs);
  }

  #findRefusal(connection: EntityConnection, request: ActivationRequest): number | undefined {
    if (!this.#options.isTester(request.source)) return DOIP_ACTIVATION.unknownSource;
    const rule = this.#options.activationTypes.get(request.activationType);
    if (rule === undefined) return DOIP_ACTIVATION.unsupportedType;
    if (rule.needsTls && !connection.isSecure) return DOIP_ACTIVATION.tlsRequired;
    return undefined;
  }

  /** Gives a connection a socket, or has those checked that stand in its way. */
  #place(connection: EntityConnection, request: ActivationRequest, atMs: number): void {
    const registered = this.connections.values().filter(({ tester }) => tester !== undefined);
    const holders = registered.toArray();
    const sameSource = holders.filter(({ tester }) => tester === request.source);
    if (sameSource.length > 0) {
      this.#check(
        connection,
        { holders: sameSource, code: DOIP_ACTIVATION.sourceActiveElsewhere },
        atMs,
      );
    } else if (holders.length >= (this.#options.socketsMax ?? SOCKETS_MAX)) {
      this.#check(connection, { holders, code: DOIP_ACTIVATION.noSocketFree }, atMs);
    } else {
      connection.tester = request.source;
      this.#authorize(connection, request, atMs);
    }
  }

  #check(
    connection: EntityConnection,
    { holders, code }: { readonly holders: readonly EntityConnection[]; readonly code: number },
    atMs: number,
  ): void {
    connection.state = 'checking';
    connection.codeIfAlive = code;
    for (const holder of holders) {
      connection.waitsFor.add(holder.id);
      // One check serves all who wait for it: many requests do not become many questions.
      if (holder.aliveDeadlineMs !== undefined) continue;
      holder.aliveDeadlineMs = atMs + ALIVE_CHECK_MS;
      const bytes = [encodeMessage({ kind: 'aliveCheckRequest' }, holder.version)];
      this.#put({ kind: 'send', connection: holder.id, bytes });
    }
  }

  #waitingFor(holder: EntityConnection): readonly EntityConnection[] {
    return this.connections
      .values()
      .filter(({ waitsFor }) => waitsFor.has(holder.id))
      .toArray();
  }

  #authorize(connection: EntityConnection, request: ActivationRequest, atMs: number): void {
    const { source: tester, activationType, oem } = request;
    const rule = this.#options.activationTypes.get(activationType);
    if (rule?.needsAuthorization === false) {
      this.#activate(connection, request, atMs);
      return;
    }
    connection.state = 'authorizing';
    connection.isConfirmationPending = false;
    // The tester waits no longer than this for its answer.
    connection.authorizationDeadlineMs = atMs + CONTROL_MS;
    this.#put({ kind: 'authorize', connection: connection.id, tester, activationType, oem });
  }

  #activate(connection: EntityConnection, request: ActivationRequest, atMs: number): void {
    connection.state = 'active';
    connection.granted = request;
    connection.authorizationDeadlineMs = undefined;
    connection.generalDeadlineMs = atMs + GENERAL_INACTIVITY_MS;
    const { source: tester, activationType } = request;
    this.#respond(connection, tester, DOIP_ACTIVATION.activated);
    this.#put({ kind: 'activated', connection: connection.id, tester, activationType });
  }

  #askAgain(connection: EntityConnection, request: ActivationRequest, atMs: number): void {
    const code = DOIP_ACTIVATION.authenticationMissing;
    connection.attempts += 1;
    if (connection.attempts >= ATTEMPTS_MAX) {
      this.#deny(connection, { request, code }, atMs);
      return;
    }
    this.#respond(connection, request.source, code);
    connection.authorizationDeadlineMs = undefined;
    connection.request = connection.granted;
    if (connection.granted !== undefined) {
      connection.state = 'active';
      return;
    }
    connection.state = 'new';
    connection.tester = undefined;
    connection.generalDeadlineMs = undefined;
    connection.aliveDeadlineMs = undefined;
    connection.initialDeadlineMs = atMs + INITIAL_INACTIVITY_MS;
    this.#freeSocket(connection, atMs);
  }

  #freeSocket(holder: EntityConnection, atMs: number): void {
    for (const waiting of this.#waitingFor(holder)) {
      waiting.waitsFor.clear();
      if (waiting.request !== undefined) this.#place(waiting, waiting.request, atMs);
    }
  }

  #deny(
    connection: EntityConnection,
    { request, code }: { readonly request: ActivationRequest; readonly code: number },
    atMs: number,
  ): void {
    this.#respond(connection, request.source, code);
    this.close(connection, 'denied', atMs);
  }

  #respond(connection: EntityConnection, tester: number, code: number): void {
    const entity = this.#options.logicalAddress;
    const bytes = [
      encodeMessage(
        { kind: 'routingActivationResponse', tester, entity, code },
        connection.version,
      ),
    ];
    this.#put({ kind: 'send', connection: connection.id, bytes });
  }
}
