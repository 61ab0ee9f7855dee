/**
 * The server of UDS {14229-1:2020}: requests in, responses and operations out. It works at one
 * request at a time, asks for time while it does, and refuses what comes in between.
 */
import { assert, concatBytes } from '@immota/base';
import {
  BLOCK_HEAD_BYTES,
  FIRST_PENDING_MS,
  NEXT_PENDING_MS,
  S3_SERVER_MS,
  WORK_MAX_MS,
} from '../limits.ts';
import { isSilentToGroup, RESPONSE_CODES } from '../response-code.ts';
import { testerPresentSilently } from '../service/0x3e-tester-present.ts';
import { makeSecured, type SignedMessage } from '../service/0x84-secured-data-transmission.ts';
import {
  hasSubFunction,
  isResponseId,
  NEGATIVE,
  POSITIVE_OFFSET,
  SERVICES,
  SUPPRESS_BIT,
} from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';
import { type AdmittedRequest, admitRequest } from './access.ts';
import type { UdsDescription } from './description.ts';
import type { UdsContext, UdsOperation, UdsOutcome } from './operation.ts';
import type { Reaction } from './reaction.ts';
import type { UdsReset } from '../service/0x11-ecu-reset.ts';
import { responseFlags, unwrapRequest } from './secured-requests.ts';
import { serveRequest } from './services.ts';
import { SessionState } from './session-state.ts';

/** A request as the carrier brings it. */
export interface UdsServerRequest {
  readonly tester: number;
  readonly isFunctional: boolean;
  readonly bytes: Uint8Array;
}

/** What the server wants done, in this order. */
export type UdsServerOutput<Request extends UdsServerRequest> =
  | { readonly kind: 'respond'; readonly request: Request; readonly message: Uint8Array }
  /** Keeps how many keys were wrong: durable before the next output is carried out. */
  | { readonly kind: 'keepAttempts'; readonly failedAttempts: number }
  /** Ends in a call of `complete`, whatever comes of it. */
  | {
      readonly kind: 'perform';
      readonly job: number;
      readonly operation: UdsOperation;
      readonly context: UdsContext;
    }
  /** A request was refused: for whoever watches for attacks. */
  | {
      readonly kind: 'refused';
      readonly context: UdsContext;
      readonly serviceId: number;
      readonly responseCode: number;
    };

/** With what a server begins. */
export interface UdsServerStart {
  /** Of the carrier: longer responses are refused. */
  readonly messageMaxBytes: number;
  /** As kept over the restart. */
  readonly failedAttempts: number;
  readonly atMs: number;
}

interface Job<Request> {
  readonly number: number;
  /** Undefined for what the server does by itself. */
  readonly exchange: Exchange<Request> | undefined;
  readonly conclude: (outcome: UdsOutcome, atMs: number) => Reaction | undefined;
  readonly endsMs: number;
  nextPendingMs: number;
  /** Its tester has been told no; what comes of it is nobody's answer any more. */
  isAbandoned: boolean;
}

interface Exchange<Request> {
  readonly request: Request;
  readonly context: UdsContext;
  readonly serviceId: number;
  /** The secured message that the request came in. */
  readonly envelope: SignedMessage | undefined;
  readonly isSuppressed: boolean;
  hasPending: boolean;
}

const KEEP_ALIVE = testerPresentSilently().bytes;

/** See the head of the file. Times are milliseconds of one clock that never goes back. */
export class UdsServer<Request extends UdsServerRequest> {
  readonly #description: UdsDescription;
  readonly #start: UdsServerStart;
  #state: SessionState;
  #job: Job<Request> | undefined;
  #lastJob = 0;
  #sessionEndsMs: number | undefined;
  #isResetting = false;
  #outputs: UdsServerOutput<Request>[] = [];

  constructor(description: UdsDescription, start: UdsServerStart) {
    this.#description = description;
    this.#start = start;
    const blockMaxBytes = Math.min(description.blockMaxBytes, start.messageMaxBytes);
    assert(blockMaxBytes > BLOCK_HEAD_BYTES, 'a block carries data');
    this.#state = new SessionState(description, blockMaxBytes, start);
  }

  /** When `elapse` is to be called at the latest; undefined when nothing is awaited. */
  get deadlineMs(): number | undefined {
    const job = this.#job;
    if (job === undefined) return this.#sessionEndsMs;
    if (job.exchange === undefined || job.isAbandoned) return undefined;
    return Math.min(job.nextPendingMs, job.endsMs);
  }

  /** Takes a request. */
  handle(request: Request, atMs: number): readonly UdsServerOutput<Request>[] {
    const outputs = this.elapse(atMs);
    const serviceId = request.bytes[0];
    // A restarting ECU hears nothing; a response is nobody's request.
    if (serviceId === undefined || isResponseId(serviceId) || this.#isResetting) return outputs;
    if (this.#job !== undefined) this.#turnAway(request, serviceId);
    else this.#begin(request, serviceId, atMs);
    return [...outputs, ...this.#flush()];
  }

  /** Takes what came of an operation. */
  complete(job: number, outcome: UdsOutcome, atMs: number): readonly UdsServerOutput<Request>[] {
    const current = this.#job;
    if (current?.number !== job) return [];
    this.#job = undefined;
    const { exchange } = current;
    if (exchange === undefined) current.conclude(outcome, atMs);
    else if (current.isAbandoned) this.#bury(current, exchange, atMs);
    else this.#react(exchange, atMs, () => current.conclude(outcome, atMs));
    return this.#flush();
  }

  /** Lets time pass. */
  elapse(atMs: number): readonly UdsServerOutput<Request>[] {
    const job = this.#job;
    if (job?.exchange !== undefined && !job.isAbandoned) this.#keepWaiting(job, job.exchange, atMs);
    else if (job === undefined && atMs >= (this.#sessionEndsMs ?? Infinity)) this.#endSession(atMs);
    return this.#flush();
  }

  #flush(): readonly UdsServerOutput<Request>[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** One request at a time; "I am still here" disturbs nobody. */
  #turnAway(request: Request, serviceId: number): void {
    const { bytes, isFunctional } = request;
    const isKeepAlive =
      bytes.length === KEEP_ALIVE.length && KEEP_ALIVE.every((b, i) => b === bytes[i]);
    if (isKeepAlive || isFunctional) return;
    const code = RESPONSE_CODES.busyRepeatRequest;
    const message = Uint8Array.of(NEGATIVE, serviceId, code);
    this.#outputs.push({ kind: 'respond', request, message });
  }

  #begin(request: Request, serviceId: number, atMs: number): void {
    const context = this.#state.contextOf(request.tester);
    const outer = { request, context, serviceId, envelope: undefined, hasPending: false };
    const admit = { context, bytes: request.bytes, serviceId, isSecured: false };
    if (serviceId !== SERVICES.securedDataTransmission) {
      this.#serve({ ...outer, isSuppressed: isSuppressed(request.bytes) }, admit, atMs);
      return;
    }
    const exchange = { ...outer, isSuppressed: false };
    this.#react(exchange, atMs, () => {
      admitRequest(this.#description, admit);
      const envelope = unwrapRequest(this.#description, this.#state, request.bytes);
      const { inner } = envelope;
      const innerId = inner[0] ?? 0;
      const within = { ...outer, serviceId: innerId, envelope, isSuppressed: isSuppressed(inner) };
      this.#serve(within, { context, bytes: inner, serviceId: innerId, isSecured: true }, atMs);
      return undefined;
    });
  }

  #serve(
    exchange: Exchange<Request>,
    request: Omit<AdmittedRequest, 'subFunction'>,
    atMs: number,
  ): void {
    this.#react(exchange, atMs, () =>
      serveRequest(this.#description, this.#state, admitRequest(this.#description, request), atMs),
    );
  }

  /** Goes through a reaction to its end, or to an operation. Refusals become codes here, and only here. */
  #react(exchange: Exchange<Request>, atMs: number, begin: () => Reaction | undefined): void {
    try {
      const reaction = begin();
      if (reaction === undefined) return;
      if (reaction.keepAttempts !== undefined) {
        this.#outputs.push({ kind: 'keepAttempts', failedAttempts: reaction.keepAttempts });
      }
      if (reaction.kind === 'perform') {
        const { operation, conclude } = reaction;
        this.#perform(operation, { exchange, context: exchange.context, conclude }, atMs);
        return;
      }
      this.#answer(exchange, reaction.parts);
      this.#keepSession(exchange, atMs);
      if (reaction.resetAfter !== undefined) this.#reset(exchange, reaction.resetAfter, atMs);
    } catch (error) {
      if (!(error instanceof UdsFault)) throw error;
      this.#refuse(exchange, responseCodeOf(error));
      this.#keepSession(exchange, atMs);
    }
  }

  #perform(
    operation: UdsOperation,
    job: Pick<Job<Request>, 'exchange' | 'conclude'> & { readonly context: UdsContext },
    atMs: number,
  ): void {
    const { exchange, conclude, context } = job;
    this.#lastJob += 1;
    // S3 stands still while its own tester is served, and for nobody else.
    if (context.tester === this.#state.owner) this.#sessionEndsMs = undefined;
    this.#job = {
      number: this.#lastJob,
      exchange,
      conclude,
      endsMs: atMs + WORK_MAX_MS,
      nextPendingMs: atMs + FIRST_PENDING_MS,
      isAbandoned: false,
    };
    this.#outputs.push({ kind: 'perform', job: this.#lastJob, operation, context });
  }

  /** {14229-2:2021 7.2}: "not yet", spaced; then no, since no ECU may hold up a tester for ever. */
  #keepWaiting(job: Job<Request>, exchange: Exchange<Request>, atMs: number): void {
    if (atMs >= job.endsMs) {
      job.isAbandoned = true;
      this.#refuse(exchange, RESPONSE_CODES.generalReject);
    } else if (atMs >= job.nextPendingMs) {
      job.nextPendingMs = atMs + NEXT_PENDING_MS;
      exchange.hasPending = true;
      const serviceId = exchange.request.bytes[0] ?? 0;
      const code = RESPONSE_CODES.requestCorrectlyReceivedResponsePending;
      const message = Uint8Array.of(NEGATIVE, serviceId, code);
      this.#outputs.push({ kind: 'respond', request: exchange.request, message });
    }
  }

  /** The tester was told no: whatever came of it after all, nothing may rest on it. */
  #bury(job: Job<Request>, exchange: Exchange<Request>, atMs: number): void {
    try {
      job.conclude({ kind: 'refused', responseCode: RESPONSE_CODES.generalReject }, atMs);
    } catch (error) {
      if (!(error instanceof UdsFault)) throw error;
    }
    this.#keepSession(exchange, atMs);
  }

  #answer(exchange: Exchange<Request>, parts: readonly Uint8Array[]): void {
    const { serviceId, isSuppressed: isSilent, hasPending } = exchange;
    if (isSilent && !hasPending) return;
    const message = concatBytes([Uint8Array.of(serviceId + POSITIVE_OFFSET), ...parts]);
    if (this.#wrap(exchange, message).length > this.#start.messageMaxBytes) {
      this.#refuse(exchange, RESPONSE_CODES.responseTooLong);
      return;
    }
    this.#respond(exchange, message);
  }

  #refuse(exchange: Exchange<Request>, responseCode: number): void {
    const { request, context, serviceId, hasPending } = exchange;
    this.#outputs.push({ kind: 'refused', context, serviceId, responseCode });
    if (request.isFunctional && !hasPending && isSilentToGroup(responseCode)) return;
    this.#respond(exchange, Uint8Array.of(NEGATIVE, serviceId, responseCode));
  }

  #respond(exchange: Exchange<Request>, message: Uint8Array): void {
    const { request } = exchange;
    this.#outputs.push({ kind: 'respond', request, message: this.#wrap(exchange, message) });
  }

  /** What came in an envelope is answered in one, a refusal too. */
  #wrap({ envelope }: Exchange<Request>, inner: Uint8Array): Uint8Array {
    const { secured } = this.#description;
    if (envelope === undefined || secured === undefined) return inner;
    const { calculation, signatureBytes } = secured;
    const head = { administrative: responseFlags(), calculation, counter: envelope.counter };
    return makeSecured({ ...head, inner }, signatureBytes, (bytes) => secured.sign(bytes));
  }

  /** S3 runs from the last word of the session's own tester {14229-2:2021 7.3}. */
  #keepSession({ context }: Exchange<Request>, atMs: number): void {
    if (!this.#state.isOpen) this.#sessionEndsMs = undefined;
    else if (context.tester === this.#state.owner) this.#sessionEndsMs = atMs + S3_SERVER_MS;
    else this.#sessionEndsMs ??= atMs + S3_SERVER_MS;
  }

  #endSession(atMs: number): void {
    const tester = this.#state.owner ?? 0;
    const context = this.#state.contextOf(tester);
    this.#state.enter('default', tester);
    this.#sessionEndsMs = undefined;
    const operation = { kind: 'enterSession', session: 'default', cause: 'timeout' } as const;
    this.#perform(operation, { exchange: undefined, context, conclude: nothing }, atMs);
  }

  #reset({ context }: Exchange<Request>, reset: UdsReset, atMs: number): void {
    this.#state.enter('default', context.tester);
    this.#sessionEndsMs = undefined;
    this.#isResetting = true;
    const conclude = (): undefined => {
      this.#isResetting = false;
    };
    this.#perform({ kind: 'reset', reset }, { exchange: undefined, context, conclude }, atMs);
  }
}

function isSuppressed(bytes: Uint8Array): boolean {
  return hasSubFunction(bytes[0] ?? 0) && ((bytes[1] ?? 0) & SUPPRESS_BIT) !== 0;
}

function responseCodeOf(fault: UdsFault): number {
  if (fault.responseCode !== undefined) return fault.responseCode;
  return fault.code === 'MESSAGE_MALFORMED'
    ? RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat
    : RESPONSE_CODES.requestOutOfRange;
}

function nothing(): undefined {
  // The session is over already; what the ECU does about it has no answer.
}
